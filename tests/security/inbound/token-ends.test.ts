import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CompactSign } from 'jose'
import { cacheClock } from '../../../host/src/cache/stores/store-guard.ts'
import { createCache } from '../../../host/src/cache/cache.ts'
import { createIntrospection } from '../../../host/src/auth/inbound/introspection.ts'
import { IssuerUnavailable } from '../../../host/src/auth/inbound/authentication-verdict.ts'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import { makeSigningKey, RESOURCE, startJwksServer } from '../../fixtures/auth/jwks-server.ts'
import { guardedHost } from '../../fixtures/http/guarded-host.ts'
import { RawSession } from '../../fixtures/http/raw-session.ts'

const NOW = 1_800_000_000

test('a stream ends when its token is as old as any may be, long before the token says so, in every era', async (t) => {
  const issuer = await startJwksServer(t)
  const issuers = [{ issuer: issuer.issuer, maxTokenAgeSeconds: 1, clockToleranceSeconds: 0 }]
  const guarded = await guardedHost(t, { auth: { inbound: { mode: 'oauth', oauth: { resource: RESOURCE, issuers } } } })
  const headers = { authorization: `Bearer ${await issuer.sign()}` }
  const session = await RawSession.open(guarded.url, headers)
  const streams = [
    await session.request('GET', { accept: 'text/event-stream' }),
    await fetch(new URL('/sse', guarded.url), { headers }),
    await fetch(guarded.url, {
      method: 'POST',
      headers: {
        ...headers,
        'content-type': 'application/json',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'subscriptions/listen',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'subscriptions/listen',
        params: {
          notifications: { toolsListChanged: true },
          _meta: {
            'io.modelcontextprotocol/protocolVersion': '2026-07-28',
            'io.modelcontextprotocol/clientCapabilities': {},
          },
        },
      }),
    }),
  ]
  for (const stream of streams) {
    assert.equal(stream.status, 200)
    await assert.rejects(stream.text(), 'it is cut, not kept until the token says')
  }
})

test('a token whose times are no times is refused (exp 1e400)', async (t) => {
  const issuer = await startJwksServer(t)
  const key = await makeSigningKey('own')
  issuer.keys = [key.jwk]
  const guarded = await guardedHost(t, {
    auth: { inbound: { mode: 'oauth', oauth: { resource: RESOURCE, issuers: [{ issuer: issuer.issuer }] } } },
  })
  const iat = Math.floor(Date.now() / 1000)
  const sign = (times: string) =>
    new CompactSign(Buffer.from(`{"iss":"${issuer.issuer}","sub":"ada","aud":"${RESOURCE}",${times}}`))
      .setProtectedHeader({ alg: 'ES256', kid: 'own', typ: 'at+jwt' })
      .sign(key.privateKey)
  assert.equal((await guarded.as(await sign(`"iat":${iat},"exp":${iat + 60}`))).status, 200)
  for (const times of [
    `"iat":${iat},"exp":1e400`,
    `"iat":${iat},"exp":1e300`,
    `"iat":-1e400,"exp":${iat + 60}`,
    `"iat":${iat},"exp":${iat + 60},"nbf":-1e400`,
  ])
    assert.equal((await guarded.as(await sign(times))).status, 401, times)
})

const introspect = (claims: object, ask = async () => claims) => {
  const http = { ask: ask as () => Promise<Readonly<Record<string, unknown>>>, [Symbol.asyncDispose]: async () => {} }
  const cache = createCache({ log: silentLogger, clock: { ...cacheClock, now: () => NOW * 1000 } })
  return createIntrospection({
    issuer: 'https://id.example',
    http,
    audiencesAt: () => [RESOURCE],
    toleranceSeconds: 30,
    maxAgeSeconds: 600,
    keepMs: 30_000,
    cache: cache.namespace('introspection'),
    now: () => NOW * 1000,
    tenantClaim: 'tenant',
    permissionClaims: ['scope'],
  })('token', '/mcp')
}
const active = { active: true, sub: 'ada', aud: RESOURCE }

for (const [claims, ends] of [
  [{ exp: NOW + 60 }, NOW + 90],
  [{ exp: NOW + 90_000 }, NOW + 630],
  [{ exp: NOW + 90_000, iat: NOW - 500 }, NOW + 130],
  [{ iat: NOW - 500 }, NOW + 130],
  [{}, NOW + 630],
] as const)
  test(`an opaque token with ${JSON.stringify(claims)} ends what it opened ${ends - NOW} seconds from now`, async () => {
    const verdict = await introspect({ ...active, ...claims })
    assert.ok('accepted' in verdict)
    assert.equal(verdict.accepted.expiresAt, ends * 1000)
  })

for (const [claims, why] of [
  [{ exp: Infinity }, 'exp'],
  [{ iat: Infinity }, 'iat'],
  [{ nbf: -Infinity }, 'nbf'],
  [{ exp: '9' }, 'exp'],
  [{ exp: NOW - 31 }, 'exp'],
  [{ iat: NOW - 631, exp: NOW + 60 }, 'iat'],
] as const)
  test(`an opaque token with ${JSON.stringify(claims)} is refused for its ${why}`, async () => {
    assert.deepEqual(await introspect({ ...active, ...claims }), { refused: why })
  })

test('a slow introspection is answered 503 before three seconds have passed', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const verdict = introspect({}, () => new Promise<never>(() => {}))
  const failed = assert.rejects(verdict, IssuerUnavailable)
  // The cache asks its store first, which takes some turns.
  for (let turn = 0; turn < 20; turn++) {
    await new Promise((resolve) => setImmediate(resolve))
    t.mock.timers.tick(turn === 19 ? 2_500 : 0)
  }
  await failed
})
