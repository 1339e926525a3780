import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ladder, RUNGS } from '../../fixtures/auth/ladder.ts'
import { rawClient } from '../../fixtures/http/raw-client.ts'
import { RawSession } from '../../fixtures/http/raw-session.ts'
import { reply, reset, type Behaviour } from '../../fixtures/http/upstream.ts'

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const token = { access_token: 'odd-token', token_type: 'Bearer', issued_token_type: ACCESS_TOKEN }
const FAILURES: readonly (readonly [string, Behaviour, RegExp])[] = [
  ['refuses the token', reply(400, { error: 'invalid_grant' }), /could not be exchanged.*invalid_grant/],
  ['refuses the host', reply(401, { error: 'invalid_client' }), /could not be exchanged|answered 401/],
  ['is broken', reply(500), /answered 500/],
  ['cannot be reached', reset, /exchange/],
  ['answers a page', reply(200, '<html>'), /gave no token|token service/],
  ['issues no type', reply(200, { ...token, issued_token_type: undefined }), /issued_token_type/],
  ['issues an ID token', reply(200, { ...token, issued_token_type: `${ACCESS_TOKEN}.id` }), /issued_token_type/],
  ['issues no bearer', reply(200, { ...token, token_type: 'DPoP' }), /without a bearer token/],
]

test("where a caller's token cannot be exchanged the call is an error, and no lower credential is tried, in any era", async (t) => {
  let behaviour: Behaviour = reset
  const rungs = RUNGS.filter(({ exchanges, policy }) => exchanges && policy !== 'deny')
  const at = await ladder(t, { mode: 'oauth', isTenanted: false, rungs, exchange: (...call) => behaviour(...call) })
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
