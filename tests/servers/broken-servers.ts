import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fakeLog } from '@mcp-patchbay/plugin-api/testing'
import { resolveConfig } from '../../host/src/config/file/resolve-config.ts'
import { createHost } from '../../host/src/host.ts'
import type { Host } from '../../host/src/types.ts'

const root = join(import.meta.dirname, '../..')
const hows = ['well', 'loud', 'chatty', 'deaf', 'fragile', 'hang', 'crash', 'odd', 'late', 'stubborn', 'stuck'] as const
const log = fakeLog()
let host: Host
let stuck: Socket
/** Each process of the server that gets stuck has a connection to it. */
const lives = createServer()

before(async () => {
  lives.listen(0, '127.0.0.1')
  await once(lives, 'listening')
  const first = once(lives, 'connection') as Promise<[Socket]>
  const plugins = hows.map((how) => ({
    use: 'mcp:exec',
    as: how,
    command: [process.execPath, 'tests/fixtures/servers/raw-server.mjs', how],
    args: how === 'stuck' ? [String((lives.address() as AddressInfo).port)] : [],
    overrides: { silent: { timeoutMs: 50 }, spin: { timeoutMs: 50 } },
  }))
  const config = resolveConfig({ plugins, limits: { loadTimeoutMs: 1_500 } })
  host = await createHost(config, { file: join(root, 'mcp.config.ts'), env: process.env, log, patienceMs: Infinity })
  ;[stuck] = await first
})
after(async () => {
  await host.close({ graceMs: 0 })
  lives.close()
})

async function call(name: string): Promise<{ readonly text: string; readonly isError: boolean }> {
  const answer = await host.call(name)
  const { content, isError } = (answer as unknown as { readonly result: { content: { text?: string }[]; isError?: true } }).result
  return { text: content.map(({ text }) => text).join(''), isError: isError === true }
}
const plugin = (name: string) => host.list().plugins.find((one) => one.name === name) ?? assert.fail(name)

test('what a server prints, repeats, or answers to nobody reaches no caller', async () => {
  assert.equal((await call('well_noise')).text, 'in pieces')
  assert.equal((await call('well_twice')).text, 'first')
  assert.equal((await call('well_otherid')).text, 'right')
  assert.equal((await call('well_echo')).text, 'echo ', 'and the next answer is of its own call')
})

test('a result that no client knows, or that nobody can hold, is an error of that call', async () => {
  assert.match((await call('well_malformed')).text, /has the type "hologram"/)
  assert.match((await call('well_big')).text, /the server's answer is larger than 32 MB/)
  assert.match((await call('well_silent')).text, /did not answer within 50 ms/)
  assert.equal((await call('well_echo')).text, 'echo ')
})

for (const [instance, tool, why] of [
  ['loud', 'flood', /it sent more than 50000 messages within ten seconds that nothing asked for/],
  ['chatty', 'chatter', /it printed more than 16 MB within ten seconds/],
] as const)
  test(`a server that floods is ended, and started again: ${tool}`, async () => {
    const { text, isError } = await call(`${instance}_${tool}`)
    assert.match(text, why)
    assert.equal(isError, true)
    assert.equal((await call(`${instance}_echo`)).text, 'echo ')
  })

test('a server in an endless loop is ended, deaf to SIGTERM as it is, and started again', async () => {
  const ended = once(stuck.resume(), 'close')
  const again = once(lives, 'connection')
  assert.match((await call('stuck_spin')).text, /did not answer within 50 ms/)
  // It hears nothing: what is sent to it meanwhile ends with it.
  assert.match((await call('stuck_echo')).text, /it was stuck/)
  assert.equal((await call('stuck_echo')).text.startsWith('echo '), true)
  await Promise.all([again, ended])
})

test('a server that closes its input is ended, and started again', async () => {
  assert.equal((await call('deaf_deaf')).text, 'deaf')
  assert.match((await call('deaf_echo')).text, /it closed its input/)
  assert.equal((await call('deaf_echo')).text, 'echo ')
})

test('a server that ends at the question of its revision is spoken to without it', async () => {
  assert.equal(plugin('fragile').state, 'active')
  assert.equal((await call('fragile_echo')).text, 'echo ')
})

test('a server that does not begin fails alone, with why and what it printed', () => {
  assert.match(plugin('hang').reason?.message ?? '', /could not be connected: it did not answer within 3000 ms/)
  assert.match(plugin('crash').reason?.message ?? '', /it exited with code 5\. Its last output: cannot find its database/)
  assert.equal(plugin('well').state, 'active')
})

test('tools with odd names are served under names of ours, and what does not fit is left out by name', () => {
  const { tools, warnings } = plugin('odd')
  const names = tools.map(({ name }) => name)
  assert.equal(names.length, 7)
  for (const name of names) assert.match(name, /^odd_[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/)
  for (const name of names) assert.ok(name.length <= 64, name)
  assert.ok(names.includes('odd_get_user_name'), 'the one that the server itself calls so')
  const leftOut = warnings.filter((one) => one.leftOut).map(({ name, problem }) => `${name}: ${problem}`)
  for (const part of [
    /\(no name\): .*has no name/,
    /odd_echo: .*gives twice/,
    /odd_task-only: .*can only be run as a task/,
    /odd_no_schema: .*is missing, not an object schema/,
    /odd_wrong_schema: .*type "array"/,
    /odd_bad_pattern: .*pattern/,
    /odd_huge_schema: .*holds more than 20000 values/,
    /odd_long_description: .*longer than 8192 characters/,
  ])
    assert.match(leftOut.join('\n'), part)
  assert.deepEqual(host.snapshot.tools.get('odd_file_icon')?.wire['icons'], undefined)
})

test('a list that changes while it is published for the first time is not missed', async () => {
  const { promise: listed, resolve } = Promise.withResolvers<void>()
  const look = () => host.snapshot.tools.has('late_later') && resolve()
  host.on('generation', look)
  look()
  await listed
})

test('a server that does not want to end is ended with the host', async () => {
  assert.equal((await call('stubborn_echo')).text, 'echo ')
})
