import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request as send, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { decodeJwt } from 'jose'
import { createHost, type Host } from 'mcp-patchbay'
import { createServiceClient } from '../../../host/src/auth/accounts/service/service-client.ts'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import { createRedactor } from '../../../host/src/observability/redact.ts'
import { loginOverLoopback } from '../../../host/src/transport/accounts/loopback-login.ts'
import { discoverResource } from '../../../host/src/auth/accounts/service/remote-server.ts'
import { canBeRead } from '../../../host/src/transport/accounts/client-document.ts'
import { newKey } from '../../fixtures/auth/accounts.ts'
import { startAuthorizationServer, type AuthorizationServer } from '../../fixtures/auth/authorization-server.ts'
import { WebBrowser } from '../../fixtures/auth/web-browser.ts'
import { sourceTree } from '../../fixtures/plugins/source-tree.ts'
import { startServers } from '../../fixtures/servers/http-servers.mjs'

async function listen(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close().closeAllConnections())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const PUBLIC = 'https://house.example'
const UNUSED = { client_id: 'unused', client_secret: 'unused-secret' }

/** A server behind a gate: only tokens for itself are let through. */
async function gatedServer(t: TestContext, as: AuthorizationServer): Promise<{ base: string; callers: readonly unknown[] }> {
  const far = await startServers()
  t.after(() => far.close())
  const callers: unknown[] = []
  const base = await listen(t, (req, res) => {
    if (req.url === '/.well-known/oauth-protected-resource/modern')
      return void res
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ resource: `${base}/modern`, authorization_servers: [as.issuer], scopes_supported: ['read'] }))
    const [, token] = /^Bearer (.+)$/.exec(req.headers.authorization ?? '') ?? []
    const { aud, sub } = token === undefined ? {} : decodeJwt(token)
    if (aud !== `${base}/modern`) return void res.writeHead(401, { 'www-authenticate': 'Bearer' }).end()
    callers.push(sub)
    const { authorization: _, ...headers } = req.headers
    req.pipe(
      send(`${far.url}${req.url}`, { method: req.method ?? 'GET', headers }, (answer) => {
        answer.pipe(res.writeHead(answer.statusCode ?? 502, answer.headers))
      }),
    )
  })
  return { base, callers }
}

interface WikiOptions {
  readonly file: string
  readonly key: string
  readonly use: string
  readonly publicUrl?: string
}

async function wikiHost(t: TestContext, { file, key, use, publicUrl }: WikiOptions): Promise<{ host: Host; url: string }> {
  const host = await createHost(
    {
      plugins: [{ use, as: 'wiki', oauth: {} }],
      auth: { accounts: { store: './accounts', keyVariable: 'KEY' } },
      server: { title: 'The house' },
    },
    { file, env: { KEY: key }, patienceMs: Infinity },
  )
  t.after(() => host.close({ graceMs: 0 }))
  const { url = '' } = await host.listen({ http: { port: 0, ...(publicUrl !== undefined && { publicUrl }) } })
  return { host, url: new URL(url).origin }
}

test('an MCP server elsewhere says who grants access to it, and the host registers itself there', async (t) => {
  const as = await startAuthorizationServer(t, { client: UNUSED })
  const { base, callers } = await gatedServer(t, as)
  const tree = sourceTree({ 'mcp.config.ts': '' })
  t.after(() => tree[Symbol.dispose]())
  const key = newKey()
  const open = () => wikiHost(t, { file: tree.path('mcp.config.ts'), key, use: `mcp:${base}/modern` })

  const one = await open()
  assert.match(one.host.list().plugins[0]?.reason?.message ?? '', /401/)
  const browser = new WebBrowser('ada')
  const list = await browser.open(`${one.url}/accounts`)
  const done = await browser.press(list, 'Link wiki')
  assert.match(done.html, /Your account is linked/, done.html)
  const [linked] = (await one.host.accounts?.list({ kind: 'local', id: 'local' })) ?? []
  assert.deepEqual(linked?.record.scopes, ['read'])
  assert.ok(linked.record.registered?.clientId)

  // What the operator linked is what the next start lists with.
  const two = await open()
  assert.equal(two.host.list().plugins[0]?.state, 'active', JSON.stringify(two.host.list().plugins[0]?.reason))
  const answer = await two.host.call('wiki_echo', { text: 'through the gate' })
  assert.match(JSON.stringify(answer), /through the gate/)
  assert.deepEqual(new Set(callers), new Set(['ada']))
})

test('a host with a public address is known by what it says of itself, where the authorization server reads that', async (t) => {
  for (const isRead of [false, true]) {
    const found = new Map<string, string>()
    const here = ({ origin, pathname, search, href }: URL) => new URL(pathname + search, found.get(origin) ?? href)
    const as = await startAuthorizationServer(t, { client: UNUSED, ...(isRead && { documentAt: here }) })
    const { base, callers } = await gatedServer(t, as)
    const tree = sourceTree({ 'mcp.config.ts': '' })
    t.after(() => tree[Symbol.dispose]())
    const settings = { file: tree.path('mcp.config.ts'), key: newKey(), use: `mcp:${base}/modern` }
    const { host, url } = await wikiHost(t, { ...settings, publicUrl: PUBLIC })
    found.set(PUBLIC, url)

    const browser = new WebBrowser('ada', here)
    const done = await browser.press(await browser.open(`${PUBLIC}/accounts`), 'Link wiki')
    assert.match(done.html, /Your account is linked/, done.html)
    const [linked] = (await host.accounts?.list({ kind: 'local', id: 'local' })) ?? []
    const document = `${PUBLIC}/accounts/client/wiki.json`
    assert.equal(linked?.record.registered?.clientId === document, isRead)
    const next = await wikiHost(t, settings)
    assert.match(JSON.stringify(await next.host.call('wiki_echo', { text: 'by a document' })), /by a document/)
    assert.ok(callers.includes('ada'))

    const read = async (instance: string) => {
      const answer = await fetch(`${url}/accounts/client/${instance}.json`, { redirect: 'manual' })
      return (await answer.json()) as Record<string, unknown>
    }
    const { client_id: id, client_name: name, redirect_uris: redirectUris } = await read('wiki')
    assert.deepEqual([id, name, redirectUris], [document, 'The house', [`${PUBLIC}/accounts/callback/wiki`]])
    // It does not tell which services there are.
    const other = JSON.stringify(await read('absent'))
    assert.equal(other.replaceAll('absent', 'wiki'), JSON.stringify(await read('wiki')))
  }
})

test('without a public https address a host has no document of itself', async (t) => {
  const tree = sourceTree({ 'mcp.config.ts': '' })
  t.after(() => tree[Symbol.dispose]())
  const host = await createHost(
    { plugins: [], auth: { accounts: { store: './accounts', keyVariable: 'KEY' } } },
    { file: tree.path('mcp.config.ts'), env: { KEY: newKey() } },
  )
  t.after(() => host.close({ graceMs: 0 }))
  const { url = '' } = await host.listen({ http: { port: 0 } })
  assert.equal((await fetch(new URL('/accounts', url))).status, 200)
  assert.equal((await fetch(new URL('/accounts/client/wiki.json', url))).status, 404)
  const table = [
    undefined,
    'http://house.example',
    'http://127.0.0.1:3000',
    'https://localhost:3000',
    PUBLIC,
    `${PUBLIC}/team/mcp`,
  ]
  assert.deepEqual(
    table.map((publicUrl) => canBeRead(publicUrl)),
    [false, false, false, false, true, true],
  )
})

test("a server's metadata that is of another one, or leads the host elsewhere, is not taken", async () => {
  const table: [document: object, address: string, taken: boolean][] = [
    [{ resource: 'https://mcp.example/mcp', authorization_servers: ['https://id.example'] }, 'https://mcp.example/mcp', true],
    [{ resource: 'https://mcp.example', authorization_servers: ['https://id.example'] }, 'https://mcp.example/mcp', true],
    [{ resource: 'https://mcp.example/mc', authorization_servers: ['https://id.example'] }, 'https://mcp.example/mcp', false],
    [{ resource: 'https://evil.example/mcp', authorization_servers: ['https://id.example'] }, 'https://mcp.example/mcp', false],
    [{ resource: 'https://mcp.example/mcp', authorization_servers: ['http://id.example'] }, 'https://mcp.example/mcp', false],
    [{ resource: 'https://mcp.example/mcp', authorization_servers: ['http://127.0.0.1:9200'] }, 'https://mcp.example/mcp', false],
    [{ resource: 'https://mcp.example/mcp', authorization_servers: ['https://localhost'] }, 'https://mcp.example/mcp', false],
    [{ resource: 'https://mcp.example/mcp', authorization_servers: [] }, 'https://mcp.example/mcp', false],
    [{ resource: 'https://mcp.example/mcp' }, 'https://mcp.example/mcp', false],
    [{ authorization_servers: ['https://id.example'] }, 'https://mcp.example/mcp', false],
  ]
  for (const [document, address, taken] of table) {
    const asked = discoverResource(address, async () => Response.json(document))
    if (taken) assert.equal((await asked).issuer, 'https://id.example')
    else await assert.rejects(asked, { code: 'UPSTREAM_FAILED' }, JSON.stringify(document))
  }
  await assert.rejects(
    discoverResource('https://mcp.example/mcp', async () => new Response(null, { status: 404 })),
    {
      message: /says nothing of who may grant access to it/,
    },
  )
})

test('a browser is sent to web addresses only, and by a server in the world never to one of its own machine', async () => {
  const table: [endpoint: string, taken: boolean][] = [
    ['https://id.example/authorize', true],
    ['javascript:alert(1)', false],
    ['data:text/html,<script>alert(1)</script>', false],
    ['file:///etc/passwd', false],
    ['http://id.example/authorize', false],
    ['https://user:password@id.example/authorize', false],
    ['http://127.0.0.1:9200/_shutdown', false],
    ['https://localhost/authorize', false],
  ]
  for (const [endpoint, taken] of table) {
    const client = createServiceClient({
      instance: 'wiki',
      oauth: { scopes: [] },
      clientSecret: undefined,
      server: 'https://mcp.example/mcp',
      now: () => 0,
      redactor: createRedactor(),
      log: silentLogger,
      fetch: async (url) => {
        const { hostname, pathname } = new URL(url)
        if (hostname === 'mcp.example')
          return Response.json({
            resource: 'https://mcp.example/mcp',
            authorization_servers: ['https://id.example'],
            scopes_supported: ['read'],
          })
        if (pathname !== '/.well-known/openid-configuration') return new Response(null, { status: 404 })
        return Response.json({
          issuer: 'https://id.example',
          authorization_endpoint: endpoint,
          token_endpoint: 'https://id.example/token',
        })
      },
    })
    const flow = { redirectUri: 'https://host.example/cb', state: 's', verifier: 'v'.repeat(43), registered: { clientId: 'c' } }
    if (taken) {
      const url = await client.authorizationUrl(flow)
      assert.equal(url.searchParams.get('resource'), 'https://mcp.example/mcp', 'the server is named (RFC 8707)')
      assert.deepEqual(await client.askedScopes(), ['read'])
      assert.equal(await client.authorizationHost(), 'id.example')
    } else {
      await assert.rejects(
        client.authorizationUrl(flow),
        { code: 'UPSTREAM_FAILED', message: /that a browser may be sent to/ },
        endpoint,
      )
      await assert.rejects(client.authorizationHost(), { code: 'UPSTREAM_FAILED' }, endpoint)
    }
    await client[Symbol.asyncDispose]()
  }
})

test('what knocks on the port of a log-in on this machine does not end it', async () => {
  const asked = Promise.withResolvers<string>()
  const end = new AbortController()
  const flows: unknown[] = []
  const client = {
    register: async () => undefined,
    authorizationUrl: async (flow: { redirectUri: string; state: string }) => {
      flows.push(flow)
      return new URL(`https://id.example/?to=${encodeURIComponent(flow.redirectUri)}&state=${flow.state}`)
    },
    exchange: async (cameBackTo: URL) => ({ accessToken: cameBackTo.searchParams.get('code') ?? '', scopes: [] }),
  } as unknown as Parameters<typeof loginOverLoopback>[0]['client']
  const done = loginOverLoopback({ client, instance: 'wiki', port: 0, onAddress: asked.resolve, signal: end.signal })
  const sent = new URL(await asked.promise)
  const back = new URL(sent.searchParams.get('to') ?? '')
  const state = sent.searchParams.get('state') ?? ''
  for (const path of [
    '//[',
    '//',
    'http://[',
    `//evil.example${back.pathname}?state=${state}&code=evil`,
    '*',
    `${back.pathname}?state=x&code=evil`,
  ]) {
    const request = send({ host: '127.0.0.1', port: back.port, path })
    request.end()
    const [answer] = (await once(request, 'response')) as [IncomingMessage]
    answer.resume()
    assert.equal(answer.statusCode, 400, path)
  }
  const answer = await fetch(`${back.href}?state=${state}&code=good`)
  assert.equal(answer.status, 200)
  await answer.text()
  assert.equal((await done).accessToken, 'good')
})
