import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { test } from 'node:test'
import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { guardedHost } from '../../fixtures/http/guarded-host.ts'
import { guardedHttp } from '../../fixtures/http/guarded-http.ts'
import { startIdentityProvider } from '../../fixtures/auth/identity-provider.ts'
import { makeSigningKey, RESOURCE, startJwksServer, type JwksServer } from '../../fixtures/auth/jwks-server.ts'
import { RawSession } from '../../fixtures/http/raw-session.ts'
import { makeKey } from '../../../host/src/auth/inbound/keys/api-key.ts'

const oauthOf = (...issuers: readonly string[]) => ({
  inbound: { mode: 'oauth' as const, oauth: { resource: RESOURCE, issuers: issuers.map((issuer) => ({ issuer })) } },
})
const idOf = (issuer: string, sub: string) =>
  createHash('sha256')
    .update(JSON.stringify([issuer, sub]))
    .digest('base64url')
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const METADATA = 'https://mcp.example.com/.well-known/oauth-protected-resource/mcp'

test('takes an access token of a real authorization server and knows only who it is of', async (t) => {
  const provider = await startIdentityProvider(t)
  const guarded = await guardedHost(t, { auth: oauthOf(provider.issuer) })
  const token = await provider.token({ resource: RESOURCE, scope: 'issues:read' })
  guarded.hide(token, token.split('.')[1] ?? '')
  const { status, text } = await guarded.client.call('demo_whoami', {}, { authorization: `Bearer ${token}` })
  assert.equal(status, 200)
  assert.match(text, new RegExp(`${idOf(provider.issuer, 'machine')} of acme`))
})

test('takes no token of that server for a service beside it', async (t) => {
  const provider = await startIdentityProvider(t)
  const guarded = await guardedHost(t, { auth: oauthOf(provider.issuer) })
  for (const resource of ['https://mcp.example.com/other', 'https://mcp.example.com/mcp/more', 'https://mcp.example.com/MCP'])
    assert.equal((await guarded.as(await provider.token({ resource }))).status, 401, resource)
})

test('refuses every token that is not made for it by an issuer it knows, with one and the same answer', async (t) => {
  const issuer = await startJwksServer(t)
  const sibling = await startJwksServer(t)
  const guarded = await guardedHost(t, { auth: oauthOf(issuer.issuer, sibling.issuer) })
  const stranger = await makeSigningKey('first')
  const { privateKey: rsa } = await generateKeyPair('RS256', { extractable: true })
  const good = await issuer.sign()
  const [header = '', payload = '', signature = ''] = good.split('.')
  const other = await issuer.sign({ sub: 'bob' })
  const now = Math.floor(Date.now() / 1000)
  const secret = new TextEncoder().encode(JSON.stringify(issuer.keys[0]))
  const claims = { iss: issuer.issuer, sub: 'ada', aud: RESOURCE, iat: now, exp: now + 600 }
  const unsigned = (alg: unknown) => `${part({ ...(alg !== undefined && { alg }), typ: 'at+jwt', kid: 'first' })}.${payload}.`

  const refused: Readonly<Record<string, string>> = {
    'no aud': await issuer.sign({ aud: undefined }),
    'aud of another': await issuer.sign({ aud: 'https://mcp.example.com/other' }),
    'aud that begins like ours': await issuer.sign({ aud: `${RESOURCE}/more` }),
    'an aud that is no name': await issuer.sign({ aud: { [RESOURCE]: true } }),
    'alg none': new UnsecuredJWT(claims).encode(),
    'alg NoNe': unsigned('NoNe'),
    'alg nOnE': unsigned('nOnE'),
    'no alg': unsigned(undefined),
    'alg that is a list': unsigned(['ES256']),
    'an empty signature': `${header}.${payload}.`,
    'no signature': `${header}.${payload}`,
    'the public key as a secret (HS256)': await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: 'first' })
      .sign(secret),
    'the right kid with another key': await issuer.sign({}, { key: stranger }),
    'a key that the token brings': await issuer.sign({}, { key: stranger, header: { jwk: stranger.jwk } }),
    'a key address that the token brings': await issuer.sign({}, { key: stranger, header: { jku: `${issuer.issuer}/keys` } }),
    'a flipped bit of the signature': `${header}.${payload}.${signature[0] === 'A' ? 'B' : 'A'}${signature.slice(1)}`,
    'the signature of another token': `${header}.${payload}.${other.split('.')[2]}`,
    'the claims of another token': `${header}.${other.split('.')[1]}.${signature}`,
    'an algorithm the key is not for': await new SignJWT(claims)
      .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: 'first' })
      .sign(rsa),
    'expired for a minute': await issuer.sign({ exp: now - 60 }),
    'no exp': await issuer.sign({ exp: undefined }),
    'an exp that is no number': await issuer.sign({ exp: String(now + 600) }),
    'not yet valid': await issuer.sign({ nbf: now + 60 }),
    'issued in the future': await issuer.sign({ iat: now + 3_600 }),
    'issued too long ago': await issuer.sign({ iat: now - 100_000 }),
    'no iat': await issuer.sign({ iat: undefined }),
    'no sub': await issuer.sign({ sub: undefined }),
    'an empty sub': await issuer.sign({ sub: '' }),
    'a sub that is no text': await issuer.sign({ sub: ['ada'] }),
    'iss with a slash': await issuer.sign({ iss: `${issuer.issuer}/` }),
    'iss in other letters': await issuer.sign({ iss: issuer.issuer.replace('http', 'HTTP') }),
    'iss of the other issuer, with the key of this one': await issuer.sign({ iss: sibling.issuer }),
    'an iss nobody knows': await issuer.sign({ iss: 'https://evil.example' }),
    'no iss': await issuer.sign({ iss: undefined }),
    'an ID token': await issuer.sign({}, { header: { typ: 'JWT' } }),
    'no typ': await issuer.sign({}, { header: { typ: undefined } }),
    'a critical header nobody knows': await issuer.sign({}, { header: { crit: ['x-new'], 'x-new': 1 } }),
    'bound to a key that nobody proves': await issuer.sign({ cnf: { jkt: 'x' } }),
    'an opaque one, and no introspection': 'an-opaque-token-0123456789',
    'an API key': makeKey('ada').key,
    'no JSON': 'ey.ey.ey',
    'only dots': '..',
    'an encrypted one': `${header}.a.b.c.d`,
  }
  const answers = await Promise.all(
    Object.entries(refused).map(async ([what, token]) => {
      const { status, text, headers } = await guarded.as(token)
      return [what, { status, text, challenge: headers.get('www-authenticate') }] as const
    }),
  )
  for (const [what, answer] of answers)
    assert.deepEqual(
      answer,
      {
        status: 401,
        text: '{"jsonrpc":"2.0","error":{"code":-32600,"message":"Send a valid credential"},"id":null}',
        challenge: `Bearer error="invalid_token", resource_metadata="${METADATA}"`,
      },
      what,
    )
  assert.equal((await guarded.as(good)).status, 200)
})

test('asks for a token where there is none, and says nothing but where to get one', async (t) => {
  const issuer = await startJwksServer(t)
  const guarded = await guardedHost(t, { auth: oauthOf(issuer.issuer) })
  const { status, headers, text } = await guarded.client.post('tools/list')
  assert.equal(status, 401)
  assert.equal(headers.get('www-authenticate'), `Bearer resource_metadata="${METADATA}"`, 'no error: none was made')
  assert.deepEqual(Object.keys(JSON.parse(text) as object), ['jsonrpc', 'error', 'id'])
})

test('takes tokens that are for others as well, or expired a moment ago', async (t) => {
  const issuer = await startJwksServer(t)
  const guarded = await guardedHost(t, { auth: oauthOf(issuer.issuer) })
  const now = Math.floor(Date.now() / 1000)
  const taken = {
    'several audiences': await issuer.sign({ aud: ['https://other.example', RESOURCE] }),
    'a slash behind the audience': await issuer.sign({ aud: `${RESOURCE}/` }),
    'expired within the tolerance': await issuer.sign({ exp: now - 10 }),
    'an application/at+jwt': await issuer.sign({}, { header: { typ: 'application/at+jwt' } }),
    'claims named like parts of objects': await issuer.sign({ constructor: 'x', toString: 1, __proto__: { admin: true } }),
  }
  for (const [what, token] of Object.entries(taken)) assert.equal((await guarded.as(token)).status, 200, what)
})

test('takes plain JWTs where the config says that the issuer makes no others', async (t) => {
  const issuer = await startJwksServer(t)
  const guarded = await guardedHost(t, {
    auth: {
      inbound: {
        mode: 'oauth',
        oauth: { resource: RESOURCE, issuers: [{ issuer: issuer.issuer, tokenType: 'JWT', audience: 'api://patchbay' }] },
      },
    },
  })
  const aud = 'api://patchbay'
  assert.equal((await guarded.as(await issuer.sign({ aud }, { header: { typ: 'JWT' } }))).status, 200)
  assert.equal((await guarded.as(await issuer.sign({ aud }, { header: { typ: undefined } }))).status, 200)
  assert.equal((await guarded.as(await issuer.sign({ aud }))).status, 200)
  assert.equal((await guarded.as(await issuer.sign({ aud }, { header: { typ: 'logout+jwt' } }))).status, 401)
  assert.equal((await guarded.as(await issuer.sign())).status, 401, 'the audience of the config goes before the resource')
})

test('takes every usual algorithm, others only where the config has them, and no key that is too weak', async (t) => {
  const issuer = await startJwksServer(t)
  const usual = await Promise.all(['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'].map((alg) => makeSigningKey(alg, alg)))
  const unusual = await makeSigningKey('ES384', 'ES384')
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const kid = 'weak'
  issuer.keys = [...usual, unusual].map(({ jwk }) => jwk)
  issuer.keys = [
    ...issuer.keys,
    { ...(weak.publicKey.export({ format: 'jwk' }) as object), kty: 'RSA', kid, alg: 'RS256', use: 'sig' },
  ]
  const guarded = await guardedHost(t, { auth: oauthOf(issuer.issuer) })
  for (const key of usual) assert.equal((await guarded.as(await issuer.sign({}, { key }))).status, 200, String(key.jwk.alg))
  assert.equal((await guarded.as(await issuer.sign({}, { key: unusual }))).status, 401)
  const [, payload = ''] = (await issuer.sign({}, { key: usual[0] ?? unusual })).split('.')
  const signed = `${part({ alg: 'RS256', typ: 'at+jwt', kid })}.${payload}`
  assert.equal(
    (await guarded.as(`${signed}.${sign('sha256', Buffer.from(signed), weak.privateKey).toString('base64url')}`)).status,
    401,
  )

  const wider = await guardedHost(t, {
    auth: {
      inbound: {
        mode: 'oauth',
        oauth: { resource: RESOURCE, issuers: [{ issuer: issuer.issuer, algorithms: ['ES384'] }] },
      },
    },
  })
  assert.equal((await wider.as(await issuer.sign({}, { key: unusual }))).status, 200)
  for (const key of usual) assert.equal((await wider.as(await issuer.sign({}, { key }))).status, 401, String(key.jwk.alg))
})

test('takes permissions and the tenant from claims, and never all permissions', async (t) => {
  const issuer = await startJwksServer(t)
  const guarded = await guardedHost(t, {
    auth: {
      ...oauthOf(issuer.issuer),
      inbound: {
        mode: 'oauth',
        oauth: {
          resource: RESOURCE,
          issuers: [
            {
              issuer: issuer.issuer,
              permissionClaims: ['scope', 'scp', 'realm_access.roles'],
              tenantClaim: 'https://acme.example/org',
            },
          ],
        },
      },
      permissions: { 'demo:echo': ['demo_echo'], who: ['demo_whoami'], support: ['triage'] },
      implies: { root: ['middle'], middle: ['who', 'root'] },
    },
    config: {
      tenants: { acme: {}, other: { tools: { allow: ['demo_whoami'] } } },
      tools: { toolsets: { triage: ['demo_delete'] } },
    },
  })
  const org = 'https://acme.example/org'
  const tools = async (claims: Record<string, unknown>) =>
    guarded.client.tools({ authorization: `Bearer ${await issuer.sign({ [org]: 'acme', ...claims })}` })
  assert.deepEqual(await tools({ scope: 'demo:echo other' }), ['demo_echo'])
  assert.deepEqual(await tools({ scope: undefined, scp: ['demo:echo', 'who', 7] }), ['demo_echo', 'demo_whoami'])
  assert.deepEqual(await tools({ scope: '', realm_access: { roles: ['support'] } }), ['demo_delete'], 'a toolset')
  assert.deepEqual(await tools({ scope: 'root' }), ['demo_whoami'], 'what it implies, two steps on and round again')
  assert.deepEqual(await tools({ scope: '*', roles: ['who'] }), [], 'neither everything, nor what no claim of the config says')
  assert.deepEqual(await tools({ scope: 'demo:echo who', [org]: 'other' }), ['demo_whoami'])
  assert.deepEqual(await tools({ scope: 'demo:echo who', [org]: 'unknown' }), [])
  assert.deepEqual(await tools({ scope: 'demo:echo who', [org]: undefined, tenant: 'acme' }), [])
  assert.deepEqual(await tools({ scope: 'demo:echo who', [org]: ['acme'] }), [])
})

test('finishes a call whose token expires meanwhile, refuses the next, and ends its streams', async (t) => {
  let now = Date.now()
  const issuer = await startJwksServer(t, () => now / 1000)
  const guarded = await guardedHttp(t, { auth: oauthOf(issuer.issuer), now: () => now })
  const token = await issuer.sign({ exp: Math.floor(now / 1000) + 60 })
  const session = await RawSession.open(guarded.url, { authorization: `Bearer ${token}` })
  now += 89_000
  assert.notEqual(await guarded.whoIs(token), 401, 'within the tolerance')
  // Opened with a second to live.
  const ended = assert.rejects((await session.request('GET')).text())
  await ended
  now += 2_000
  assert.equal(await guarded.whoIs(token), 401)
  assert.equal((await session.post('tools/list')).status, 401)
})

test('asks an issuer for keys at most once in half a minute, however many unknown ones are named', async (t) => {
  let now = Date.now()
  const issuer = await startJwksServer(t, () => now / 1000)
  const guarded = await guardedHttp(t, { auth: oauthOf(issuer.issuer), now: () => now })
  assert.equal(issuer.asked, 1)
  const unknown = async () => guarded.whoIs(await issuer.sign({}, { header: { kid: crypto.randomUUID() } }))
  const flood = await Promise.all(Array.from({ length: 200 }, unknown))
  assert.deepEqual(new Set(flood), new Set([401]))
  assert.equal(issuer.asked, 1)
  now += 31_000
  await Promise.all(Array.from({ length: 50 }, unknown))
  assert.equal(issuer.asked, 2)
})

test('takes a new key of the issuer within half a minute, and an old one no longer than ten minutes', async (t) => {
  let now = Date.now()
  const issuer = await startJwksServer(t, () => now / 1000)
  const guarded = await guardedHttp(t, { auth: oauthOf(issuer.issuer), now: () => now })
  const second = await makeSigningKey('second')
  const old = await issuer.sign({ exp: Math.floor(now / 1000) + 7_200 })
  assert.notEqual(await guarded.whoIs(old), 401)
  issuer.keys = [second.jwk]
  now += 31_000
  assert.notEqual(await guarded.whoIs(await issuer.sign({}, { key: second })), 401)
  assert.notEqual(await guarded.whoIs(old), 401, 'what was verified a moment ago')
  now += 60_000
  assert.equal(await guarded.whoIs(old), 401)
})

/** Everything that can be wrong with where keys come from. */
const outages: Readonly<Record<string, (issuer: JwksServer) => void>> = {
  'an error': (issuer) => (issuer.answer = (_, res) => res.writeHead(503).end()),
  'a reset': (issuer) => (issuer.answer = (_, res) => res.destroy()),
  'a page': (issuer) => (issuer.answer = (_, res) => res.writeHead(200, { 'content-type': 'text/html' }).end('<html>')),
  'no keys': (issuer) => (issuer.answer = (_, res) => res.writeHead(200, { 'content-type': 'application/json' }).end('{}')),
  'a redirect to the metadata service': (issuer) =>
    (issuer.answer = (_, res) => res.writeHead(302, { location: 'http://169.254.169.254/latest' }).end()),
  'more than a megabyte': (issuer) =>
    (issuer.answer = (_, res) => {
      res.writeHead(200, { 'content-type': 'application/json' })
      const more = () => {
        while (!res.destroyed && res.write(' '.repeat(65_536)));
      }
      res.on('drain', more)
      more()
    }),
  silence: (issuer) => (issuer.answer = () => {}),
}

for (const [what, breakDown] of Object.entries(outages)) {
  test(`lives on the keys it has for a day when the issuer answers with ${what}`, async (t) => {
    let now = Date.now()
    const issuer = await startJwksServer(t, () => now / 1000)
    const guarded = await guardedHttp(t, { auth: oauthOf(issuer.issuer), now: () => now })
    breakDown(issuer)
    const token = () => issuer.sign()
    assert.notEqual(await guarded.whoIs(await token()), 503)
    now += 86_000_000
    assert.equal(typeof (await guarded.whoIs(await token())), 'string', 'asked in vain, and served')
    assert.equal(typeof (await guarded.whoIs(await token())), 'string')
    now += 500_000
    const { status, headers } = await guarded.as(await token())
    assert.equal(status, 503)
    assert.match(headers.get('retry-after') ?? '', /^\d+$/)
    issuer.answer = undefined
    now += 31_000
    assert.equal(typeof (await guarded.whoIs(await token())), 'string', 'and recovers')
  })

  test(`says 503 and not 401 when it never had a key because the issuer answers with ${what}`, async (t) => {
    let now = Date.now()
    const issuer = await startJwksServer(t, () => now / 1000)
    breakDown(issuer)
    const guarded = await guardedHttp(t, { auth: oauthOf(issuer.issuer), now: () => now })
    const { status, headers } = await guarded.as(await issuer.sign())
    assert.equal(status, 503)
    assert.match(headers.get('retry-after') ?? '', /^[1-5]$/)
    issuer.answer = undefined
    now += 31_000
    assert.equal(typeof (await guarded.whoIs(await issuer.sign())), 'string')
  })
}

test('does not listen for an issuer whose metadata is another’s', async (t) => {
  const issuer = await startJwksServer(t)
  const impostor = await startJwksServer(t)
  impostor.answer = (_, res) =>
    res
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ issuer: issuer.issuer, jwks_uri: `${issuer.issuer}/keys` }))
  await assert.rejects(guardedHost(t, { auth: oauthOf(impostor.issuer) }), {
    code: 'AUTH_ISSUER',
    message: /its metadata is that of/,
  })
  impostor.answer = (_, res) =>
    res
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ issuer: impostor.issuer, jwks_uri: 'http://192.0.2.1/keys' }))
  await assert.rejects(guardedHost(t, { auth: oauthOf(impostor.issuer) }), {
    code: 'AUTH_ISSUER',
    message: /no jwks_uri that is https/,
  })
})

const slips: readonly (readonly [object, RegExp])[] = [
  [{ issuers: [{ issuer: 'http://idp.example' }] }, /issuers\[0\]\.issuer: must be https/],
  [{ issuers: [{ issuer: 'https://user:pw@idp.example' }] }, /issuers\[0\]\.issuer: must be https/],
  [{ issuers: [{ issuer: 'https://idp.example?p=1' }] }, /issuers\[0\]\.issuer: has a query/],
  [{ issuers: [{ issuer: 'https://idp.example#a' }] }, /issuers\[0\]\.issuer: has a query or a fragment/],
  [{ issuers: [{ issuer: 'https://idp.example' }, { issuer: 'https://idp.example' }] }, /issuers\[1\]\.issuer: is there twice/],
  [{ issuers: [{ issuer: 'https://idp.example', jwksUri: 'http://idp.example/keys' }] }, /jwksUri: must be https/],
  [{ issuers: [{ issuer: 'https://idp.example' }], resource: undefined }, /oauth\.resource: is missing/],
  [{ issuers: [{ issuer: 'https://idp.example' }], resource: 'https://mcp.example/mcp#x' }, /without a fragment/],
  [{ issuers: [] }, /issuers: expected/],
]

for (const [oauth, problem] of slips)
  test(`does not start with ${JSON.stringify(oauth)}`, async (t) => {
    const auth = { inbound: { mode: 'oauth', oauth: { resource: RESOURCE, ...oauth } } }
    await assert.rejects(guardedHost(t, { auth } as never), { code: 'CONFIG_INVALID', message: problem })
  })
