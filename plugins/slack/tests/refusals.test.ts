import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceError, type ServiceErrorCode } from '@mcp-patchbay/plugin-api'
import { callTool, fakeHttp, type FakeReply } from '@mcp-patchbay/plugin-api/testing'
import plugin from '../index.ts'

const refusals: readonly { error: string; code: ServiceErrorCode; fix: RegExp }[] = [
  { error: 'invalid_auth', code: 'AUTHENTICATION_FAILED', fix: /SLACK_PERSONAL_TOKEN/ },
  { error: 'token_revoked', code: 'AUTHENTICATION_FAILED', fix: /SLACK_PERSONAL_TOKEN/ },
  { error: 'account_inactive', code: 'AUTHENTICATION_FAILED', fix: /SLACK_PERSONAL_TOKEN/ },
  { error: 'not_allowed_token_type', code: 'PERMISSION_DENIED', fix: /user token/ },
  { error: 'not_in_channel', code: 'PERMISSION_DENIED', fix: /\/invite/ },
  { error: 'missing_scope', code: 'PERMISSION_DENIED', fix: /scope/ },
  { error: 'restricted_action_read_only_channel', code: 'PERMISSION_DENIED', fix: /administrator/ },
  { error: 'channel_not_found', code: 'NOT_FOUND', fix: /channels_list/ },
  { error: 'thread_not_found', code: 'NOT_FOUND', fix: /channels_history/ },
  { error: 'ratelimited', code: 'RATE_LIMITED', fix: /Wait/ },
  { error: 'is_archived', code: 'INVALID_INPUT', fix: /archived/ },
  { error: 'invalid_cursor', code: 'INVALID_INPUT', fix: /without one/ },
  { error: 'invalid_ts_oldest', code: 'INVALID_INPUT', fix: /arguments/ },
  { error: 'request_timeout', code: 'TIMEOUT', fix: /again/ },
  { error: 'internal_error', code: 'UPSTREAM_FAILED', fix: /later/ },
]

for (const { error, code, fix } of refusals)
  test(`takes ${error} for ${code}`, async () => {
    const refused = await failure({ json: { ok: false, error } })
    assert.equal(refused.code, code)
    assert.match(refused.message, new RegExp(`conversations\\.history: ${error}$`))
    assert.match(refused.fix ?? '', fix)
  })

test('names the scope that is needed', async () => {
  const refused = await failure({ json: { ok: false, error: 'missing_scope', needed: 'channels:history', provided: 'identify' } })
  assert.equal(refused.code, 'PERMISSION_DENIED')
  assert.match(refused.message, /needs the scope channels:history$/)
  assert.match(refused.fix ?? '', /Add the scope channels:history to the Slack app/)
})

test('passes on what the host made of a status', async () => {
  const refused = await failure({ status: 429, headers: { 'Retry-After': '30' }, json: { ok: false, error: 'ratelimited' } })
  assert.equal(refused.code, 'RATE_LIMITED')
  assert.equal(refused.retryAfterMs, 30_000)
})

test('says so when something else than Slack answers', async () => {
  for (const json of [{ hello: 'world' }, [], 'ok', 1]) {
    const refused = await failure({ json })
    assert.equal(refused.code, 'UPSTREAM_FAILED')
    assert.match(refused.fix ?? '', /SLACK_API_URL/)
  }
})

async function failure(reply: FakeReply): Promise<ServiceError> {
  const http = fakeHttp([{ path: '/conversations.history', ...reply }])
  const error: unknown = await callTool(plugin, 'channels_history', { channel: 'C012AB3CD' }, { http }).then(
    () => assert.fail('the call succeeded'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof ServiceError, String(error))
  return error
}
