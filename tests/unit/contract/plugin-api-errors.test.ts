import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceError, serviceErrorCode } from '@mcp-patchbay/plugin-api'

test('carries what a reader can do, how long to wait and the cause', () => {
  const cause = new Error('socket closed')
  const error = new ServiceError('RATE_LIMITED', 'Too many requests', { fix: 'Wait', retryAfterMs: 1_500, cause })
  assert.deepEqual(
    { name: error.name, code: error.code, message: error.message, fix: error.fix, wait: error.retryAfterMs, cause: error.cause },
    { name: 'ServiceError', code: 'RATE_LIMITED', message: 'Too many requests', fix: 'Wait', wait: 1_500, cause },
  )
  assert.ok(!Object.hasOwn(new ServiceError('NOT_FOUND', 'x'), 'cause'))
})

test('recognises the errors of another copy of this package', async () => {
  const here = await import('../../../plugin-api/src/errors.ts')
  const there: typeof here = await import(`${new URL('../../../plugin-api/src/errors.ts', import.meta.url).href}?copy=2`)
  assert.notEqual(here.ServiceError, there.ServiceError)
  assert.ok(new there.ServiceError('NOT_FOUND', 'x') instanceof here.ServiceError)
  assert.ok(new here.ServiceError('NOT_FOUND', 'x') instanceof there.ServiceError)
})

test('takes nothing else for a ServiceError', () => {
  for (const value of [new Error('x'), undefined, null, 'NOT_FOUND', { code: 'NOT_FOUND' }])
    assert.ok(!((value as unknown) instanceof ServiceError))
})

test('lets a subclass match only its own errors', () => {
  class QuotaError extends ServiceError {}
  const quota = new QuotaError('RATE_LIMITED', 'x')
  assert.ok(quota instanceof QuotaError && quota instanceof ServiceError)
  assert.ok(!(new ServiceError('NOT_FOUND', 'x') instanceof QuotaError))
})

test('gives every status of a service a code', () => {
  const codes = [200, 304, 400, 401, 403, 404, 408, 409, 410, 422, 429, 500, 502, 503, 504].map(
    (status) => `${status} ${serviceErrorCode(status) ?? 'fine'}`,
  )
  assert.deepEqual(codes, [
    '200 fine',
    '304 fine',
    '400 INVALID_INPUT',
    '401 AUTHENTICATION_FAILED',
    '403 PERMISSION_DENIED',
    '404 NOT_FOUND',
    '408 TIMEOUT',
    '409 INVALID_INPUT',
    '410 NOT_FOUND',
    '422 INVALID_INPUT',
    '429 RATE_LIMITED',
    '500 UPSTREAM_FAILED',
    '502 UPSTREAM_FAILED',
    '503 UPSTREAM_FAILED',
    '504 UPSTREAM_FAILED',
  ])
})
