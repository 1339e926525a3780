import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text as readAll } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client'
import { Client as OlderClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as OlderHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { decodeJwt } from 'jose'
import {
  definePlugin,
  defineTool,
  hasCredential,
  Secret,
  Type,
  type CallContext,
  type HttpClient,
} from '@mcp-patchbay/plugin-api'
import {
  addressIn,
  callTool,
  SERVICE_CLIENT,
  startAccountWorld,
  type AccountWorld,
  type WorldHost,
} from '../../fixtures/auth/account-world.ts'
import { newKey, openTestAccounts } from '../../fixtures/auth/accounts.ts'
import { scopesToAsk } from '../../../host/src/auth/accounts/more-scopes.ts'
import { TICKET_MS } from '../../../host/src/auth/accounts/tickets.ts'
import type { ServiceClient } from '../../../host/src/auth/accounts/types.ts'
import { systemClock } from '../../../host/src/network/resilience/clock.ts'
import { sourceTree } from '../../fixtures/plugins/source-tree.ts'
import { WebBrowser } from '../../fixtures/auth/web-browser.ts'
import { startServers } from '../../fixtures/servers/http-servers.mjs'

/** One world for all: callers with tokens of the company, and an MCP server elsewhere with an authorization server of its own. */
let world: AccountWorld
let one: WorldHost
let base: string
/** What the server wants of a person's token before it runs a tool. */
const wanted = new Map<string, string>()
/** Refused whatever their tokens hold. */
const never = new Set<string>()
/** Every token that reached the server, whose calls it saw, and whose tools ran. */
const tokens = new Set<string>()
const tried: string[] = []
const ran: string[] = []
const ends: (() => unknown)[] = []

before(async () => {
  const t = { after: (end: () => unknown) => void ends.push(end) }
  base = await startGate()
  world = await startAccountWorld(t, {
    sessions: 'stateful',
    entry: { use: `mcp:${base}/modern`, as: 'wiki', oauth: {}, config: {} },
  })
  one = world.hosts[0] ?? assert.fail()
})
after(async () => {
  for (const end of ends.toReversed()) await end()
})

/** Anybody may list; a tool runs with a token for this server that has the scopes. */
async function startGate(): Promise<string> {
  const far = await startServers()
  ends.push(() => far.close())
  const gate = createServer((req, res) => {
    const answer = async () => {
      if (req.url === '/.well-known/oauth-protected-resource/modern') {
        res.writeHead(200, { 'content-type': 'application/json' }).end(
          JSON.stringify({
            resource: `${base}/modern`,
            authorization_servers: [world.service.issuer],
            scopes_supported: ['read'],
          }),
        )
        return
      }
      const body = await readAll(req)
      if (req.url === '/api') return serveApi(req, res)
      const [, token] = /^Bearer (.+)$/.exec(req.headers.authorization ?? '') ?? []
      if (token !== undefined) tokens.add(token)
      if (body.includes('"tools/call"')) {
        const { aud, sub = '', scope } = token === undefined ? {} : decodeJwt<{ scope?: string }>(token)
        if (aud !== `${base}/modern`) return void res.writeHead(401, { 'www-authenticate': 'Bearer' }).end()
        tried.push(sub)
        const needs = wanted.get(sub) ?? ''
        const has = new Set(scope?.split(' '))
        if (never.has(sub) || needs.split(' ').some((one) => one !== '' && !has.has(one))) {
          const challenge = `Bearer error="insufficient_scope", scope="${needs}", resource_metadata="${base}/x"`
          return void res.writeHead(403, { 'www-authenticate': challenge }).end()
        }
        ran.push(sub)
      }
      const { authorization: _, ...headers } = req.headers
      send(`${far.url}${req.url}`, { method: req.method ?? 'GET', headers }, (from) => {
        from.pipe(res.writeHead(from.statusCode ?? 502, from.headers))
      }).end(body)
    }
    answer().catch((error: unknown) => res.destroy(error as Error))
  }).listen(0, '127.0.0.1')
  await once(gate, 'listening')
  ends.push(() => gate.close().closeAllConnections())
  return `http://127.0.0.1:${(gate.address() as AddressInfo).port}`
}

/** An API that wants more of the first token of each person. */
async function serveApi(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const [, token = ''] = /^Bearer (.+)$/.exec(req.headers.authorization ?? '') ?? []
  const who = (await world.service.whose(token)) ?? 'nobody'
  const first = firsts.get(who) ?? token
  firsts.set(who, first)
  if (token !== first) return void res.writeHead(200, { 'content-type': 'text/plain' }).end('it ran')
  const challenge = 'Bearer error="insufficient_scope", scope="write"'
  res.writeHead(403, { 'www-authenticate': challenge, 'content-type': 'text/plain' }).end('not with this token')
}
const firsts = new Map<string, string>()

const apiPlugin = definePlugin({
  name: 'desk',
  config: Type.Object({ apiUrl: Type.String(), personalToken: Type.Optional(Secret()) }),
  isAuthConfigured: hasCredential,
  createClient: ({ http }) => http,
  tools: [
    defineTool({
      name: 'peek',
      description: 'Reads.',
      access: 'read',
      input: Type.Object({}),
      run: (_, { client }: CallContext<HttpClient>) => client.text('/api'),
    }),
    defineTool({
      name: 'poke',
      description: 'Writes.',
      access: 'write',
      input: Type.Object({}),
      run: (_, { client }: CallContext<HttpClient>) => client.text('/api', { method: 'POST', body: {} }),
    }),
  ],
})

const echo = { name: 'wiki_echo', arguments: { text: 'it ran' } }
/** A client that can be asked nothing. */
const callAs = async (person: string) => callTool({ base: one.base, headers: await one.headers(person), ...echo })

/** Links an account with the scopes that everybody is asked for. */
async function link(person: string): Promise<WebBrowser> {
  const browser = new WebBrowser(person)
  const done = await browser.press(await browser.open(addressIn((await callAs(person)).text)), 'Go on to')
  assert.match(done.html, /Your account is linked/)
  return browser
}

const info = { name: 'test', version: '1' }
const capabilities = { elicitation: { form: {}, url: {} } }
interface Asked {
  readonly url?: string
  readonly message: string
}
type Asking = (asked: Asked) => 'accept' | 'decline'
const textOf = (result: unknown) => (result as { content: { text?: string }[] }).content.map(({ text }) => text ?? '').join('')

const eras: Readonly<Record<string, (person: string, ask: Asking) => Promise<() => Promise<string>>>> = {
  async '2025-11-25'(person, ask) {
    const client = new OlderClient(info, { capabilities })
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => ({ action: ask(params as Asked) }))
    await client.connect(new OlderHttp(new URL(`${one.base}/mcp`), { requestInit: { headers: await one.headers(person) } }))
    ends.push(() => client.close())
    return async () => textOf(await client.callTool(echo))
  },
  async '2026-07-28'(person, ask) {
    const client = new ModernClient(info, { versionNegotiation: { mode: 'auto' }, capabilities })
    client.setRequestHandler('elicitation/create', ({ params }) => ({ action: ask(params as Asked) }))
    await client.connect(new ModernHttp(new URL(`${one.base}/mcp`), { requestInit: { headers: await one.headers(person) } }))
    ends.push(() => client.close())
    return async () => textOf(await client.callTool(echo))
  },
}

for (const [era, connect] of Object.entries(eras)) {
  const year = era.slice(0, 4)

  test(`a call of a ${era} client that lacks scopes asks for them, and goes on when the account is linked with them`, async () => {
    const person = `ada-${year}`
    const browser = await link(person)
    wanted.set(person, 'read write')
    const asked: Asked[] = []
    let linking = Promise.resolve('')
    const call = await connect(person, (question) => {
      asked.push(question)
      // The answer comes before the person is done in the browser.
      linking = browser.open(question.url ?? '').then(async (consent) => {
        await browser.press(consent, 'Go on to')
        return consent.html
      })
      return 'accept'
    })
    assert.equal(await call(), 'it ran')
    const consent = await linking
    assert.match(consent, /Access that is asked for<\/dt><dd>.*read.*write/)
    assert.match(consent, /New: more than your account has<\/dt><dd><ul><li>write<\/li><\/ul>/)
    assert.equal(asked.length, 1)
    assert.match(asked[0]?.message ?? '', /^wiki needs more access for this call than your account is linked with: write\./)
    assert.equal(await call(), 'it ran')
    assert.equal(asked.length, 1)
    const list = await browser.open(`${one.base}/accounts`)
    assert.match(list.html, /<td>linked<\/td>/)
    assert.match(list.html, /<td>read, write<\/td>/)
  })

  test(`a ${era} client is asked in one call for an account and for more scopes, and for the same scopes never twice`, async () => {
    const person = `bea-${year}`
    wanted.set(person, 'write')
    never.add(person)
    const browser = new WebBrowser(person)
    const asked: string[] = []
    let linking: Promise<unknown> = Promise.resolve()
    const call = await connect(person, ({ message, url }) => {
      asked.push(message)
      linking = browser.open(url ?? '').then((consent) => browser.press(consent, 'Go on to'))
      return 'accept'
    })
    const refused = await call()
    await linking
    assert.deepEqual(
      asked.map((message) => /none is linked|write/.exec(message)?.[0]),
      ['none is linked', 'write'],
    )
    assert.match(refused, /wiki refuses this call for want of access that your account was linked with already: write/)
    assert.doesNotMatch(refused, /ticket=/)
    assert.equal(await call(), refused)
    assert.equal(asked.length, 2)
    assert.equal(ran.includes(person), false)
  })

  test(`a ${era} client whose user declines is told the address, and the call is not made once more`, async () => {
    const person = `cleo-${year}`
    await link(person)
    wanted.set(person, 'write')
    const call = await connect(person, () => 'decline')
    assert.match(addressIn(await call()), /ticket=/)
    assert.deepEqual(
      tried.filter((one) => one === person),
      [person],
    )
  })
}

test('a client that can be asked nothing is told which scopes and where, and what is linked goes on for other calls', async () => {
  const browser = await link('dora')
  assert.equal((await callAs('dora')).text, 'it ran')
  wanted.set('dora', 'write')
  const refused = await callAs('dora')
  assert.equal(refused.isError, true)
  assert.match(refused.text, /wiki needs more access for this call than your account is linked with: write/)
  assert.match((await browser.open(`${one.base}/accounts`)).html, /linked; the service asked for more: write/)
  wanted.delete('dora')
  assert.equal((await callAs('dora')).text, 'it ran')
  wanted.set('dora', 'write')
  assert.match((await browser.press(await browser.open(addressIn(refused.text)), 'Go on to')).html, /Your account is linked/)
  assert.equal((await callAs('dora')).text, 'it ran')
})

test('a person is sent to the service for what the page named, and not for what was asked for since', async () => {
  const browser = await link('eve')
  wanted.set('eve', 'write')
  const consent = await browser.open(addressIn((await callAs('eve')).text))
  wanted.set('eve', 'admin')
  const later = await callAs('eve')
  const stop = { stopAt: `${world.service.issuer}/auth` }
  const sent = async (page: typeof consent, fields = {}) =>
    (await browser.press(page, 'Go on to', { ...stop, fields })).url.searchParams.get('scope')
  assert.equal(await sent(consent), 'read write')
  // What the form of a page is made to say adds nothing.
  const again = await browser.open(addressIn((await callAs('eve')).text))
  assert.match(again.html, /<li>write<\/li><li>admin<\/li>/)
  assert.equal(await sent(again, { more: 'write root' }), 'read write')
  assert.match(later.text, /linked with: admin/)
})

test('a server that asks for ever more scopes is told to the caller, who is asked for no more', async () => {
  await link('finn')
  const many = (name: string) => Array.from({ length: 20 }, (_, index) => `${name}${index}`).join(' ')
  wanted.set('finn', many('a'))
  assert.match((await callAs('finn')).text, /needs more access .* a0 a1 /)
  wanted.set('finn', many('b'))
  const refused = await callAs('finn')
  assert.match(refused.text, /wiki asks for more and more access than your account is linked with, now: b0 b1 /)
  assert.doesNotMatch(refused.text, /ticket=/)
})

test("two people's calls reach the server with a token of each, and no token that they came with ever does", async () => {
  const people = ['gina', 'hugo']
  for (const person of people) await link(person)
  tokens.clear()
  ran.length = 0
  const answers = await Promise.all([...people, ...people].map((person) => callAs(person)))
  assert.deepEqual(new Set(answers.map(({ text }) => text)), new Set(['it ran']))
  assert.deepEqual(ran.toSorted(), ['gina', 'gina', 'hugo', 'hugo'])
  const seen = [...tokens].map((token) => decodeJwt(token))
  assert.deepEqual(new Set(seen.map(({ iss }) => iss)), new Set([world.service.issuer]))
  assert.deepEqual(
    seen.map(({ sub = '' }) => sub).toSorted((a, b) => a.localeCompare(b)),
    people,
  )
  for (const person of people) {
    const { authorization = '' } = await one.headers(person)
    assert.equal(tokens.has(authorization.replace('Bearer ', '')), false)
  }
})

test("a plugin's call that reads asks and is made once more; one that writes says where, since it may have written before", async () => {
  const host = await world.addHost({
    entry: {
      use: apiPlugin,
      as: 'desk',
      config: { apiUrl: base },
      oauth: {
        issuer: world.service.issuer,
        clientId: SERVICE_CLIENT.client_id,
        clientSecretVariable: 'HUB_CLIENT_SECRET',
        scopes: ['openid', 'read'],
      },
    },
  })
  const asked: string[] = []
  const scopes: (string | null)[] = []
  let linking: Promise<unknown> = Promise.resolve()
  const open = async (person: string, address: string) => {
    const browser = new WebBrowser(person)
    const { way } = await browser.press(await browser.open(address), 'Go on to')
    const sent = way.find((url) => url.startsWith(`${world.service.issuer}/auth?`)) ?? ''
    scopes.push(new URL(sent).searchParams.get('scope'))
  }
  const connect = async (person: string) => {
    const client = new ModernClient(info, { versionNegotiation: { mode: 'auto' }, capabilities })
    client.setRequestHandler('elicitation/create', ({ params }) => {
      asked.push(params.message)
      linking = open(person, (params as Asked).url ?? '')
      return { action: 'accept' }
    })
    await client.connect(new ModernHttp(new URL(`${host.base}/mcp`), { requestInit: { headers: await host.headers(person) } }))
    ends.push(() => client.close())
    return async (name: string) => textOf(await client.callTool({ name, arguments: {} }))
  }
  const reads = await connect('ida')
  assert.equal(await reads('desk_peek'), 'it ran')
  await linking
  assert.deepEqual(
    asked.map((message) => /none is linked|write/.exec(message)?.[0]),
    ['none is linked', 'write'],
  )
  assert.deepEqual(scopes.splice(0), ['openid read', 'openid read write'])

  const writes = await connect('jan')
  const refused = await writes('desk_poke')
  await linking
  assert.match(refused, /desk needs more access for this call than your account is linked with: write/)
  assert.equal(asked.length, 3, 'only for the account')
  await open('jan', addressIn(refused))
  assert.equal(await writes('desk_poke'), 'it ran')
})

test('what a person left alone is not asked for with what another call needs later', async (t) => {
  const tree = sourceTree({})
  t.after(() => tree[Symbol.dispose]())
  let now = 1_000_000
  const clock = { ...systemClock, now: () => now }
  const client = { id: 'the client', askedScopes: async () => ['read'] } as unknown as ServiceClient
  const { accounts } = openTestAccounts({ dir: tree.root, keys: [newKey()], client, clock })
  const ann = { principal: { tenant: undefined, kind: 'oauth', id: 'ann' }, instance: 'wiki' } as const
  await accounts.link(ann, { accessToken: 'a-token-of-ann', scopes: ['read'], asked: ['read'], client: client.id })
  const lack = async (...scopes: string[]) => {
    const used = await accounts.use(ann)
    used?.lacks(scopes)
    await used?.lacking()
    const [linked] = await accounts.list(ann.principal)
    return scopesToAsk(client, linked?.record)
  }
  await lack('a')
  assert.deepEqual(await lack('b', 'read'), { all: ['read', 'a', 'b'], added: ['a', 'b'] }, 'calls side by side')
  now += TICKET_MS
  assert.deepEqual(await lack('c'), { all: ['read', 'c'], added: ['c'] })
  // Another client in the config is asked for nothing of this one's.
  const [linked] = await accounts.list(ann.principal)
  assert.deepEqual(await scopesToAsk({ ...client, id: 'another' }, linked?.record), { all: undefined, added: [] })
})
