import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createServiceCredential } from '../../../host/src/auth/outbound/service-credential.ts'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import { createRedactor } from '../../../host/src/observability/redact.ts'
import { callScope, refusal, serviceHttp } from '../../fixtures/http/service-http.ts'
import { createTestClock } from '../../fixtures/test-clock.ts'
import { held, reply, startUpstream, type Behaviour } from '../../fixtures/http/upstream.ts'

test('fetches a token as RFC 6749 says and puts it on requests', async () => {
  await using setup = await startOAuth([token('issued-1')], { oauthScope: 'read write' })
  await setup.http.json('/a')
  const [asked] = setup.tokens.requests
  assert.equal(asked?.method, 'POST')
  assert.equal(asked.headers['content-type'], 'application/x-www-form-urlencoded')
  assert.equal(asked.body, 'grant_type=client_credentials&scope=read+write')
  assert.equal(asked.headers['authorization'], `Basic ${Buffer.from('client+id:s%3Acret').toString('base64')}`)
  assert.equal(setup.service.requests[0]?.headers['authorization'], 'Bearer issued-1')
})

test('asks once for all requests that wait for the token', async () => {
  const answer = held(token('issued-1'))
  await using setup = await startOAuth([answer.behaviour])
  const requests = Promise.all(Array.from({ length: 20 }, () => setup.http.json('/a')))
  await setup.tokens.received(1)
  answer.release()
  await requests
  assert.equal(setup.tokens.requests.length, 1)
  assert.equal(setup.service.requests.length, 20)
})

test('keeps the token until half a minute before it expires', async () => {
  await using setup = await startOAuth([token('issued-1', { expires_in: 3600 }), token('issued-2')])
  await setup.http.json('/a')
  setup.clock.advance(3_569_000)
  await setup.http.json('/a')
  assert.equal(setup.tokens.requests.length, 1)
  setup.clock.advance(1_000)
  await setup.http.json('/a')
  assert.equal(setup.service.requests[2]?.headers['authorization'], 'Bearer issued-2')
})

test('keeps a token that does not say how long for five minutes', async () => {
  await using setup = await startOAuth([token('issued-1', { expires_in: undefined }), token('issued-2')])
  await setup.http.json('/a')
  setup.clock.advance(269_000)
  await setup.http.json('/a')
  assert.equal(setup.tokens.requests.length, 1)
  setup.clock.advance(1_000)
  await setup.http.json('/a')
  assert.equal(setup.tokens.requests.length, 2)
})

test('drops a token the service refused, so that the next request fetches another', async () => {
  await using setup = await startOAuth([token('issued-1'), token('issued-2')], {}, [reply(401), reply(200, {})])
  await refusal(setup.http.json('/a'), 'AUTHENTICATION_FAILED')
  await setup.http.json('/a')
  assert.equal(setup.service.requests[1]?.headers['authorization'], 'Bearer issued-2')
})

test('a call that gives up leaves the token to the others', async () => {
  const answer = held(token('issued-1'))
  const call = new AbortController()
  await using setup = await startOAuth([answer.behaviour])
  await using impatient = serviceHttp({
    baseUrl: setup.service.url,
    credential: setup.credential.resolve,
    currentCall: () => callScope({ signal: call.signal }),
  })
  const lost = impatient.json('/lost')
  await setup.tokens.received(1)
  const patient = setup.http.json('/kept')
  const reason = new Error('the client went away')
  call.abort(reason)
  await assert.rejects(lost, (error) => error === reason)
  answer.release()
  await patient
  assert.deepEqual(
    setup.service.requests.map(({ path }) => path),
    ['/kept'],
  )
})

for (const [what, behaviour] of [
  ['400 invalid_client', reply(400, { error: 'invalid_client', error_description: 'no such client' })],
  ['401', reply(401, { error: 'invalid_client' })],
  ['404', reply(404)],
] as const)
  test(`a token service that answers ${what} means the credential is wrong`, async () => {
    await using setup = await startOAuth([behaviour])
    const error = await refusal(setup.http.json('/a'), 'AUTHENTICATION_FAILED')
    assert.match(error.message, /^github token: POST \/ answered 4/)
    assert.match(error.fix ?? '', /GITHUB_OAUTH_CLIENT_SECRET/)
    assert.equal(setup.service.requests.length, 0)
  })

for (const [what, body] of [
  ['no token', { token_type: 'bearer' }],
  ['a token of another type', { access_token: 'abc', token_type: 'mac' }],
  ['a token that lasts 0 seconds', { access_token: 'abc', token_type: 'bearer', expires_in: 0 }],
  ['a token with a line break', { access_token: 'a\r\nb', token_type: 'bearer' }],
] as const)
  test(`a token service that answers ${what} has failed, and is asked again next time`, async () => {
    await using setup = await startOAuth([reply(200, body), token('issued-1')])
    await refusal(setup.http.json('/a'), 'UPSTREAM_FAILED')
    await setup.http.json('/a')
  })

test('a fetched token is redacted while it lives', async () => {
  await using setup = await startOAuth([token('issued-token-1')])
  await setup.http.json('/a')
  assert.equal(setup.redactor('got issued-token-1'), 'got [redacted]')
})

function token(value: string, rest: Readonly<Record<string, unknown>> = { expires_in: 3600 }): Behaviour {
  return reply(200, { access_token: value, token_type: 'Bearer', ...rest })
}

async function startOAuth(tokenScript: Behaviour[], more: Readonly<Record<string, string>> = {}, script = [reply(200, {})]) {
  const stack = new AsyncDisposableStack()
  const tokens = stack.use(await startUpstream(tokenScript))
  const service = stack.use(await startUpstream(script))
  const clock = createTestClock()
  const redactor = createRedactor()
  const values = { oauthClientId: 'client id', oauthClientSecret: 's:cret', oauthTokenUrl: `${tokens.url}/oauth/token`, ...more }
  const credential = stack.use(
    createServiceCredential({
      settings: { instance: 'github', values: new Map(Object.entries(values)), fingerprintKey: Buffer.alloc(32) },
      policy: { allowRequestCredentials: true, serverCredentials: 'allow', isNeeded: true, isRaw: false },
      redactor,
      log: silentLogger,
      network: { clock },
    }),
  )
  const http = stack.use(serviceHttp({ baseUrl: service.url, credential: credential.resolve, redactor, clock }))
  return { tokens, service, clock, redactor, credential, http, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}
