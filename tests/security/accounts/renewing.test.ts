import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import type { Accounts } from '../../../host/src/auth/accounts/accounts.ts'
import { createServiceClient, type ServiceOAuth } from '../../../host/src/auth/accounts/service/service-client.ts'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import { createRedactor } from '../../../host/src/observability/redact.ts'
import { ann, expiredAccount, formOf, fresh, HOUR } from '../../fixtures/auth/expired-account.ts'
import { held, reply, type Behaviour } from '../../fixtures/http/upstream.ts'

const used = async (accounts: Accounts) => (await accounts.use(ann))?.token()
/** Not signed by anybody, which is not looked at: only what it says it is for. */
const jwtFor = (aud: string) =>
  ['{"alg":"ES256"}', JSON.stringify({ aud }), 'signature'].map((part) => Buffer.from(part).toString('base64url')).join('.')

test('an expired token is renewed once for all who ask, here and at another host, and its refresh token is replaced', async (t) => {
  const answer = held(fresh())
  const { accounts, other, tokens, clock, audit } = await expiredAccount(t, [
    answer.behaviour,
    fresh({ access_token: 'access-3' }),
  ])
  const many = (of: Accounts) => Promise.all(Array.from({ length: 10 }, () => used(of)))
  const here = many(accounts)
  await tokens.received(1)
  const elsewhere = many(other)
  // Whoever has not got the turn looks again after a while.
  await clock.scheduled((ms) => ms === 100)
  answer.release()
  assert.deepEqual(new Set(await here), new Set(['access-2']))
  clock.advance(100)
  assert.deepEqual(new Set(await elsewhere), new Set(['access-2']))
  assert.equal(tokens.requests.length, 1)
  assert.equal(tokens.requests[0]?.headers['authorization'], `Basic ${btoa('desk:s3cret-canary')}`)
  assert.deepEqual(formOf(tokens, 0), { grant_type: 'refresh_token', refresh_token: 'refresh-1' })
  clock.advance(HOUR)
  assert.equal(await used(other), 'access-3')
  assert.equal(formOf(tokens, 1)['refresh_token'], 'refresh-2')
  assert.deepEqual(
    audit.map((line) => ('event' in line ? line.event : undefined)),
    ['link', 'refresh'],
  )
})

/** What the token endpoint does; what a call then is; whether the account has to be linked again. */
const FAULTS: readonly (readonly [what: string, Behaviour, code: string, isBroken: boolean, oauth?: Partial<ServiceOAuth>])[] = [
  ['is down', (response) => response.destroy(), 'UPSTREAM_FAILED', false],
  ['answers 503', reply(503), 'UPSTREAM_FAILED', false],
  ['answers with a page', reply(200, '<html>'), 'UPSTREAM_FAILED', false],
  ['answers with a list', reply(200, []), 'UPSTREAM_FAILED', false],
  ['says nothing of a token', reply(200, {}), 'UPSTREAM_FAILED', false],
  ['gives an empty token', fresh({ access_token: '' }), 'UPSTREAM_FAILED', false],
  ['gives a token with a line break', fresh({ access_token: 'a\r\nb' }), 'UPSTREAM_FAILED', false],
  ['gives a token of another type', fresh({ token_type: 'mac' }), 'UPSTREAM_FAILED', false],
  ['gives no type', fresh({ token_type: undefined }), 'UPSTREAM_FAILED', false],
  ['gives a token that lasts 0 seconds', fresh({ expires_in: 0 }), 'UPSTREAM_FAILED', false],
  ['gives a token that lasts less than nothing', fresh({ expires_in: -1 }), 'UPSTREAM_FAILED', false],
  ['gives a life that is not a number', fresh({ expires_in: 'soon' }), 'UPSTREAM_FAILED', false],
  [
    'gives a token for another audience',
    fresh({ access_token: jwtFor('https://other.example') }),
    'UPSTREAM_FAILED',
    false,
    { resource: 'https://hub.example' },
  ],
  ['does not know the client', reply(401, { error: 'invalid_client' }), 'UPSTREAM_FAILED', false],
  ['does not take the scope', reply(400, { error: 'invalid_scope' }), 'UPSTREAM_FAILED', false],
  ['refuses the refresh token', reply(400, { error: 'invalid_grant' }), 'ACCOUNT_BROKEN', true],
  [
    'refuses it in its own words, with status 200',
    reply(200, { error: 'bad_refresh_token' }),
    'ACCOUNT_BROKEN',
    true,
    { preset: 'github' },
  ],
]

for (const [what, behaviour, code, isBroken, oauth] of FAULTS)
  test(`a token endpoint that ${what} makes the call an error, and the account ${isBroken ? 'one to link again' : 'stays'}`, async (t) => {
    const { accounts, tokens, audit } = await expiredAccount(t, [behaviour, fresh()], { ...(oauth && { oauth }) })
    const error: unknown = await accounts.use(ann).then(
      (account) => assert.fail(account ? 'it was used' : 'it counts as not linked'),
      (reason: unknown) => reason,
    )
    assert.ok(error instanceof Error && 'code' in error)
    assert.equal(error.code, code)
    assert.doesNotMatch(`${error.message} ${String(error.cause)}`, /access-[12]|refresh-[12]|s3cret-canary/)
    const [stored] = await accounts.list(ann.principal)
    assert.equal(stored?.record.isBroken ?? false, isBroken)
    if (isBroken) {
      await assert.rejects(accounts.use(ann), { code: 'ACCOUNT_BROKEN' })
      assert.equal(tokens.requests.length, 1, 'it is not asked again')
      assert.match(JSON.stringify(audit.at(-1)), /"decision":"deny","reason":"invalid_grant"/)
    } else assert.equal(await used(accounts), 'access-2', 'the next call tries again')
  })

test('a life that the service does not say is one without an end, until it refuses the token', async (t) => {
  const { accounts, clock, tokens, dir } = await expiredAccount(t, [
    fresh({ expires_in: undefined }),
    fresh({ access_token: 'access-3' }),
  ])
  assert.equal(await used(accounts), 'access-2')
  clock.advance(1_000 * HOUR)
  const account = await accounts.use(ann)
  assert.equal(await account?.token(), 'access-2')
  account?.refused('access-2')
  while ((await accounts.list(ann.principal))[0]?.record.expiresAt !== 0) await new Promise(setImmediate)
  while (readdirSync(dir).some((name) => name.endsWith('.turn'))) await new Promise(setImmediate)
  assert.equal(await used(accounts), 'access-3')
  assert.equal(tokens.requests.length, 2)
})

test('a refresh token that is given once stays, and one that is missing makes an expired account one to link again', async (t) => {
  const once = await expiredAccount(t, [fresh({ refresh_token: undefined }), fresh()])
  await used(once.accounts)
  once.clock.advance(HOUR)
  await used(once.accounts)
  assert.deepEqual(
    [0, 1].map((index) => formOf(once.tokens, index)['refresh_token']),
    ['refresh-1', 'refresh-1'],
  )
  const never = await expiredAccount(t, fresh(), { hasRefreshToken: false })
  await assert.rejects(never.accounts.use(ann), { code: 'ACCOUNT_BROKEN' })
  assert.equal(never.tokens.requests.length, 0)
})

test('a token that is good for some seconds yet is used when it cannot be renewed now', async (t) => {
  const { accounts, clock, tokens } = await expiredAccount(t, [fresh({ expires_in: 60 }), reply(503)])
  assert.equal(await used(accounts), 'access-2')
  clock.advance(29_000)
  assert.equal(await used(accounts), 'access-2')
  assert.equal(tokens.requests.length, 1)
  clock.advance(11_000)
  assert.equal(await used(accounts), 'access-2')
  assert.ok(tokens.requests.length > 1, 'it was tried half a minute before the end')
  clock.advance(20_000)
  await assert.rejects(accounts.use(ann), { code: 'UPSTREAM_FAILED' })
})

test('a call that runs while its account is unlinked, or linked again, gets no token any more', async (t) => {
  const { accounts, clock } = await expiredAccount(t, [fresh(), reply(200, {})])
  const account = await accounts.use(ann)
  clock.advance(HOUR)
  await accounts.unlink(ann)
  await assert.rejects(account?.token() ?? Promise.resolve(), {
    code: 'ACCOUNT_BROKEN',
    message: /was unlinked while the call ran/,
  })
  await accounts.link(ann, 'another')
  await assert.rejects(account?.token() ?? Promise.resolve(), { code: 'ACCOUNT_BROKEN' })
})

test('unlinking takes the tokens back at the service, and forgets them also where it does not answer', async (t) => {
  const { accounts, tokens } = await expiredAccount(t, [reply(200, {}), reply(200, {})])
  assert.equal(await accounts.unlink(ann), true)
  assert.deepEqual(
    tokens.requests.map(({ path }, index) => [path, formOf(tokens, index)['token']]),
    [
      ['/revoke', 'refresh-1'],
      ['/revoke', 'access-1'],
    ],
  )
  const down = await expiredAccount(t, (response) => response.destroy())
  assert.equal(await down.accounts.unlink(ann), true)
  assert.equal(await down.accounts.get(ann), undefined)
})

test('GitHub and Slack are asked as they want it, from data', async (t) => {
  const script = [
    reply(200, { ok: true, authed_user: { access_token: 'xoxp-2', token_type: 'user', scope: 'chat:write,users:read' } }),
  ]
  const { tokens, accounts } = await expiredAccount(t, script, {
    oauth: { preset: 'slack', scopes: ['chat:write', 'users:read'] },
  })
  const account = await accounts.use(ann)
  assert.equal(await account?.token(), 'xoxp-2')
  assert.deepEqual((await accounts.list(ann.principal))[0]?.record.scopes, ['chat:write', 'users:read'])
  assert.equal(formOf(tokens, 0)['refresh_token'], 'refresh-1')
  const client = createServiceClient({
    instance: 'slack',
    oauth: { preset: 'slack', clientId: 'desk', scopes: ['chat:write', 'users:read'] },
    clientSecret: 'x',
    now: () => 0,
    redactor: createRedactor(),
    log: silentLogger,
  })
  const url = await client.authorizationUrl({ redirectUri: 'https://mcp.example.com/cb', state: 's', verifier: 'v'.repeat(43) })
  assert.equal(url.origin + url.pathname, 'https://slack.com/oauth/v2/authorize')
  assert.equal(url.searchParams.get('user_scope'), 'chat:write,users:read')
  assert.equal(url.searchParams.get('scope'), null)
  assert.equal(url.searchParams.get('code_challenge_method'), 'S256')
})
