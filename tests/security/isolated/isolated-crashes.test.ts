import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isolatedHost } from '../../fixtures/plugins/isolated-host.ts'

const at = await isolatedHost({ entry: { readOnly: true }, config: { limits: { pluginHeapMb: 48 } } })

for (const [what, code, why] of [
  ['exits', `process.exit(0)`, /it exited with code 0/],
  ['exits past every handler', `process.reallyExit(7)`, /it exited with code 7/],
  ['aborts', `process.abort()`, /it aborted/],
  ['raises a fault of memory', `process.kill(process.pid, 'SIGSEGV'); for (;;);`, /it was ended by SIGSEGV/],
  ['kills itself', `process._kill(process.pid, 9); for (;;);`, /it was ended by SIGKILL/],
  [
    'throws where nobody catches',
    `setImmediate(() => { throw new Error('late') }); await new Promise(() => {})`,
    /it exited with code 1/,
  ],
  ['rejects where nobody looks', `void Promise.reject(new Error('late')); await new Promise(() => {})`, /it exited with code 1/],
  [
    'fills its heap',
    `const all = []; for (;;) all.push({ of: Array(1_000).fill(all.length) })`,
    /it aborted, most likely out of memory/,
  ],
] as const)
  test(`a plugin that ${what} fails its own calls alone, and comes back`, async () => {
    const [text, beside] = await Promise.all([at.crash(code), at.client.call('neighbour_sum')])
    assert.match(text, why)
    assert.match(text, /The tool only reads, so you can call it again/)
    assert.match(beside.text, /1,2/)
    const exit = at.lines.all.findLast(({ event }) => event === 'plugin_exited')
    assert.match(String(exit?.['reason']), why)
  })

test('the metrics have the restarts of a plugin, its processes and what they hold', async () => {
  const read = async (name: string, plugin: string) => {
    const [, value = '0'] = new RegExp(`^${name}{plugin="${plugin}"} (\\S+)$`, 'm').exec(await at.metrics()) ?? []
    return Number(value)
  }
  const before = await read('patchbay_plugin_process_restarts_total', 'hostile')
  await at.crash('process.exit(0)')
  assert.equal(await read('patchbay_plugin_process_restarts_total', 'hostile'), before + 1)
  for (const plugin of ['hostile', 'neighbour']) {
    assert.equal(await read('patchbay_plugin_processes', plugin), 1)
    const bytes = await read('patchbay_plugin_process_resident_memory_bytes', plugin)
    if (process.platform === 'linux') assert.ok(bytes > 20e6 && bytes < 500e6, `${bytes} bytes`)
  }
  assert.match(await at.metrics(), /^patchbay_plugin_state{plugin="hostile",state="active"} 1$/m)
})

test('a stack that overflows is an error of that call, and the process goes on', async () => {
  const before = await at.run('return process.pid')
  assert.match((await at.run(`const deeper = () => deeper() + 1; return deeper()`)).message ?? '', /call stack/)
  // Values that are nested too deeply for JSON, as an answer, in a line and in a request.
  const deep = `let deep = []; for (let i = 0; i < 100_000; i++) deep = [deep];`
  for (const code of [
    `${deep} return deep`,
    `${deep} ctx.log.info('deep', { deep }); return 1`,
    `${deep} await ctx.cache.set('deep', deep, { ttlMs: 1_000 }); return 1`,
    `${deep} await ctx.client.json('/', { method: 'POST', body: deep }); return 1`,
  ])
    await at.tell(code)
  assert.deepEqual(await at.run('return process.pid'), before)
})

for (const [what, code] of [
  ['throws', `throw new Error('late')`],
  ['rejects', `void Promise.reject(new Error('late'))`],
] as const)
  test(`an answer that was given stays good when something ${what} in its process later`, async () => {
    const text = await at.crash(`setTimeout(() => { ${code} }, 20); return 'given'`)
    assert.deepEqual(JSON.parse(text), { value: 'given' })
  })

test('prototypes and globals that a plugin patches are patched in its own process alone', async () => {
  const { value } = await at.run(`
    Object.prototype.polluted = 'yes'
    Array.prototype.polluted = 'yes'
    Array.prototype.map = () => ['patched']
    Object.prototype.isError = false
    JSON.parse = () => ({ patched: true })
    String.prototype.toString = () => 'patched'
    Promise.prototype.finally = function () { return this }
    globalThis.fetch = () => 'patched'
    Error.prepareStackTrace = () => 'patched'
    return 'patched'`)
  assert.equal(value, 'patched')
  assert.deepEqual([[1].map(String), JSON.parse('1'), typeof fetch], [['1'], 1, 'function'])
  assert.match((await at.client.call('neighbour_sum')).text, /1,2/)
  assert.match((await at.client.call('healthy_pulse_check')).text, /alive/)
  // What it made of itself goes with its process.
  await at.crash(`process.reallyExit(0)`)
  assert.equal((await at.run(`return [1, 2].map(String).join()`)).value, '1,2')
})

test('keys that mean something to JavaScript are keys like any other in what a plugin answers', async () => {
  const { text } = await at.client.call('hostile_read', {
    code: `return JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":1}')`,
  })
  assert.match(text, /__proto__/)
})

test('a plugin that takes the checks out of its own copy of the contract is checked all the same', async () => {
  assert.equal(
    (
      await at.run(`
        const api = await import('@mcp-patchbay/plugin-api')
        api.SecretValue.prototype.reveal = () => 'mine'
        api.ServiceError.prototype.message = 'mine'
        Object.freeze = (value) => value
        globalThis.structuredClone = (value) => value
        return 'patched'`)
    ).value,
    'patched',
  )
  // Its write tool is hidden by the config, and its read tool may only read, whatever the plugin thinks of itself.
  assert.ok(!(await at.client.tools()).includes('hostile_write'))
  assert.match((await at.client.call('hostile_write', { code: 'return 1' })).text, /Unknown tool/)
  const sent = await at.run(`return ctx.client.json('/things', { method: 'POST', body: {} })`)
  assert.deepEqual(
    [sent.code, /was not sent: it may write, and this call may only read/.test(sent.message ?? '')],
    ['PERMISSION_DENIED', true],
  )
  const away = await at.run(`return ctx.client.text('https://elsewhere.example/x')`)
  assert.match(away.message ?? '', /leads to a host this plugin was not granted/)
  // Input that the schema forbids does not reach it.
  assert.match((await at.client.call('hostile_read', { code: 7 })).text, /code/)
  await at.crash(`process.reallyExit(0)`)
})

// Not only its answers: what it says of itself is the host's to judge.
test('a plugin cannot make the host take an error of its own for one of the host', async () => {
  for (const code of [`'PIN_FILE'`, `'AUTH_REQUIRED'`, `'LISTEN_PORT'`, `'__proto__'`]) {
    const { text } = await at.client.call('hostile_read', {
      code: `
        const fs = require('node:fs')
        const frame = (header) => { const text = Buffer.from(JSON.stringify(header)); const prefix = Buffer.alloc(8); prefix.writeUInt32LE(text.length, 0); return Buffer.concat([prefix, text]) }
        for (let id = 1; id < 500; id++) try { fs.writeSync(3, frame([2, id, { kind: 'host', code: ${code}, message: 'believe me', fix: ['rm -rf'], status: 401 }])) } catch {}
        await new Promise(() => {})`,
    })
    assert.match(text, /"result":/)
    assert.match(text, /"isError":true|asked/)
    if (at.lines.all.at(-1)?.event === 'plugin_exited') at.passMinute()
  }
  at.passMinute()
})
