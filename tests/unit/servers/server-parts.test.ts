import assert from 'node:assert/strict'
import { ChildProcess } from 'node:child_process'
import { test } from 'node:test'
import { afterLastWords } from '../../../host/src/plugin/isolate/output.ts'
import type { CallRequest } from '../../../host/src/plugin/run/running.ts'
import { createMessageReader } from '../../../host/src/plugin/mcp-server/process/message-reader.ts'
import { secretKey } from '../../../host/src/plugin/mcp-server/process/server-command.ts'
import { createWaitingCalls } from '../../../host/src/plugin/mcp-server/relay/waiting-calls.ts'
import { askingOf, ownerOf } from '../../../host/src/plugin/mcp-server/share/who-shares.ts'
import { localNames, snakeCase } from '../../../host/src/plugin/mcp-server/surface/server-names.ts'

test('names become snake_case', () => {
  const table = [
    ['getUserName', 'get_user_name'],
    ['get-user-name', 'get_user_name'],
    ['API-post-page', 'api_post_page'],
    ['HTTPServerStart', 'http_server_start'],
    ['read.file/now', 'read_file_now'],
    ['__x__', 'x'],
    ['2fa', 'n2fa'],
    ['Größe', 'gro_e'],
    ['日本語', ''],
  ] as const
  for (const [name, expected] of table) assert.equal(snakeCase(name), expected, name)
})

test('a name depends on no other, unless two would be the same', () => {
  const named = (...names: string[]) =>
    localNames(
      names.map((name) => ({ key: name, name })),
      40,
    )
  assert.deepEqual([...named('getA', 'b')], [...new Map([...named('getA'), ...named('b')])])
  const both = named('get-a', 'getA')
  assert.deepEqual(both, named('getA', 'get-a'), 'in any order')
  assert.equal(new Set(both.values()).size, 2)
  assert.equal(named('get_a', 'getA').get('get_a'), 'get_a', 'whoever is called so keeps it')
  const long = named('a'.repeat(100), `${'a'.repeat(99)}b`)
  assert.equal(new Set(long.values()).size, 2)
  for (const name of long.values()) assert.ok(name.length <= 40)
})

function readerOf(bytes: number) {
  const heard: unknown[] = []
  const reader = createMessageReader(
    {
      onMessage: (message) => heard.push(message),
      onOther: (line) => heard.push(line),
      onTooLarge: (problem, id) => heard.push([problem, id]),
    },
    { bytes, json: { depth: 8, values: 100 } },
  )
  return { heard, write: (text: string) => reader.write(Buffer.from(text)) }
}
const message = { jsonrpc: '2.0', id: 1, result: {} }

test('messages are read from pieces of any size, and what is none is told apart', () => {
  const whole = `${JSON.stringify(message)}\r\nlog line\n\n[${JSON.stringify(message)},3]\n{"a":1}\n${JSON.stringify(message)}`
  for (const size of [1, 7, 1_000]) {
    const { heard, write } = readerOf(1_000)
    for (let at = 0; at < whole.length; at += size) write(whole.slice(at, at + size))
    assert.deepEqual(heard, [message, 'log line', message, `[${JSON.stringify(message)},3]`, '{"a":1}'], `pieces of ${size}`)
  }
})

test('a message beyond the bounds is not held, and its call is found where it names it', () => {
  const big = 'x'.repeat(5_000)
  const { heard, write } = readerOf(2_000)
  write(`{"result":"${big}","jsonrpc":"2.0","id":7}\n`)
  write(`{"jsonrpc":"2.0","id":8,"result":"${big}"}\n`)
  write(`{"jsonrpc":"2.0","result":"\\"id\\":9","method":"${big}"}\n`)
  write(`{"jsonrpc":"2.0","id":10,"result":[[[[[[[[[[1]]]]]]]]]]}\n`)
  write(`${JSON.stringify(message)}\n`)
  const tooLarge = 'is larger than 0 MB'
  assert.deepEqual(heard, [[tooLarge, 7], [tooLarge, 8], [tooLarge, undefined], ['nests deeper than 8 levels', 10], message])
})

test('the variable of a secret is the instance and its name, said once', () => {
  assert.equal(secretKey('tavily', 'TAVILY_API_KEY'), 'api_key')
  assert.equal(secretKey('tavily_eu', 'TAVILY_API_KEY'), 'tavily_api_key')
  assert.equal(secretKey('db', 'PGPASSWORD'), 'pgpassword')
  assert.equal(secretKey('db', 'DB_'), 'db_')
})

const request = (more: Partial<CallRequest>): CallRequest => ({
  requestId: 'r',
  principal: { id: 'ada', tenant: undefined, permissions: [], kind: 'apiKey' } as never,
  credentials: undefined,
  signal: new AbortController().signal,
  inputResponses: undefined,
  clientCapabilities: {},
  requestState: undefined,
  progress() {},
  log() {},
  closeStream() {},
  ...more,
})

test('callers share a connection only with themselves, and the server is told of what their client can do', () => {
  const ada = request({ session: 's1', clientCapabilities: { elicitation: {}, experimental: { x: {} } } })
  const bob = request({ session: 's1', principal: { ...ada.principal, id: 'bob' } })
  const tenant = request({ session: 's1', principal: { ...ada.principal, tenant: 't' } })
  const keyOf = (of: CallRequest, share: 'all' | 'caller' | 'session') => askingOf(of, share, false).key
  assert.equal(keyOf(ada, 'all'), keyOf(bob, 'all'))
  assert.deepEqual(askingOf(ada, 'all', true).capabilities, {}, 'whoever shares can be asked nothing')
  for (const share of ['caller', 'session'] as const) {
    assert.equal(keyOf(ada, share), keyOf({ ...ada }, share))
    assert.notEqual(keyOf(ada, share), keyOf(bob, share))
    assert.notEqual(keyOf(ada, share), keyOf(tenant, share))
    assert.notEqual(keyOf(ada, share), keyOf({ ...ada, clientCapabilities: {} }, share), 'another client can do less')
  }
  assert.equal(ownerOf(ada, 'caller'), ownerOf({ ...ada, session: 's2' }, 'caller'))
  assert.notEqual(ownerOf(ada, 'session'), ownerOf({ ...ada, session: 's2' }, 'session'))
  assert.deepEqual(askingOf(ada, 'caller', false).capabilities, { elicitation: {} })
  assert.deepEqual(askingOf(ada, 'caller', true).capabilities, { elicitation: {}, roots: {} })
})

test('a waiting call is given to its owner, once, for ten minutes, and there are 64', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const waiting = createWaitingCalls('files')
  const abandoned: unknown[] = []
  const call = { resume: () => Promise.resolve('done'), abandon: (reason: Error) => void abandoned.push(reason.message) }
  const handle = waiting.add('ada', call)
  assert.throws(() => waiting.take('bob', handle), { code: 'CALL_NOT_WAITING' })
  assert.equal(waiting.take('ada', handle), call)
  assert.throws(() => waiting.take('ada', handle), { code: 'CALL_NOT_WAITING' })
  for (let count = 0; count < 64; count++) waiting.add('ada', call)
  assert.throws(() => waiting.add('ada', call), { code: 'CALLS_WAITING' })
  t.mock.timers.tick(10 * 60_000)
  assert.equal(waiting.size, 0)
  assert.equal(abandoned.length, 64)
})

test('the end of a process is told when all that it wrote was read, or so long after it', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const told: unknown[] = []
  const read = new ChildProcess()
  const held = new ChildProcess()
  for (const child of [read, held]) afterLastWords(child, (code) => void told.push(code))
  read.emit('exit', 5, null)
  held.emit('exit', 6, null)
  assert.deepEqual(told, [], 'its pipes are not read to the end')
  read.emit('close', 5, null)
  assert.deepEqual(told, [5])
  t.mock.timers.tick(249)
  assert.deepEqual(told, [5], 'what it started holds the pipes of the other')
  t.mock.timers.tick(1)
  assert.deepEqual(told, [5, 6])
  held.emit('close', 6, null)
  assert.deepEqual(told, [5, 6], 'once each')
})
