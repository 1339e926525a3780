import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { EmbeddedConfig } from 'mcp-patchbay'
import { makeKey } from '../../../host/src/auth/inbound/keys/api-key.ts'
import { guardedHost, type GuardedHost } from '../../fixtures/http/guarded-host.ts'
import { guardedHttp } from '../../fixtures/http/guarded-http.ts'
import { HOST_CLIENT, startIdentityProvider, type IdentityProvider } from '../../fixtures/auth/identity-provider.ts'
import { RESOURCE, startJwksServer, type JwksServer } from '../../fixtures/auth/jwks-server.ts'
import { RawSession } from '../../fixtures/http/raw-session.ts'

const WELL_KNOWN = '/.well-known/oauth-protected-resource'
type Auth = NonNullable<EmbeddedConfig['auth']>
type OAuth = NonNullable<NonNullable<Auth['inbound']>['oauth']>

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** A host that publishes three scopes: one grants reading, one all tools of the demo, one the tool that asks for `admin` itself. */
async function scoped(t: TestContext, oauth: Partial<OAuth> = {}): Promise<{ guarded: GuardedHost; issuer: JwksServer }> {
  const issuer = await startJwksServer(t)
  const guarded = await guardedHost(t, {
    auth: {
      inbound: {
        mode: 'oauth',
        oauth: {
          resource: RESOURCE,
          scopes: ['tools:read', 'tools:write', 'admin', 'offline_access'],
          issuers: [{ issuer: issuer.issuer }],
          ...oauth,
        },
      },
      permissions: {
        'tools:read': ['demo_echo', 'demo_whoami'],
        'tools:write': ['demo_*'],
        admin: ['demo_admin'],
        unpublished: ['demo_items'],
      },
      implies: { root: ['tools:write', 'tools:read'] },
    },
  })
  return { guarded, issuer }
}

test('says where tokens come from, from the config alone', async (t) => {
  const { guarded, issuer } = await scoped(t)
  for (const path of [WELL_KNOWN, `${WELL_KNOWN}/mcp`]) {
    const url = new URL(path, guarded.url)
    const response = await fetch(url)
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('content-type'), 'application/json')
    assert.deepEqual(await response.json(), {
      resource: RESOURCE,
      authorization_servers: [issuer.issuer],
      scopes_supported: ['tools:read', 'tools:write', 'admin'],
      bearer_methods_supported: ['header'],
    })
    const head = await fetch(url, { method: 'HEAD' })
    assert.deepEqual([head.status, await head.text()], [200, ''])
    const options = await fetch(url, { method: 'OPTIONS' })
    assert.deepEqual([options.status, options.headers.get('allow')], [204, 'GET, HEAD'])
    const posted = await fetch(url, { method: 'POST' })
    assert.deepEqual([posted.status, posted.headers.get('allow')], [405, 'GET, HEAD'])
  }
  for (const path of [`${WELL_KNOWN}/other`, `${WELL_KNOWN}/`, '/.well-known/oauth-authorization-server'])
    assert.equal((await fetch(new URL(path, guarded.url))).status, 404)
})

test('derives the resource from the public address of the listener', async (t) => {
  const issuer = await startJwksServer(t)
  const guarded = await guardedHost(t, {
    auth: { inbound: { mode: 'oauth', oauth: { issuers: [{ issuer: issuer.issuer }] } } },
    config: { listen: { http: { publicUrl: 'https://example.com/tools/' } } },
    http: { publicUrl: 'https://example.com/tools/' },
  })
  const resource = 'https://example.com/tools/mcp'
  const document = (await (await fetch(new URL(`${WELL_KNOWN}/tools/mcp`, guarded.url))).json()) as { resource: string }
  assert.equal(document.resource, resource)
  const { headers } = await guarded.client.post('tools/list')
  assert.match(
    headers.get('www-authenticate') ?? '',
    /resource_metadata="https:\/\/example\.com\/\.well-known\/oauth-protected-resource\/tools\/mcp"/,
  )
  assert.equal((await guarded.as(await issuer.sign({ aud: resource }))).status, 200)
})

test('has no such page where callers bring API keys', async (t) => {
  const guarded = await guardedHost(t, { auth: { inbound: { mode: 'apiKey' } } })
  assert.equal((await fetch(new URL(WELL_KNOWN, guarded.url))).status, 404)
})

test('answers a call that lacks a scope with all that it needs, in every era', async (t) => {
  const { guarded, issuer } = await scoped(t)
  const reader = bearer(await issuer.sign({ scope: 'tools:read' }))
  const metadata = 'https://mcp.example.com/.well-known/oauth-protected-resource/mcp'
  const expected = (scopes: string) => ({
    status: 403,
    challenge: `Bearer error="insufficient_scope", scope="${scopes}", resource_metadata="${metadata}"`,
  })
  const modern = async (name: string) => {
    const { status, headers, text } = await guarded.client.call(name, {}, reader)
    assert.deepEqual((JSON.parse(text) as { id: unknown }).id, 1)
    return { status, challenge: headers.get('www-authenticate') }
  }
  assert.deepEqual(await modern('demo_delete'), expected('tools:write'))
  assert.deepEqual(await modern('demo_admin'), expected('admin'), 'its own permission grants it too')

  const session = await RawSession.open(guarded.url, reader)
  const call = (name: string) => ({ jsonrpc: '2.0', id: 5, method: 'tools/call', params: { name, arguments: {} } })
  const older = await session.request('POST', {}, call('demo_delete'))
  assert.deepEqual(
    { status: older.status, challenge: older.headers.get('www-authenticate') },
    expected('tools:read tools:write'),
    'a client of 2025 puts what it is told in the place of what it has',
  )
  const again = await session.request('POST', {}, call('demo_delete'))
  assert.equal(again.status, 403, 'the id of the refused one is free again')
  const more = bearer(await issuer.sign({ scope: 'tools:write' }))
  const stepped = await session.request('POST', more, call('demo_delete'))
  assert.equal(stepped.status, 200)
  assert.match(await stepped.text(), /gone/)
})

test('answers so over HTTP+SSE as well', async (t) => {
  const { guarded, issuer } = await scoped(t)
  const reader = bearer(await issuer.sign({ scope: 'tools:read' }))
  const stream = await fetch(new URL('/sse', guarded.url), { headers: reader })
  const events = stream.body?.pipeThrough(new TextDecoderStream()).getReader()
  const { value = '' } = (await events?.read()) ?? {}
  const endpoint = new URL(/data: (\S+)/.exec(value)?.[1] ?? assert.fail(value), guarded.url)
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'demo_delete', arguments: {} } })
  const post = (who: Record<string, string>) =>
    fetch(endpoint, { method: 'POST', headers: { ...who, 'content-type': 'application/json' }, body })
  const refused = await post(reader)
  assert.equal(refused.status, 403)
  assert.match(refused.headers.get('www-authenticate') ?? '', /scope="tools:read tools:write"/)
  assert.equal((await post(bearer(await issuer.sign({ scope: 'tools:write' })))).status, 202)
  await events?.cancel()
})

test('hides what no published scope would open, also from who could ask for more', async (t) => {
  const { guarded, issuer } = await scoped(t, { scopes: ['tools:read'] })
  const reader = bearer(await issuer.sign({ scope: 'tools:read' }))
  const hidden = await guarded.client.call('demo_delete', {}, reader)
  const absent = await guarded.client.call('demo_delexe', {}, reader)
  assert.equal(hidden.status, absent.status)
  assert.equal(hidden.text, absent.text.replace('demo_delexe', 'demo_delete'))
})

test('hides with published scopes what another rule hides', async (t) => {
  const { guarded, issuer } = await scoped(t)
  const reader = await issuer.sign({ scope: 'tools:read' })
  const narrowed = await guarded.client.call('demo_delete', {}, { ...bearer(reader), 'x-patchbay-read-only': 'true' })
  assert.match(narrowed.text, /Unknown tool/)
  assert.match((await guarded.client.call('demo_nothing', {}, bearer(reader))).text, /Unknown tool/)
})

test('counts what a scope implies', async (t) => {
  const { guarded, issuer } = await scoped(t)
  assert.match((await guarded.client.call('demo_delete', {}, bearer(await issuer.sign({ scope: 'root' })))).text, /gone/)
})

test('keeps one caller’s list from another', async (t) => {
  const { guarded, issuer } = await scoped(t)
  const admin = bearer(await issuer.sign({ sub: 'root', scope: 'tools:write admin' }))
  const reader = bearer(await issuer.sign({ scope: 'tools:read' }))
  for (let round = 0; round < 3; round++) {
    assert.ok((await guarded.client.tools(admin)).includes('demo_admin'))
    assert.deepEqual(await guarded.client.tools(reader), ['demo_echo', 'demo_whoami'])
  }
  const { text } = await guarded.client.post('tools/list', {}, reader)
  assert.equal((JSON.parse(text) as { result: { cacheScope: string } }).result.cacheScope, 'private')
})

test('lets nobody into the session of another, nor of the same name at another issuer', async (t) => {
  const [one, other] = [await startJwksServer(t), await startJwksServer(t)]
  const guarded = await guardedHost(t, {
    auth: {
      inbound: { mode: 'oauth', oauth: { resource: RESOURCE, issuers: [{ issuer: one.issuer }, { issuer: other.issuer }] } },
    },
  })
  const session = await RawSession.open(guarded.url, bearer(await one.sign()))
  for (const thief of [await one.sign({ sub: 'bob' }), await other.sign(), await one.sign({ tenant: 'b' })])
    assert.equal((await new RawSession(guarded.url, session.id, bearer(thief)).post('tools/list')).status, 404)
  const renewed = new RawSession(guarded.url, session.id, bearer(await one.sign({ jti: 'another token of ada' })))
  assert.equal((await renewed.post('tools/list')).status, 200)
})

test('tells API keys from tokens by their form, and tries neither as the other', async (t) => {
  const issuer = await startJwksServer(t)
  const { key, hash } = makeKey('ci')
  const guarded = await guardedHost(t, {
    auth: {
      inbound: {
        mode: 'any',
        keys: [{ id: 'ci', hash, scopes: [] }],
        oauth: { resource: RESOURCE, issuers: [{ issuer: issuer.issuer }] },
      },
    },
  })
  const token = await issuer.sign()
  guarded.hide(key, token)
  assert.match((await guarded.client.call('demo_whoami', {}, bearer(key))).text, /key:ci/)
  assert.equal((await guarded.as(token)).status, 200)
  assert.equal((await guarded.client.post('tools/list', {}, { 'x-api-key': token })).status, 401)
  assert.equal((await guarded.client.post('tools/list', {}, { ...bearer(token), 'x-api-key': key })).status, 400)
  const { status, headers } = await guarded.as(makeKey('ci').key)
  assert.equal(status, 401)
  assert.match(headers.get('www-authenticate') ?? '', /resource_metadata=/)
})

test('takes no token from the address, and logs none', async (t) => {
  const issuer = await startJwksServer(t)
  const guarded = await guardedHost(t, {
    auth: { inbound: { mode: 'oauth', oauth: { resource: RESOURCE, issuers: [{ issuer: issuer.issuer }] } } },
  })
  const token = await issuer.sign()
  guarded.hide(token)
  const headers = { 'content-type': 'application/json' }
  const at = new URL(`?access_token=${token}`, guarded.url)
  assert.equal((await fetch(at, { method: 'POST', headers, body: '{}' })).status, 401)
  assert.equal((await fetch(at, { method: 'POST', headers: { ...headers, ...bearer(token) }, body: '{}' })).status, 400)
})

const OPAQUE = 'https://mcp.example.com/opaque'

function introspecting(provider: IdentityProvider, more: object = {}): Auth {
  const introspection = {
    url: provider.introspectionUrl,
    clientId: HOST_CLIENT.client_id,
    clientSecretVariable: 'HOST_CLIENT_SECRET',
    ...more,
  }
  return { inbound: { mode: 'oauth', oauth: { resource: OPAQUE, issuers: [{ issuer: provider.issuer, introspection }] } } }
}
const env = { HOST_CLIENT_SECRET: HOST_CLIENT.client_secret }

test('asks the issuer about a token that is no JWT, and no longer believes it when it is revoked', async (t) => {
  let now = Date.now()
  const provider = await startIdentityProvider(t)
  const guarded = await guardedHttp(t, { auth: introspecting(provider), env, now: () => now })
  const token = await provider.token({ resource: OPAQUE, scope: 'issues:read' })
  assert.match(String(await guarded.whoIs(token)), /of acme$/)
  await provider.revoke(token)
  now += 29_000
  assert.match(String(await guarded.whoIs(token)), /of acme$/, 'what the issuer said half a minute ago counts')
  now += 2_000
  assert.equal(await guarded.whoIs(token), 401)
})

test('takes no token from introspection that is for another service, or that the issuer does not know', async (t) => {
  const provider = await startIdentityProvider(t)
  const guarded = await guardedHttp(t, { auth: introspecting(provider), env, now: Date.now })
  assert.equal(await guarded.whoIs(await provider.token({ resource: 'https://mcp.example.com/other/opaque' })), 401)
  assert.equal(await guarded.whoIs('made-up'), 401)
})

test('says 503 while the issuer cannot be asked about a token', async (t) => {
  const provider = await startIdentityProvider(t)
  const broken = await startJwksServer(t)
  const auth = introspecting(provider, { url: `${broken.issuer}/introspection` })
  broken.answer = (_, res) => res.writeHead(500).end()
  const guarded = await guardedHttp(t, { auth, env, now: Date.now })
  const { status, headers } = await guarded.as('some-opaque-token')
  assert.deepEqual([status, headers.get('retry-after')], [503, '5'])
})

test('believes only what fits of an answer to introspection', async (t) => {
  const provider = await startIdentityProvider(t)
  const scripted = await startJwksServer(t)
  const guarded = await guardedHttp(t, {
    auth: introspecting(provider, { url: `${scripted.issuer}/introspection` }),
    env,
    now: Date.now,
  })
  const seconds = Math.floor(Date.now() / 1000)
  const good = { active: true, iss: provider.issuer, aud: OPAQUE, sub: 'ada', exp: seconds + 60 }
  const whoSays = async (answer: object) => {
    scripted.answer = (_, res) => res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    return guarded.whoIs(crypto.randomUUID())
  }
  assert.equal(typeof (await whoSays(good)), 'string')
  for (const wrong of [
    { active: 'true' },
    { active: false },
    { iss: 'https://other.example' },
    { aud: 'https://other.example' },
    { aud: undefined },
    { sub: undefined },
    { sub: 7 },
    { exp: seconds - 60 },
    { exp: 'tomorrow' },
    { nbf: seconds + 60 },
    { cnf: { jkt: 'x' } },
  ])
    assert.equal(await whoSays({ ...good, ...wrong }), 401, JSON.stringify(wrong))
})

test('does not listen without the secret that introspection needs', async (t) => {
  const provider = await startIdentityProvider(t)
  await assert.rejects(guardedHost(t, { auth: introspecting(provider) }), {
    code: 'AUTH_SECRET',
    message: /HOST_CLIENT_SECRET is not set/,
  })
})

test('looks at no more tokens of an address that sent hundreds of bad ones, but at those it knows', async (t) => {
  const issuer = await startJwksServer(t)
  const guarded = await guardedHost(t, {
    auth: { inbound: { mode: 'oauth', oauth: { resource: RESOURCE, issuers: [{ issuer: issuer.issuer }] } } },
  })
  const good = await issuer.sign()
  assert.equal((await guarded.as(good)).status, 200)
  const bad = await issuer.sign({ aud: 'https://other.example' })
  const statuses = new Set<number>()
  for (let round = 0; round < 20; round++)
    for (const { status } of await Promise.all(Array.from({ length: 20 }, () => guarded.as(bad)))) statuses.add(status)
  assert.deepEqual(statuses, new Set([401, 429]))
  assert.equal((await guarded.as(good)).status, 200)
})
