import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isolatedHost } from '../fixtures/plugins/isolated-host.ts'
import { until } from '../fixtures/plugins/plugin-processes.ts'

const at = await isolatedHost({ config: { limits: { pluginMemoryMb: 300 } } })
const waiting = `globalThis.waiting = (globalThis.waiting ?? 0) + 1; await new Promise(() => {})`

for (const [what, code] of [
  ['runs an endless loop', `for (;;);`],
  ['matches forever', `return /^(a+)+$/.test('a'.repeat(40) + '!')`],
  ['never lets go of its queue', `const again = () => process.nextTick(again); again(); await new Promise(() => {})`],
  ['waits for what never comes, deaf to everything', `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)`],
] as const)
  test(`a call that ${what} ends in time, and the other calls of its plugin hear that it was restarted`, async () => {
    const reading = at.tell(waiting)
    const writing = at.tell(waiting, 'write')
    while ((await at.run(`return globalThis.waiting`)).value !== 2);
    const stuck = at.crash(code, 'brief')
    assert.equal((await at.client.call('healthy_pulse_check')).text.includes('alive'), true)
    assert.match(await stuck, /hostile_brief did not answer within 300 ms/)
    assert.match(await reading, /was restarted during this call: it was stuck[^]*The tool only reads, so you can call it again/)
    assert.match(await writing, /was restarted during this call: it was stuck[^]*may or may not have been made/)
  })

test('a call that is late and not stuck ends in time, and its process goes on with the others', async () => {
  const before = await at.run(`return process.pid`)
  const other = at.tell(`await new Promise((resolve) => { globalThis.release = resolve }); return 'other'`)
  assert.match(
    await at.tell(
      `ctx.signal.addEventListener('abort', () => { globalThis.cancelled = true }); await new Promise(() => {})`,
      'brief',
    ),
    /did not answer within 300 ms/,
  )
  assert.deepEqual(await at.run(`globalThis.release(); return globalThis.cancelled`), { value: true })
  assert.deepEqual([JSON.parse(await other), await at.run(`return process.pid`)], [{ value: 'other' }, before])
})

test('a client that goes away cancels its call in the process', async () => {
  const leaving = new AbortController()
  const gone = fetch(at.url, {
    ...request(
      `ctx.signal.addEventListener('abort', () => { globalThis.left = true }); globalThis.arrived = true; await new Promise(() => {})`,
    ),
    signal: leaving.signal,
  })
  while ((await at.run(`return globalThis.arrived`)).value !== true);
  leaving.abort()
  await assert.rejects(gone, { name: 'AbortError' })
  while ((await at.run(`return globalThis.left`)).value !== true);
})

test('memory outside of the heap has its limit', { skip: process.platform !== 'linux' && 'it cannot be seen' }, async () => {
  const text = await at.crash(
    `globalThis.all = []; for (let i = 0; i < 64; i++) { globalThis.all.push(Buffer.alloc(64 * 1_048_576, 1)); await new Promise((resolve) => setTimeout(resolve, 50)) } return 'all of it'`,
  )
  assert.match(text, /it held \d+ MB of memory, more than the 300 MB that limits\.pluginMemoryMb allows/)
})

test(
  'memory outside of the heap has its limit in a loop that hears nothing',
  { skip: process.platform !== 'linux' && 'it cannot be seen' },
  async () => {
    const text = await at.crash(`const all = [Buffer.alloc(350 * 1_048_576, 1)]; for (;;) all[0][0]++`)
    assert.match(text, /it held \d+ MB of memory/)
  },
)

test('answers that are too large, or that JSON cannot hold, are errors that say so, and the process goes on', async () => {
  const before = await at.run(`return process.pid`)
  for (const [code, problem] of [
    [`return 'x'.repeat(20 * 1_048_576)`, /too large \(\d+ bytes/],
    [`return 'x'.repeat(2 * 1_048_576)`, /too large/],
    [`return Array(3_000_000).fill(0)`, /too large/],
  ] as const)
    assert.match(await at.tell(code), problem, code)
  assert.deepEqual(await at.run(`return process.pid`), before)
})

test('of a flood of progress a client hears a little, in order, and nothing after the answer', async () => {
  const steps: number[] = []
  let isAnswered = false
  const io = { progress: (step: number) => void (isAnswered ? assert.fail('progress after the answer') : steps.push(step)) }
  await at.host.call('hostile_read', { code: `for (let i = 1; i <= 50_000; i++) ctx.progress(i); return 1` }, { io })
  isAnswered = true
  assert.ok(steps.length >= 1 && steps.length < 1_000, `${steps.length} steps`)
  assert.deepEqual(
    steps,
    steps.toSorted((a, b) => a - b),
  )
  await at.run(`return 1`)
})

test('what a plugin logs, counts or tells of its progress is never worth a failed call', async () => {
  const code = `
    for (const odd of [Symbol('odd'), null, undefined, 5, {}, [], 1n, () => {}, new Proxy({}, { get() { throw new Error('no') } })]) {
      ctx.log.info(odd, odd); ctx.log.child(odd).warn('child', odd); ctx.progress(odd, odd); ctx.progress(1, { total: odd, message: odd })
      ctx.metrics.count(odd, odd, odd)
    }
    ctx.log.error('failed', new Error('the reason'))
    return 'went on'`
  const io = { progress: () => {} }
  assert.match(JSON.stringify(await at.host.call('hostile_read', { code }, { io })), /went on/)
  const { fields } = await at.lines.next(({ event }) => event === 'plugin.failed')
  assert.match(JSON.stringify(fields), /the reason/)
})

test('of a flood of lines the log has as many as a second may have, and says how many it dropped', async (t) => {
  t.after(at.holdClock())
  at.passMinute()
  // A second later its end of the channel has said how much it did not send.
  await at.run(
    `for (let i = 0; i < 20_000; i++) ctx.log.info('flood', { i }); await new Promise((resolve) => setTimeout(resolve, 1_100)); return 1`,
  )
  // Each line goes to the log and to the client, within what both have together.
  const heard = at.lines.all.filter(({ event }) => event === 'plugin.flood').length
  assert.ok(heard > 0 && heard <= 1_000, `${heard} lines`)
  at.passMinute()
  await at.run(`ctx.log.info('after'); return 1`)
  await at.lines.next(({ event }) => event === 'plugin.after')
  const dropped = Number(at.lines.all.findLast(({ event }) => event === 'plugin_notifications_dropped')?.['dropped'])
  assert.ok(dropped >= 38_000 && dropped < 40_000, `${dropped} of 40,000 were dropped`)
})

test('a hundred calls at once have one answer each when their process dies', async () => {
  const calls = Array.from({ length: 100 }, (_, i) =>
    at.host.call('hostile_read', { code: i === 99 ? `process.exit(3)` : `await new Promise(() => {})` }),
  )
  const answers = await Promise.all(calls)
  assert.equal(answers.length, 100)
  for (const answer of answers) assert.match(JSON.stringify(answer), /restarted during this call/)
  await at.lines.next(({ event }) => event === 'plugin_restarted')
  at.passMinute()
  // Calls that come while it is away wait for it.
  const gone = await at.tell(`process.exit(4)`)
  assert.match(gone, /exited with code 4/)
  const waited = await Promise.all([1, 2, 3].map(() => at.run(`return 'back'`)))
  assert.deepEqual(
    waited,
    [1, 2, 3].map(() => ({ value: 'back' })),
  )
  at.passMinute()
  await until(() => at.pids().length === 2)
})

function request(code: string): RequestInit {
  return {
    method: 'POST',
    headers: {
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'hostile_read',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: {
        name: 'hostile_read',
        arguments: { code },
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    }),
  }
}
