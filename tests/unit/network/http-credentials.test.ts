import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CredentialPlacement } from '@mcp-patchbay/plugin-api'
import { callerCredential } from '../../../host/src/auth/outbound/caller-credential.ts'
import { chooseCredential, headerCredential } from '../../../host/src/auth/outbound/credentials.ts'
import { HostError } from '../../../host/src/errors.ts'
import type { Credential } from '../../../host/src/network/request/placed-credential.ts'
import { refusal, serviceHttp } from '../../fixtures/http/service-http.ts'
import { reply, startUpstream } from '../../fixtures/http/upstream.ts'

const fingerprintKey = Buffer.alloc(32, 1)
const settings = (values: Readonly<Record<string, string>>, placement?: CredentialPlacement) => ({
  instance: 'github',
  values: new Map(Object.entries(values)),
  placement,
  fingerprintKey,
})
const authorization = (line: string) => ({ kind: 'authorization', line, header: 'X-Upstream-Github-Authorization' }) as const
const own = callerCredential(authorization('Bearer caller-token'), settings({}))

const levels = [
  { name: 'caller', header: 'authorization', line: 'Bearer caller-token' },
  { name: 'personal token', header: 'authorization', line: 'Bearer server-token' },
  { name: 'API key', header: 'x-api-key', line: 'server-key' },
  { name: 'basic', header: 'authorization', line: `Basic ${Buffer.from('ada:pass:word').toString('base64')}` },
] as const

for (let mask = 0; mask < 16; mask++) {
  const present = levels.filter((_, index) => mask & (1 << index))
  const [highest] = present
  const names = present.map(({ name }) => name).join(' + ') || 'nothing'
  test(`of ${names} ${highest ? `only ${highest.name} leaves` : 'nothing leaves'}`, async () => {
    const has = (name: string) => present.some((level) => level.name === name)
    const values = {
      ...(has('personal token') ? { personalToken: 'server-token' } : {}),
      ...(has('API key') ? { apiKey: 'server-key' } : {}),
      ...(has('basic') ? { username: 'ada', password: 'pass:word' } : {}),
    }
    const chosen = has('caller') ? own : chooseCredential(settings(values))
    assert.notEqual(chosen?.kind, 'grant')

    await using upstream = await startUpstream(reply(200, {}))
    await using http = serviceHttp({ baseUrl: upstream.url, credential: async () => asCredential(chosen) })
    await http.json('/a')
    const sent = Object.entries(upstream.requests[0]?.headers ?? {}).filter(([name]) => /authorization|api-key|cookie/.test(name))
    assert.deepEqual(sent, highest ? [[highest.header, highest.line]] : [])
  })
}

test("an OAuth client comes before the service's other credentials", () => {
  const chosen = chooseCredential(
    settings({
      oauthClientId: 'id',
      oauthClientSecret: 'secret',
      oauthTokenUrl: 'https://id.example.com/token',
      personalToken: 't',
    }),
  )
  assert.deepEqual(chosen, {
    kind: 'grant',
    tokenUrl: 'https://id.example.com/token',
    id: 'id',
    secret: 'secret',
    scope: undefined,
  })
})

test('half a credential is none: the next one is taken', () => {
  assert.equal(chooseCredential(settings({ oauthClientId: 'id', username: 'ada', apiKey: 'key' }))?.kind, 'apiKey')
  assert.equal(chooseCredential(settings({ username: 'ada', password: '' })), undefined)
})

for (const [what, values, setting] of [
  ['a token with a line break', { personalToken: 'token\n', apiKey: 'fine' }, 'GITHUB_PERSONAL_TOKEN'],
  ['a key with a snowman', { apiKey: '☃', username: 'ada', password: 'fine' }, 'GITHUB_API_KEY'],
  ['a user name with a colon', { username: 'a:b', password: 'fine' }, 'GITHUB_USERNAME'],
] as const)
  test(`${what} is an error that names ${setting}, never a reason to take the next`, () => {
    assert.throws(
      () => chooseCredential(settings(values)),
      (error) => error instanceof HostError && error.code === 'CREDENTIAL_INVALID' && error.message.includes(setting),
    )
  })

test('an OAuth client without a token URL is missing a setting', () => {
  assert.throws(
    () => chooseCredential(settings({ oauthClientId: 'id', oauthClientSecret: 'secret', apiKey: 'key' })),
    (error) => error instanceof HostError && error.message.includes('GITHUB_OAUTH_TOKEN_URL'),
  )
})

test("goes into the plugin's own header, with its scheme or none", () => {
  const placement = { personalToken: { header: 'Private-Token' }, apiKey: { header: 'Authorization', scheme: 'GenieKey' } }
  assert.deepEqual(headersOf(chooseCredential(settings({ personalToken: 'abc' }, placement))), { 'private-token': 'abc' })
  assert.deepEqual(headersOf(chooseCredential(settings({ apiKey: 'abc' }, placement))), { authorization: 'GenieKey abc' })
})

for (const header of ['Host', 'Content-Length', 'X-HTTP-Method-Override', 'X-Original-URL', 'bad name'])
  test(`no credential goes into ${header}`, () => {
    assert.throws(
      () => chooseCredential(settings({ apiKey: 'abc' }, { apiKey: { header } })),
      (error) => error instanceof HostError && error.code === 'SERVICE_HEADER_INVALID',
    )
  })

test('a fingerprint tells credentials apart and does not tell them', () => {
  const first = asCredential(chooseCredential(settings({ personalToken: 'one-token' })))
  const again = asCredential(chooseCredential(settings({ personalToken: 'one-token' })))
  const other = asCredential(chooseCredential(settings({ personalToken: 'two-token' })))
  assert.equal(first?.fingerprint, again?.fingerprint)
  assert.notEqual(first?.fingerprint, other?.fingerprint)
  assert.doesNotMatch(first?.fingerprint ?? '', /token/)
})

test('of two credentials that differ in one thing the fingerprints differ', () => {
  const of = (more: object, kind: Credential['kind'] = 'apiKey', value = 'key') =>
    headerCredential(kind, value, { instance: 'github', placement: { apiKey: { header: 'X-Key' } }, fingerprintKey, ...more })
      .fingerprint
  const fingerprints = [
    of({}),
    of({}, 'apiKey', 'another'),
    of({ placement: { apiKey: { header: 'X-Other-Key' } } }),
    of({ placement: { apiKey: { header: 'X-Key', scheme: 'Key' } } }),
    of({ placement: { apiKey: { query: 'X-Key' } } }),
    of({ placement: { apiKey: { query: 'key' } } }),
    of({ placement: { apiKey: { cookie: 'X-Key' } } }),
    of({ placement: { apiKey: { cookie: 'X-Key' } } }, 'apiKey', 'another'),
    of({ placement: { personalToken: { header: 'X-Key' } } }, 'personalToken'),
    of({ fingerprintKey: Buffer.alloc(32, 2) }),
  ]
  assert.equal(new Set(fingerprints).size, fingerprints.length)
  assert.equal(of({ placement: { apiKey: { header: 'x-key' } } }), of({}), 'however the header is spelt')
})

test('every part of a credential that proves something is kept out of texts', () => {
  const line = Buffer.from('ada:pass:word').toString('base64')
  const table: [Credential | undefined, string[]][] = [
    [asCredential(chooseCredential(settings({ personalToken: 'token' }))), ['token']],
    [asCredential(chooseCredential(settings({ apiToken: 'token' }))), ['token']],
    [asCredential(chooseCredential(settings({ apiKey: 'key' }))), ['key']],
    [asCredential(chooseCredential(settings({ username: 'ada', password: 'pass:word' }))), [line, 'ada:pass:word', 'pass:word']],
    [callerCredential(authorization('Bearer token'), settings({})), ['token']],
    [callerCredential(authorization('token'), settings({})), ['token']],
    [callerCredential(authorization(`Basic ${line}`), settings({})), [line, 'ada:pass:word', 'pass:word']],
  ]
  for (const [credential, secrets] of table) assert.deepEqual(credential?.secrets, secrets)
})

test('a credential in the query is on the wire, and in nothing that a plugin or an error reads', async () => {
  const secret = 'se/cr+t key&more'
  const placement = { apiKey: { query: 'api_key' } }
  await using upstream = await startUpstream([
    (response) => response.writeHead(302, { location: `/b?page=2&api_key=${encodeURIComponent(secret)}` }).end(),
    (response, { path }) => response.end(JSON.stringify({ asked: path })),
    reply(403, { message: `not with ${secret}` }),
  ])
  const credential = asCredential(chooseCredential(settings({ apiKey: secret }, placement)))
  await using http = serviceHttp({ baseUrl: upstream.url, placement, hidesSecrets: true, credential: async () => credential })
  const answer = await http.request('/a', { query: { page: 1, tag: 'x y' } })
  const error = await refusal(http.json('/c?q=1'), 'PERMISSION_DENIED')
  const key = `api_key=${encodeURIComponent(secret)}`
  assert.deepEqual(
    upstream.requests.map(({ path }) => path),
    [`/a?page=1&tag=x%20y&${key}`, `/b?page=2&${key}`, `/c?q=1&${key}`],
  )
  const seen = JSON.stringify([answer.url, answer.headers, answer.text(), error.message, error.fix])
  for (const spelling of [secret, encodeURIComponent(secret), 'cr+t', 'cr%2Bt']) assert.ok(!seen.includes(spelling), seen)
  assert.ok(
    upstream.requests.every(({ headers }) => headers['authorization'] === undefined && headers['x-api-key'] === undefined),
  )
})

test('the key of the query that holds a credential is not for a plugin to set, however it is spelt', async () => {
  await using upstream = await startUpstream(reply(200, {}))
  const placement = { apiKey: { query: 'api_key' } }
  await using http = serviceHttp({ baseUrl: upstream.url, placement, credential: async () => undefined })
  for (const [path, query] of [
    ['/a?api_key=1', {}],
    ['/a?%61pi_key=1', {}],
    ['/a', { api_key: 'x' }],
  ] as const)
    assert.match((await refusal(http.json(path, { query }), 'INVALID_INPUT')).message, /"api_key" in its query is a credential/)
  assert.equal(upstream.requests.length, 0)
  await http.json('/a?api_keys=1')
  assert.equal(upstream.requests[0]?.path, '/a?api_keys=1')
})

test('a credential in a cookie is alone in it, and one that would make another cookie is refused', async () => {
  const placement = { apiKey: { cookie: 'sid' } }
  await using upstream = await startUpstream(reply(200, {}))
  const credential = asCredential(chooseCredential(settings({ apiKey: 'abc=' }, placement)))
  await using http = serviceHttp({ baseUrl: upstream.url, placement, credential: async () => credential })
  await http.json('/a')
  assert.equal(upstream.requests[0]?.headers['cookie'], 'sid=abc=')
  for (const value of ['key;admin=1', 'key 1', 'key,1', '"key"', 'keyé', String.raw`key\1`])
    assert.throws(
      () => chooseCredential(settings({ apiKey: value }, placement)),
      (error) => error instanceof HostError && error.code === 'CREDENTIAL_INVALID' && !error.message.includes(value),
    )
})

test('a request that wants no credential goes without one, in every place', async () => {
  await using upstream = await startUpstream(reply(200, {}))
  for (const place of [{ header: 'X-Key' }, { query: 'key' }, { cookie: 'sid' }]) {
    const placement = { apiKey: place }
    const credential = asCredential(chooseCredential(settings({ apiKey: 'canary' }, placement)))
    await using http = serviceHttp({ baseUrl: upstream.url, placement, credential: async () => credential })
    await http.json('/open', { withoutCredential: true })
  }
  assert.doesNotMatch(JSON.stringify(upstream.requests), /canary/)
})

test('a refused credential is an error, and the next lower one is not tried', async () => {
  await using upstream = await startUpstream(reply(401, { message: 'Bad credentials' }))
  const chosen = asCredential(chooseCredential(settings({ personalToken: 'server-token', apiKey: 'server-key' })))
  await using http = serviceHttp({ baseUrl: upstream.url, credential: async () => chosen })
  const error = await refusal(http.json('/user'), 'AUTHENTICATION_FAILED')
  assert.equal(error.message, 'github: GET /user answered 401: Bad credentials')
  assert.match(error.fix ?? '', /Set GITHUB_PERSONAL_TOKEN/)
  assert.equal(upstream.requests.length, 1)
})

test('concurrent calls each carry the credential of their own', async () => {
  await using upstream = await startUpstream((response, { headers }) => response.end(JSON.stringify(headers['authorization'])))
  const turn = Array.from({ length: 200 }, (_, index) => `token-${index}`)
  await using http = serviceHttp({
    baseUrl: upstream.url,
    credential: async () => headerCredential('oauth', turn.shift() ?? '', settings({})),
  })
  const answers = await Promise.all(Array.from({ length: 200 }, (_, index) => http.json(`/${index}`)))
  assert.deepEqual(
    answers,
    Array.from({ length: 200 }, (_, index) => `Bearer token-${index}`),
  )
})

function asCredential(chosen: ReturnType<typeof chooseCredential>): Credential | undefined {
  assert.ok(chosen?.kind !== 'grant')
  return chosen
}

function headersOf(chosen: ReturnType<typeof chooseCredential>): Record<string, string> {
  const headers: Record<string, string> = {}
  asCredential(chosen)?.apply(headers)
  return headers
}
