// Cases G13, G14, G18: what a plugin in its own process writes to the host.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startProbe } from '../fixtures/probe.ts'

const GONE = /was restarted in the middle of this call/

test('a plugin that prints without end is stopped, and the host holds little of it', async (t) => {
  const probe = await startProbe(t)
  const before = process.memoryUsage.rss()
  const text = await probe.text(
    `const line = 'x'.repeat(65_535) + '\\n'; for (let i = 0; i < 16_384; i++) require('node:fs').writeSync(1, line)`,
  )
  assert.match(text, GONE)
  assert.match(text, /it printed \d+ MB within ten seconds/)
  assert.ok(process.memoryUsage.rss() - before < 50 * 1_048_576)
})

test('what a plugin prints goes to the log and not to the answer', async (t) => {
  const probe = await startProbe(t)
  await probe.run(`console.log('printed\\nin lines')`)
  const lines = probe.log.filter(({ event }) => event === 'plugin_output').map(({ line }) => line)
  assert.deepEqual(lines, ['printed', 'in lines'])
})

for (const [what, bytes, problem] of [
  ['a message that says it is too long', 'Buffer.from([255, 255, 255, 255, 0, 0, 0, 0])', /sent a message of \d+ bytes/],
  ['a header that is no JSON', "Buffer.concat([Buffer.from([3, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{]x')])", /header is no JSON/],
  ['a message of no known form', "Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('42')])", /no known form/],
  [
    'an answer to nothing',
    "Buffer.concat([Buffer.from([11, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('[1,99999,1]')])",
    /answered a question that nobody asked/,
  ],
] as const)
  test(`a plugin that writes ${what} into the channel is replaced`, async (t) => {
    const probe = await startProbe(t)
    const text = await probe.text(`require('node:fs').writeSync(3, ${bytes}); await new Promise(() => {})`)
    assert.match(text, GONE)
    assert.match(text, problem)
    assert.deepEqual(await probe.run('return 2'), { value: 2 })
  })

test('an answer of 100 MB is an error with its size, and the plugin goes on', async (t) => {
  const probe = await startProbe(t)
  const text = await probe.text(`return 'x'.repeat(100 * 1_048_576)`)
  assert.match(text, /too large \(\d{9} bytes/)
  assert.deepEqual(await probe.run('return 2'), { value: 2 })
})

test('answering twice, and for another call, is dropped', async (t) => {
  const probe = await startProbe(t)
  await probe
    .run(`
    const frame = (header) => { const text = Buffer.from(JSON.stringify(header)); const head = Buffer.alloc(8); head.writeUInt32LE(text.length); return Buffer.concat([head, text]) }
    for (let id = 1; id < 4; id++) require('node:fs').writeSync(3, frame([1, id, { as: 'nothing' }]))`)
    .catch(() => {})
  assert.deepEqual(await probe.run('return 2'), { value: 2 })
})

test('a plugin that logs without end is heard for a while, and answers on', async (t) => {
  const probe = await startProbe(t)
  await probe.run(`for (let i = 0; i < 20_000; i++) ctx.log.info('again', { i })`)
  const heard = probe.log.filter(({ event }) => event === 'again').length
  assert.ok(heard > 0 && heard < 20_000, `${heard} lines`)
  assert.deepEqual(await probe.run('return 2'), { value: 2 })
})

test('a plugin finds under any key only what it put there itself', async (t) => {
  const probe = await startProbe(t)
  for (const key of ['../neighbour', '__proto__', 'nul\0', 'plugin:x', '']) {
    const json = JSON.stringify(key)
    assert.deepEqual(await probe.run(`await ctx.cache.set(${json}, 'mine', { ttlMs: 60_000 }); return ctx.cache.get(${json})`), {
      value: 'mine',
    })
  }
  assert.equal((await probe.run(`await ctx.cache.set('k'.repeat(1_048_576), 1, { ttlMs: 60_000 })`)).code, 'CACHE_KEY')
  assert.deepEqual(
    await probe.run(`await ctx.cache.set('big', 'x'.repeat(2_000_000), { ttlMs: 60_000 }); return ctx.cache.get('big')`),
    { value: null },
  )
})
