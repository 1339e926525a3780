import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { createMetrics } from '../../../host/src/observability/metrics.ts'
import { METRIC_LIMITS } from '../../../host/src/observability/plugin-records.ts'

const linesOf = (text: string, plugin: string) => text.split('\n').filter((line) => line.includes(`plugin="${plugin}"`))

function measured() {
  const told: string[] = []
  const metrics = createMetrics({ onLimit: (plugin, name) => void told.push(`${plugin} ${name}`) })
  return { metrics, told }
}

test('a plugin that labels with what is never the same has a bounded number of series, the rest is other, and one warning', async () => {
  const { metrics, told } = measured()
  const own = metrics.forPlugin('noisy')
  for (let at = 0; at < 12_000; at += 1) own.count('asked', 1, { id: randomUUID() })
  for (let at = 0; at < 500; at += 1) own.count('later', 2, { id: randomUUID(), of: 'x' })
  metrics.forPlugin('quiet').count('asked', 3, { id: 'a' })
  const text = await metrics.render()
  const lines = linesOf(text, 'noisy')
  const others = lines.filter((line) => line.includes('"other"'))
  assert.equal(lines.length - others.length, METRIC_LIMITS.series)
  assert.equal(others.length, 2)
  assert.ok(lines.includes('patchbay_plugin_asked{plugin="noisy",id="other"} 11000'))
  assert.ok(lines.includes('patchbay_plugin_later{plugin="noisy",id="other",of="other"} 1000'))
  assert.deepEqual(linesOf(text, 'quiet'), ['patchbay_plugin_asked{plugin="quiet",id="a"} 3'])
  assert.deepEqual(told, ['noisy asked'])
})

test('labels, names and histograms are bounded by what they cost in lines and characters', async () => {
  const { metrics, told } = measured()
  const own = metrics.forPlugin('wide')
  own.count('long', 1, { label: 'x'.repeat(500_000) })
  own.count('many', 1, Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`l${at}`, 'v'])))
  own.count('n'.repeat(100_000))
  for (let at = 0; at < 1_000; at += 1) own.observe('took_ms', at, { id: String(at) })
  for (let at = 0; at < 1_000; at += 1) own.count(`name_${at}`)
  const text = await metrics.render()
  assert.ok(text.length < 200_000, `${text.length} characters`)
  const lines = linesOf(text, 'wide')
  assert.ok(lines.length < METRIC_LIMITS.series + METRIC_LIMITS.names + 20, `${lines.length} lines`)
  for (const line of lines) assert.ok(line.length < METRIC_LIMITS.characters * 5, line)
  assert.match(text, /patchbay_plugin_long\{plugin="wide",label="x{119}…"\} 1/)
  assert.match(
    text,
    /patchbay_plugin_took_ms_count\{id="other",plugin="wide"\}|patchbay_plugin_took_ms_count\{plugin="wide",id="other"\}/,
  )
  assert.deepEqual(told, ['wide took_ms'])
})

test('what cannot be measured costs no call, and what a plugin counted goes with it', async () => {
  const { metrics } = measured()
  const own = metrics.forPlugin('odd')
  const hostile = Object.defineProperty({}, 'id', { enumerable: true, get: () => assert.fail('a getter that throws') })
  own.count('a', 1, hostile)
  own.count('a', Number.NaN)
  own.count('a', -1)
  own.count('a', 1, { id: {} as string })
  own.gauge('a', 1)
  own.count('b', 1, { 'not a name!': 'x' })
  own.count(undefined as never)
  own.count('c', 2)
  const before = await metrics.render()
  assert.match(before, /patchbay_plugin_c\{plugin="odd"\} 2/)
  metrics.forget('odd')
  assert.deepEqual(linesOf(await metrics.render(), 'odd'), [])
})
