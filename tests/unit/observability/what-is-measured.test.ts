import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createMetrics } from '../../../host/src/observability/metrics.ts'
import { PLUGIN_STATES } from '../../../host/src/observability/plugin-states.ts'

const root = join(import.meta.dirname, '../../..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const page = `\n${read('docs/advanced/metrics.md')}`
const byText = (a = '', b = '') => a.localeCompare(b)
/** The names in the first column of the table under a heading. */
const rowsOf = (heading: string) => {
  const section = page.slice(page.indexOf(`\n${heading}\n`)).slice(1)
  const table = section.slice(0, section.indexOf('\n\n', section.indexOf('\n|')))
  return [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, name = '']) => name)
}

test('every state that a plugin can have is one that the host sets', () => {
  const sources = globSync('host/src/plugin/**/*.ts', { cwd: root }).map(read).join('\n')
  for (const state of PLUGIN_STATES)
    assert.match(sources, new RegExp(`state: (?:'${state}'|[^,}\\n]*\\? '${state}'|[^,}\\n]*: '${state}')`), state)
})

test('the docs and the metric know the same states', async () => {
  assert.deepEqual(rowsOf('## States of a plugin'), [...PLUGIN_STATES])
  const metrics = createMetrics()
  metrics.pluginState('notes', 'active')
  const text = await metrics.render()
  const states = [...text.matchAll(/^patchbay_plugin_state\{plugin="notes",state="(\w+)"\}/gm)].map(([, state]) => state)
  assert.deepEqual(states.toSorted(byText), [...PLUGIN_STATES].toSorted(byText))
})

test('the docs name every metric that the host has, and no other', async () => {
  using metrics = createMetrics()
  const names = [...(await metrics.render()).matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name)
  assert.ok(names.length > 20)
  assert.deepEqual(
    rowsOf('# What is measured')
      .filter((name) => !name.endsWith('…'))
      .toSorted(byText),
    names.toSorted(byText),
  )
})

test('what comes in, is refused and goes on to services is counted', async () => {
  using metrics = createMetrics()
  metrics.request(200)
  metrics.request(200)
  metrics.request(429)
  metrics.request(undefined)
  metrics.denied('tool', 'read_only')
  metrics.upstream('notes', 200, 12)
  metrics.upstream('notes', 'TIMEOUT', 30)
  metrics.upstream('gone', 200, 1)
  metrics.forget('gone')
  const stop = metrics.watchOpen(() => ({ sessions: 2, streams: 1, calls: 3 }))
  metrics.watchOpen(() => ({ sessions: 1, streams: 0, calls: 0 }))
  const text = await metrics.render()
  assert.equal(await metrics.render().then(countsOf), countsOf(text), 'a second look counts nothing twice')
  assert.deepEqual(countsOf(text).split('\n'), [
    'patchbay_calls_in_flight 3',
    'patchbay_denied_calls_total{kind="tool",reason="read_only"} 1',
    'patchbay_http_requests_total{status="200"} 2',
    'patchbay_http_requests_total{status="429"} 1',
    'patchbay_http_requests_total{status="none"} 1',
    'patchbay_sessions 3',
    'patchbay_streams 1',
    'patchbay_upstream_request_duration_seconds_count{plugin="notes"} 2',
    'patchbay_upstream_requests_total{plugin="notes",status="200"} 1',
    'patchbay_upstream_requests_total{plugin="notes",status="TIMEOUT"} 1',
  ])
  stop()
  assert.match(await metrics.render(), /^patchbay_sessions 1$/m)
})

test('a service that answers with any number as a status makes one series of them', async () => {
  using metrics = createMetrics()
  for (let status = 600; status < 1_000; status++) metrics.upstream('notes', status, 1)
  assert.match(await metrics.render(), /^patchbay_upstream_requests_total\{plugin="notes",status="other"\} 400$/m)
})

test('the process that serves is measured: memory, processor time and how late its event loop is', async () => {
  using metrics = createMetrics()
  const text = await metrics.render()
  const valueOf = (name: string) => Number(new RegExp(`^${name} (.+)$`, 'm').exec(text)?.[1])
  const used = valueOf('nodejs_heap_size_used_bytes')
  assert.ok(used > 1_000_000 && used < valueOf('nodejs_heap_size_limit_bytes'))
  assert.ok(valueOf('process_resident_memory_bytes') > used)
  assert.ok(valueOf('process_cpu_seconds_total') > 0)
  assert.ok(valueOf('nodejs_eventloop_lag_p99_seconds') >= 0)
  if (process.platform !== 'linux') return
  assert.ok(valueOf('process_open_fds') > 2 && valueOf('process_open_fds') < valueOf('process_max_fds'))
})

/** The lines of traffic, without those of the buckets and sums. */
function countsOf(text: string): string {
  return text
    .split('\n')
    .filter(
      (line) => /^patchbay_(?:calls_in|denied|http|sessions|streams|upstream)/.test(line) && !/_(?:bucket|sum)\{/.test(line),
    )
    .toSorted(byText)
    .join('\n')
}
