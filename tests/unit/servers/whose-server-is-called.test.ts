import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { test } from 'node:test'
import type { Cache, Principal } from '@mcp-patchbay/plugin-api'
import { SecretValue } from '@mcp-patchbay/plugin-api/host'
import type { EntryConfig } from '../../../host/src/config/schema/schema.ts'
import { normalizeEntry } from '../../../host/src/config/schema/schema.ts'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import { noCapabilities } from '../../../host/src/pin/capabilities.ts'
import type { OpenedTransport, ServerConnection } from '../../../host/src/plugin/mcp-server/connect/types.ts'
import type { ServerOffer } from '../../../host/src/plugin/mcp-server/connect/server-offer.ts'
import { createRelay, type RelayOptions } from '../../../host/src/plugin/mcp-server/relay/relay.ts'
import { createWaitingCalls } from '../../../host/src/plugin/mcp-server/relay/waiting-calls.ts'
import { serverPlugin } from '../../../host/src/plugin/mcp-server/server-plugin.ts'
import { createServers, type ServerOptions } from '../../../host/src/plugin/mcp-server/servers.ts'
import { createServerPool } from '../../../host/src/plugin/mcp-server/share/server-pool.ts'
import { OpenCalls } from '../../../host/src/plugin/mcp-server/share/open-calls.ts'
import type { PoolOptions, ServerPool } from '../../../host/src/plugin/mcp-server/share/types.ts'
import { askingElsewhere, FOR_ALL } from '../../../host/src/plugin/mcp-server/share/who-shares.ts'
import { describeServer } from '../../../host/src/plugin/mcp-server/surface/describe-server.ts'
import type { CallRequest } from '../../../host/src/plugin/run/running.ts'

const offerOf = (description: string): ServerOffer => ({
  tools: [{ name: 'query', description, inputSchema: { type: 'object' } }],
  resources: [],
  templates: [],
  prompts: [],
  completes: false,
})
const surface = { tools: [], resources: [], prompts: [] } as never
const callOf = (tenant: string | undefined): CallRequest => {
  const principal: Principal = { id: 'ann', tenant, permissions: [], kind: 'apiKey' }
  const call: Partial<CallRequest> = { principal, clientCapabilities: {}, signal: new AbortController().signal }
  return call as CallRequest
}

test("a tenant's calls go to the server with the tenant's own config, and the others to that of the entry", async () => {
  const plugin = serverPlugin({
    instance: 'db',
    entry: normalizeEntry({ use: 'mcp:exec', command: ['/bin/db'] }),
    async take({ token }) {
      const pool: Partial<ServerPool> = { lease: () => Promise.reject(new Error(`with ${String(token)}`)), size: 0 }
      return { pool: pool as ServerPool, isLast: () => true, attach: () => true, release: async () => {} }
    },
    address: undefined,
    onChanged() {},
    onReached() {},
    waiting: createWaitingCalls('db'),
    digests: new Map(),
  })
  const http = { [Symbol.asyncDispose]: async () => {} }
  const tenants = new Map([
    ['acme', { token: "acme's" }],
    ['bolt', { token: "bolt's" }],
  ])
  const running = await plugin.start({ surface, config: { token: 'common' }, tenants, http } as never)
  const table = [
    ['acme', "with acme's"],
    ['bolt', "with bolt's"],
    ['other', 'with common'],
    [undefined, 'with common'],
  ] as const
  for (const [tenant, message] of table)
    await assert.rejects(async () => running.readResource('x', 'db://x', {}, callOf(tenant)), { message })
})

test('a connection serves one way of reaching a server: another secret, address, share or folder has its own', async () => {
  const keys: string[] = []
  const kept = { offer: offerOf('Queries.'), prior: { kind: 'legacy' } }
  const records: Partial<Cache> = { get: async <Value>(key: string) => (keys.push(key), kept as Value), set: async () => {} }
  await using servers = createServers({ log: silentLogger, now: () => 0, random: () => 0, records: records as Cache })
  const keyOf = async (entry: EntryConfig, config: object, env: Readonly<Record<string, string>> = {}) => {
    const options: Partial<ServerOptions> = {
      instance: 'db',
      files: undefined,
      version: undefined,
      capabilities: noCapabilities,
      configDir: '/project',
      env,
      limits: { heapMb: 64, memoryMb: 64, answerBytes: 1_000, idleMs: 0 },
      timeoutMs: 1_000,
      mayBeKept: true,
      verify: async () => {},
    }
    const plugin = servers.load(normalizeEntry(entry), options as ServerOptions)
    const http = { [Symbol.asyncDispose]: async () => {} }
    await plugin.discover({ config, signal: new AbortController().signal, http } as never)
    plugin.release()
    return keys.at(-1)
  }
  const remote: EntryConfig = { use: 'mcp:https://db.example/mcp' }
  const secret = (text: string) => ({ personalToken: new SecretValue(() => text) })
  const base = await keyOf(remote, secret('one'))
  assert.equal(await keyOf(remote, secret('one')), base)
  for (const [what, key] of [
    ['another secret', await keyOf(remote, secret('two'))],
    ['no secret', await keyOf(remote, {})],
    ['another address', await keyOf({ use: 'mcp:https://db.example/other' }, secret('one'))],
    ['another address in the config', await keyOf(remote, { ...secret('one'), apiUrl: 'https://eu.example/mcp' })],
    ['a variable of its own', await keyOf(remote, secret('one'), { DB_OAUTH_CLIENT_ID: 'me' })],
    ['a connection for each caller', await keyOf({ ...remote, share: 'caller' }, secret('one'))],
    ['folders', await keyOf({ ...remote, roots: ['docs'] }, secret('one'))],
  ] as const)
    assert.notEqual(key, base, what)
  const command: EntryConfig = { use: 'mcp:exec', command: ['/bin/db'], env: { TOKEN: { secret: true } } }
  const own = await keyOf(command, { token: new SecretValue(() => 'one') })
  assert.notEqual(await keyOf(command, { token: new SecretValue(() => 'two') }), own, 'a process with another secret')
})

test('a tool that is another one by now, or of another server, is not called', async () => {
  const offer = offerOf('Queries.')
  const described = describeServer(offer, { instance: 'db', isInteractive: false })
  const called = async (now: ServerOffer | undefined, where: 'here' | 'elsewhere' = 'here') => {
    const connection: Partial<ServerConnection> = { era: 'legacy', request: () => Promise.reject(new Error('it was called')) }
    let released = 0
    const pool: Partial<ServerPool> = {
      lease: async () => ({
        connection: connection as ServerConnection,
        offer: now,
        calls: new OpenCalls(),
        release: () => void released++,
      }),
    }
    const options: Partial<RelayOptions> = {
      instance: 'db',
      surface,
      share: 'all',
      hasRoots: false,
      elsewhere: where === 'here' ? undefined : { credentialOf: () => '', inCall: (_call, _access, work) => work() },
      described,
      offer,
      poolOf: () => pool as ServerPool,
      waiting: createWaitingCalls('db'),
    }
    const relay = createRelay(options as RelayOptions)
    const error: unknown = await Promise.resolve(relay.callTool('query', {}, callOf(undefined))).catch(
      (problem: unknown) => problem,
    )
    assert.equal(released, 1)
    return error instanceof Error && 'code' in error && error.code === 'SERVER_TOOL_CHANGED' ? 'refused' : 'called'
  }
  const table = [
    ['the same', offer, 'called'],
    ['one that says the same', offerOf('Queries.'), 'called'],
    ['one that was not asked', undefined, 'called'],
    ['another description', offerOf('Deletes.'), 'refused'],
    ['one without the tool', { ...offer, tools: [] }, 'refused'],
  ] as const
  for (const [what, now, expected] of table) assert.equal(await called(now), expected, what)
  const alike = { ...offerOf('Queries.'), name: 'other' }
  assert.equal(await called(alike), 'called', 'what a command starts is what it says')
  assert.equal(await called(alike, 'elsewhere'), 'refused', 'what answers at an address may be anything')
  assert.equal(await called(offerOf('Queries.'), 'elsewhere'), 'called')
})

test('what a server asks, and says of no call, reaches its caller where that is the only one', async () => {
  for (const [isShared, count, expected] of [
    [true, 1, { asked: 0, logged: 1 }],
    [true, 2, { asked: 0, logged: 0 }],
    [false, 1, { asked: 1, logged: 1 }],
    [false, 2, { asked: 1, logged: 1 }],
  ] as const) {
    const heard = { asked: 0, logged: 0 }
    const server = fakeServer()
    await using pool = createServerPool({
      ...poolOptions,
      isShared,
      open: () => server.opened,
    })
    const asking = isShared ? FOR_ALL : { key: 'ann', capabilities: { elicitation: { form: {} } } }
    const lease = await pool.lease(asking, new AbortController())
    for (let call = 0; call < count; call++)
      lease.calls.add({
        isAsking: false,
        ask: async () => (heard.asked++, { action: 'decline' }),
        log: () => void heard.logged++,
      })
    server.say({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'for whom?' } })
    const params = { mode: 'form', message: 'Which?', requestedSchema: { type: 'object', properties: {} } }
    server.say({ jsonrpc: '2.0', id: 'q', method: 'elicitation/create', params })
    const answer = await server.answered('q')
    await setImmediate()
    assert.deepEqual(heard, expected, `${count} calls, ${isShared ? 'shared' : 'of one caller'}`)
    assert.equal('error' in answer, isShared)
    lease.release()
  }
})

const poolOptions: Omit<PoolOptions, 'isShared' | 'open'> = {
  instance: 'db',
  isRemote: false,
  verify: async () => {},
  listingAs: { key: 'listing', capabilities: {} },
  roots: undefined,
  max: 4,
  idleMs: () => 0,
  timeoutMs: 5_000,
  log: silentLogger,
  now: () => 0,
  random: () => 0,
  kept: { offer: offerOf('Queries.'), prior: { kind: 'legacy' } },
  onKnown() {},
  onChanged() {},
  onResourceChanged() {},
  onRestarted() {},
  onFailed() {},
}

/** A server of 2025 in this process. */
function fakeServer() {
  const answers = new Map<unknown, (message: object) => void>()
  const transport: OpenedTransport['transport'] = {
    start: async () => {},
    close: async () => transport.onclose?.(),
    async send(message) {
      if ('method' in message && message.method === 'initialize' && 'id' in message)
        transport.onmessage?.({
          jsonrpc: '2.0',
          id: message.id,
          result: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'db', version: '1' } },
        })
      else if (!('method' in message) && 'id' in message) answers.get(message.id)?.(message)
    },
  }
  return {
    opened: { transport } satisfies OpenedTransport,
    say: (message: object) => transport.onmessage?.(message as never),
    answered: (id: string) => new Promise<object>((resolve) => answers.set(id, resolve)),
  }
}

test('each tenant and each credential has connections of its own to a server elsewhere', () => {
  const keyOf = (tenant: string | undefined, credential: string) => {
    const request: Partial<CallRequest> = { principal: { id: 'ann', tenant, permissions: [], kind: 'apiKey' } }
    return askingElsewhere(FOR_ALL, request as CallRequest, credential).key
  }
  assert.equal(keyOf(undefined, ''), FOR_ALL.key)
  const keys = [
    FOR_ALL.key,
    keyOf('acme', ''),
    keyOf('umbrella', ''),
    keyOf(undefined, 'c'),
    keyOf('acme', 'c'),
    keyOf('umbrella', 'c'),
  ]
  assert.equal(new Set(keys).size, keys.length)
  assert.notEqual(keyOf('acme', 'c'), keyOf('acme', 'd'))
  assert.equal(keyOf('acme', 'c'), keyOf('acme', 'c'))
})
