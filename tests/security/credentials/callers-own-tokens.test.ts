import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fakePrincipal } from '@mcp-patchbay/plugin-api/testing'
import type { EmbeddedEntry } from 'mcp-patchbay'
import { createServiceCredential } from '../../../host/src/auth/outbound/service-credential.ts'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import { createRedactor } from '../../../host/src/observability/redact.ts'
import { openTestAccounts } from '../../fixtures/auth/accounts.ts'
import { callScope, refusal, serviceHttp } from '../../fixtures/http/service-http.ts'
import { createTestClock } from '../../fixtures/test-clock.ts'
import { callerWith, trackedHost, trackerPlugin } from '../../fixtures/plugins/tracker.ts'
import { held, reply, startUpstream, type Behaviour } from '../../fixtures/http/upstream.ts'

const key = randomBytes(32).toString('base64')
const ann = { tenant: 'acme', kind: 'oauth', id: 'ann' } as const
const bob = { tenant: 'acme', kind: 'oauth', id: 'bob' } as const
const annAt = { principal: ann, instance: 'tracker' }

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'accounts-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return join(dir, 'tokens')
}

test("a call of somebody who linked an account goes with that account's token, and one with a header of its own with that", async (t) => {
  await using upstream = await startUpstream(reply(200, 'issues'))
  const dir = folder(t)
  const entry: EmbeddedEntry = { use: trackerPlugin(), config: { apiUrl: upstream.url, personalToken: 'server-token' } }
  const { host, call, lines } = await trackedHost(t, [{ ...entry, serverCredentials: 'deny' }], {
    config: { auth: { accounts: { store: dir, keyVariable: 'TOKEN_KEY' } } },
    env: { TOKEN_KEY: key },
  })
  await host.accounts?.link(annAt, 'canary-linked')
  await call('tracker_issues_get', callerWith(fakePrincipal(ann)))
  await call('tracker_issues_get', callerWith(fakePrincipal(ann), { tracker: 'Bearer sent' }))
  assert.match((await call('tracker_issues_get', callerWith(fakePrincipal(bob)))).text, /Link your account or send/)
  assert.deepEqual(
    upstream.requests.map(({ headers }) => headers['authorization']),
    ['Bearer canary-linked', 'Bearer sent'],
  )
  assert.doesNotMatch(lines.join(), /canary-linked/)
  chmodSync(dir, 0o700)
  for (const file of readdirSync(dir)) renameSync(join(dir, file), join(dir, 'elsewhere'))
  assert.equal(await host.accounts?.unlink(annAt), false)
})

test("a stored token that cannot be read is an error of the call, and the server's is not tried", async (t) => {
  await using upstream = await startUpstream(reply(200, 'issues'))
  const dir = folder(t)
  const other = openTestAccounts({ dir, keys: [randomBytes(32).toString('base64')] })
  await other.accounts.link(annAt, 'anns')
  const { call } = await trackedHost(
    t,
    [{ use: trackerPlugin(), config: { apiUrl: upstream.url, personalToken: 'server-token' }, serverCredentials: 'allow' }],
    { config: { auth: { accounts: { store: dir, keyVariable: 'TOKEN_KEY' } } }, env: { TOKEN_KEY: key } },
  )
  const { text, isError } = await call('tracker_issues_get', callerWith(fakePrincipal(ann)))
  assert.ok(isError)
  assert.match(text, /stored for your account at "tracker" cannot be used.*/)
  assert.equal(upstream.requests.length, 0)
})

// RFC 8693
test("a caller's access token is exchanged once for all of its calls, and the service sees what it was exchanged for", async () => {
  const answer = held(token('exchanged-1'))
  await using setup = await startExchange([answer.behaviour])
  const calls = Promise.all([setup.call('anns-inbound'), setup.call('anns-inbound'), setup.call('anns-inbound')])
  const asked = await setup.tokens.received(1)
  answer.release()
  await calls
  await setup.call('anns-inbound')
  assert.equal(setup.tokens.requests.length, 1)
  assert.equal(asked.headers['authorization'], `Basic ${btoa('patchbay:s3cret')}`)
  assert.deepEqual(Object.fromEntries(new URLSearchParams(asked.body)), {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    client_id: 'patchbay',
    subject_token: 'anns-inbound',
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    audience: 'tracker-api',
    scope: 'issues',
  })
  assert.deepEqual(
    new Set(setup.service.requests.map(({ headers }) => headers['authorization'])),
    new Set(['Bearer exchanged-1']),
  )
  assert.equal(setup.redactor('exchanged-1 s3cret'), '[redacted] [redacted]')
})

test('tokens that were exchanged are of one caller and one tenant, and are exchanged again before they expire', async () => {
  await using setup = await startExchange([token('a'), token('b'), token('c'), token('d')])
  await setup.call('anns-inbound')
  await setup.call('bobs-inbound', { id: 'bob' })
  await setup.call('anns-inbound', { tenant: 'umbrella' })
  setup.clock.advance(3_590_000)
  await setup.call('anns-inbound')
  assert.deepEqual(
    setup.service.requests.map(({ headers }) => headers['authorization']),
    ['Bearer a', 'Bearer b', 'Bearer c', 'Bearer d'],
  )
})

test('a refused exchange is an error that is remembered for a while, and no lower credential is tried', async () => {
  await using setup = await startExchange([reply(400, { error: 'invalid_grant' }), token('later')])
  for (let turn = 0; turn < 3; turn++) {
    const error = await refusal(setup.call('anns-inbound'), 'AUTHENTICATION_FAILED')
    assert.match(error.message, /could not be exchanged for one of the service: invalid_grant/)
  }
  assert.deepEqual([setup.tokens.requests.length, setup.service.requests.length], [1, 0])
  setup.clock.advance(30_000)
  await setup.call('anns-inbound')
  assert.equal(setup.tokens.requests.length, 2)
})

test('a token service that fails is an error that is not remembered', async () => {
  await using setup = await startExchange([reply(503), reply(200, '<html>'), token('later')])
  await refusal(setup.call('anns-inbound'), 'UPSTREAM_FAILED')
  await refusal(setup.call('anns-inbound'), 'UPSTREAM_FAILED')
  await setup.call('anns-inbound')
  assert.equal(setup.service.requests.length, 1)
})

test('a token that the service refuses is exchanged again next time, and the refusal stays an error', async () => {
  await using setup = await startExchange([token('stale'), token('fresh')], [reply(401), reply(200, {})])
  const error = await refusal(setup.call('anns-inbound'), 'AUTHENTICATION_FAILED')
  assert.match(error.fix ?? '', /Sign in again/)
  await setup.call('anns-inbound')
  assert.equal(setup.service.requests[1]?.headers['authorization'], 'Bearer fresh')
})

test('a caller with an API key has nothing to exchange, and goes with the next credential', async () => {
  await using setup = await startExchange([token('a')])
  await setup.call(undefined, { kind: 'apiKey' })
  assert.equal(setup.tokens.requests.length, 0)
  assert.equal(setup.service.requests[0]?.headers['authorization'], 'Bearer server-token')
})

test('a caller of OAuth whose token did not come along is refused, and no lower credential is tried', async () => {
  await using setup = await startExchange([token('a')])
  const error = await refusal(setup.call(undefined), 'AUTHENTICATION_FAILED')
  assert.match(error.message, /without an access token that could be exchanged/)
  assert.deepEqual([setup.tokens.requests.length, setup.service.requests.length], [0, 0])
})

for (const issued of [
  undefined,
  'urn:ietf:params:oauth:token-type:refresh_token',
  'urn:ietf:params:oauth:token-type:id_token',
  7,
])
  test(`what comes back as issued_token_type ${String(issued)} is not used as an access token`, async () => {
    const answer = { access_token: 'odd', token_type: 'Bearer', issued_token_type: issued, expires_in: 60 }
    await using setup = await startExchange([reply(200, answer)])
    const error = await refusal(setup.call('anns-inbound'), 'UPSTREAM_FAILED')
    assert.match(error.message, /issued_token_type/)
    assert.equal(setup.service.requests.length, 0)
  })

function token(value: string): Behaviour {
  return reply(200, {
    access_token: value,
    token_type: 'Bearer',
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    expires_in: 3_600,
  })
}

async function startExchange(tokenScript: Behaviour[], script = [reply(200, {})]) {
  const stack = new AsyncDisposableStack()
  const tokens = stack.use(await startUpstream(tokenScript))
  const service = stack.use(await startUpstream(script))
  const clock = createTestClock()
  const redactor = createRedactor()
  const credential = stack.use(
    createServiceCredential({
      settings: { instance: 'tracker', values: new Map([['personalToken', 'server-token']]), fingerprintKey: Buffer.alloc(32) },
      policy: { allowRequestCredentials: true, serverCredentials: 'allow', isNeeded: true, isRaw: false },
      exchange: {
        tokenUrl: `${tokens.url}/token`,
        clientId: 'patchbay',
        clientSecret: 's3cret',
        audience: 'tracker-api',
        scope: 'issues',
      },
      redactor,
      log: silentLogger,
      network: { clock, random: () => 0 },
    }),
  )
  const call = async (subjectToken: string | undefined, principal: object = {}) => {
    const scope = callScope({
      principal: fakePrincipal({ ...ann, ...principal }),
      credentials: { of: () => undefined, subjectToken, secrets: [] },
    })
    await using http = serviceHttp({
      baseUrl: service.url,
      credential: credential.resolve,
      currentCall: () => scope,
      redactor,
      clock,
    })
    return await http.json('/issues')
  }
  return { tokens, service, clock, redactor, call, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}
