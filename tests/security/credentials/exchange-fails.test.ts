import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ladder, RUNGS } from '../../fixtures/auth/ladder.ts'
import { rawClient } from '../../fixtures/http/raw-client.ts'
import { RawSession } from '../../fixtures/http/raw-session.ts'
import { endless, redirect, reply, reset, resetMidBody, type Behaviour } from '../../fixtures/http/upstream.ts'

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token'
const JSON_TYPE = { 'content-type': 'application/json' }
/** What the entries ask for. */
const exchangeFor = { audience: 'desk', resource: 'https://desk.example/api' }
const token = { access_token: 'odd-token', token_type: 'Bearer', issued_token_type: ACCESS_TOKEN }
/** Signed by no one, which is its service's to check: only what it says of itself. */
const jwt = (claims: object) =>
  ['{"alg":"ES256"}', JSON.stringify(claims), 'signature'].map((part) => Buffer.from(part).toString('base64url')).join('.')
const gives = (change: object) => reply(200, { ...token, ...change })
const FAILURES: readonly (readonly [string, Behaviour, RegExp])[] = [
  ['refuses the token', reply(400, { error: 'invalid_grant' }), /could not be exchanged.*invalid_grant/],
  ['refuses the audience', reply(400, { error: 'invalid_target' }), /could not be exchanged.*invalid_target/],
  ['refuses in words that are none', reply(400, 'no'), /answered 400/],
  ['refuses the host', reply(401, { error: 'invalid_client' }), /could not be exchanged|answered 401/],
  ['is broken', reply(500), /answered 500/],
  ['leads elsewhere', redirect(307, 'http://127.0.0.1:9/token'), /exchange/],
  ['cannot be reached', reset, /exchange/],
  ['breaks off', resetMidBody, /exchange/],
  ['never ends', endless, /exchange/],
  ['answers 2 MB', reply(200, { ...token, more: 'x'.repeat(2_000_000) }), /exchange/],
  ['answers a page', reply(200, '<html>', { 'content-type': 'text/html' }), /gave no token|token service/],
  ['answers a list', reply(200, [token]), /gave no token/],
  ['issues no type', gives({ issued_token_type: undefined }), /issued_token_type/],
  ['issues an ID token', gives({ issued_token_type: ID_TOKEN, token_type: 'N_A' }), /issued_token_type/],
  ['issues a list of types', gives({ issued_token_type: [ACCESS_TOKEN] }), /issued_token_type/],
  ['issues no bearer', gives({ token_type: 'DPoP' }), /without a bearer token/],
  ['says no token type', gives({ token_type: undefined }), /gave no token/],
  ['issues an empty token', gives({ access_token: '' }), /without a bearer token|gave no token/],
  ['issues a token with a line break', gives({ access_token: 'a\r\nx-evil: 1' }), /without a bearer token/],
  ['issues a token that fits into no header', gives({ access_token: 'a'.repeat(20_000) }), /a token of 20000 characters/],
  ['issues a token for 0 seconds', gives({ expires_in: 0 }), /expired already/],
  ['issues a token for less', gives({ expires_in: -3_600 }), /gave no token/],
  ['issues a token for "0" seconds', gives({ expires_in: '0' }), /expired already/],
  ['issues a token for a life in words', gives({ expires_in: 'an hour' }), /gave no token/],
  [
    'issues a token for a life without end',
    reply(200, JSON.stringify({ ...token, expires_in: 0 }).replace(':0', ':1e999'), JSON_TYPE),
    /gave no token/,
  ],
  ['issues a JWT that is over', gives({ access_token: jwt({ exp: 1_000_000_000, aud: 'desk' }) }), /expired already/],
  ['issues a JWT for another audience', gives({ access_token: jwt({ aud: 'other' }) }), /for another audience/],
  [
    'issues a JWT for others',
    gives({ access_token: jwt({ aud: ['other', 'https://desk.example.evil'] }) }),
    /for another audience/,
  ],
  [
    'issues a JWT for a name that begins alike',
    gives({ access_token: jwt({ aud: 'https://desk.exam' }) }),
    /for another audience/,
  ],
  ['issues a JWT for no audience', gives({ access_token: jwt({ aud: [] }) }), /for another audience/],
  ['issues a JWT for a number', gives({ access_token: jwt({ aud: 7 }) }), /for another audience/],
  ['says that it is for another audience', gives({ audience: 'other' }), /for another audience/],
  ['says that it is for another resource', gives({ resource: ['https://desk.example.evil/api'] }), /for another audience/],
]

test("where a caller's token cannot be exchanged the call is an error, and no lower credential is tried, in any era", async (t) => {
  let behaviour: Behaviour = reset
  const rungs = RUNGS.filter(({ exchanges, policy }) => exchanges && policy !== 'deny')
  const at = await ladder(t, { mode: 'oauth', isTenanted: false, rungs, exchangeFor, exchange: (...call) => behaviour(...call) })
  for (const [index, [what, failing, words]] of FAILURES.entries()) {
    behaviour = failing
    // A token of its own each time: refusals are remembered.
    const caller = at.opaque(`tenant-${index}`)
    await at.link(
      caller,
      rungs.map(({ instance }) => instance),
    )
    const client = rawClient(at.url)
    const session = await RawSession.open(at.url, caller.headers)
    for (const { instance } of rungs) {
      const cell = `${index}~${instance}`
      const modern = await client.call(`${instance}_read`, { cell }, caller.headers)
      const older = await session.post('tools/call', { name: `${instance}_read`, arguments: { cell } })
      for (const { text } of [modern, older]) {
        assert.match(text, /"isError":true/, what)
        assert.match(text, words, what)
      }
      assert.deepEqual(at.sent(cell), [], `${what}: nothing reaches the service`)
    }
  }
  const asked = at.service.requests.filter(({ path }) => path === '/exchange')
  assert.ok(asked.length >= FAILURES.length, 'each was really asked')
})

test('a token for what was asked, by name or by address, goes to the service, and one that comes back unchanged goes nowhere', async (t) => {
  let issued: (subject: string) => object = () => ({})
  const rungs = RUNGS.filter(({ exchanges, policy, isolation }) => exchanges && policy === 'allow' && isolation === 'inline')
  const [{ instance } = assert.fail()] = rungs
  const exchange: Behaviour = (response, request) =>
    gives(issued(new URLSearchParams(request.body).get('subject_token') ?? ''))(response, request)
  const at = await ladder(t, { mode: 'oauth', isTenanted: false, rungs, exchangeFor, exchange })
  const client = rawClient(at.url)
  const call = async (cell: string) => {
    const caller = at.opaque(cell)
    return { caller, answer: await client.call(`${instance}_read`, { cell }, caller.headers) }
  }
  const good: [string, object][] = [
    ['its name', { access_token: jwt({ aud: 'desk' }) }],
    ['its address', { access_token: jwt({ aud: ['account', 'https://desk.example/api/'] }) }],
    ['the address that it is below', { access_token: jwt({ aud: 'https://desk.example' }) }],
    ['nothing that can be looked into', { access_token: 'a.b.c' }],
    ['a life in a text', { expires_in: '60' }],
    ['no life', { expires_in: undefined }],
  ]
  for (const [index, [what, change]] of good.entries()) {
    issued = () => change
    const { answer } = await call(`good-${index}`)
    assert.match(answer.text, /served/, what)
    const expected = 'access_token' in change ? change.access_token : token.access_token
    assert.deepEqual(at.sent(`good-${index}`), [`base authorization: Bearer ${String(expected)}`], what)
  }
  issued = (subject) => ({ access_token: subject })
  const { answer } = await call('same')
  assert.match(answer.text, /the very token that it was given.*"isError":true/)
  assert.deepEqual(at.sent('same'), [])
})
