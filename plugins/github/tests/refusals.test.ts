import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceError, type ServiceErrorCode } from '@mcp-patchbay/plugin-api'
import { refusal } from '../errors.ts'
import { connect, type Connected } from './connected.ts'

const issue = { owner: 'octocat', repo: 'Hello-World', issue_number: 42 }
const pull = { owner: 'octocat', repo: 'Hello-World', pull_number: 1347 }

test('says of a 404 that it may be a private repository the token cannot read', async () => {
  await using github = await connect()
  github.upstream.answer('issues/get', { status: 404 })
  const error = await failed(github.call('issues_get', issue), 'NOT_FOUND')
  assert.equal(error.message, 'GitHub answered 404 to GET /repos/octocat/Hello-World/issues/42: Resource not found')
  assert.match(error.fix ?? '', /private repository/)
})

test('says of a 401 which variable to set', async () => {
  await using github = await connect()
  github.upstream.answer('users/get-authenticated', { status: 401 })
  const error = await failed(github.call('users_me'), 'AUTHENTICATION_FAILED')
  assert.match(error.fix ?? '', /GITHUB_PERSONAL_TOKEN/)
})

test('says of a 403 which permission the token lacks', async () => {
  await using github = await connect()
  github.upstream.answer('issues/create', { status: 403, headers: { 'X-Accepted-GitHub-Permissions': 'issues=write' } })
  const error = await failed(
    github.call('issues_create', { owner: 'octocat', repo: 'Hello-World', title: 'x' }),
    'PERMISSION_DENIED',
  )
  assert.equal(error.fix, 'Give the token: issues=write')
})

test('takes a 403 without requests left for the rate limit that it is', async () => {
  await using github = await connect()
  const headers = { 'X-RateLimit-Remaining': '0', 'X-RateLimit-Reset': '1' }
  github.upstream.answer('issues/get', { status: 403, headers, body: { message: 'API rate limit exceeded' } })
  const error = await failed(github.call('issues_get', issue), 'RATE_LIMITED')
  assert.equal(error.retryAfterMs, 0)
})

test('counts the wait of a rate limit from now to the reset GitHub names', () => {
  const headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1090' }
  const error = refusal(response({ status: 403, headers, body: { message: 'API rate limit exceeded' } }), 'GET /user', 1_000_000)
  assert.equal(error.retryAfterMs, 90_000)
  assert.equal(error.fix, 'Wait 90 seconds')
})

test('waits as long as a secondary rate limit says', () => {
  const headers = { 'retry-after': '30', 'x-ratelimit-remaining': '4000', 'x-ratelimit-reset': '9999999999' }
  const error = refusal(response({ status: 429, headers, body: { message: 'Slow down' } }), 'GET /user')
  assert.equal(error.retryAfterMs, 30_000)
})

test('names the field that GitHub found wrong', async () => {
  await using github = await connect()
  const errors = [{ resource: 'PullRequest', field: 'head', code: 'invalid' }]
  github.upstream.answer('pulls/create', { status: 422, body: { message: 'Validation Failed', errors } })
  const input = { owner: 'octocat', repo: 'Hello-World', title: 'x', head: 'nowhere', base: 'master' }
  const error = await failed(github.call('pulls_create', input), 'INVALID_INPUT')
  assert.match(error.message, /Validation Failed; PullRequest head invalid$/)
})

test('passes on why a pull request cannot be merged', async () => {
  await using github = await connect()
  github.upstream.answer('pulls/merge', { status: 405 })
  const unmergeable = await failed(github.call('pulls_merge', pull), 'INVALID_INPUT')
  assert.match(unmergeable.message, /: Pull Request is not mergeable$/)
  github.upstream.answer('pulls/merge', { status: 409 })
  const moved = await failed(github.call('pulls_merge', pull), 'INVALID_INPUT')
  assert.match(moved.message, /: Head branch was modified/)
})

test('shows nothing of the body of a server error', async () => {
  await using github = await connect()
  github.upstream.answer('issues/get', { status: 500, body: { message: 'at /srv/app.rb with Bearer test-token' } })
  const error = await failed(github.call('issues_get', issue), 'UPSTREAM_FAILED')
  assert.equal(error.message, 'GitHub answered 500 to GET /repos/octocat/Hello-World/issues/42')
})

test('says so when a list is no list', async () => {
  await using github = await connect()
  github.upstream.answer('repos/list-branches', { body: { message: 'Moved' } })
  const error = await failed(github.call('branches_list', { owner: 'octocat', repo: 'Hello-World' }), 'UPSTREAM_FAILED')
  assert.match(error.message, /is not a list/)
})

test('sends nothing for an update that changes nothing', async () => {
  await using github = await connect()
  await failed(github.call('issues_update', issue), 'INVALID_INPUT')
  assert.equal(github.upstream.requests.length, 0)
})

async function failed(call: ReturnType<Connected['call']>, code: ServiceErrorCode): Promise<ServiceError> {
  const error: unknown = await call.then(
    () => assert.fail('the call succeeded'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof ServiceError, String(error))
  assert.equal(error.code, code)
  return error
}

function response({ status, headers, body }: { status: number; headers: Record<string, string>; body: unknown }) {
  const text = JSON.stringify(body)
  const bytes = new TextEncoder().encode(text)
  return { status, headers, url: 'https://api.github.com/user', body: bytes, text: () => text, json: () => JSON.parse(text) }
}
