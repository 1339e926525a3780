import { ServiceError, type HttpResponse } from '@mcp-patchbay/plugin-api'

/**
 * What a refusal of GitHub means. It answers 403 for a rate limit as for a missing permission and 404 for a private repository
 * as for none, so the status alone would send the reader the wrong way. `now` is milliseconds of the epoch.
 */
export function refusal(response: HttpResponse, request: string, now: number = Date.now()): ServiceError {
  const { status, headers } = response
  if (status >= 500)
    return new ServiceError('UPSTREAM_FAILED', `GitHub answered ${status} to ${request}`, { fix: 'Try again later' })
  const { message, details } = explanation(response)
  const what = `GitHub answered ${status} to ${request}: ${[message, ...details].join('; ')}`
  if (status === 401)
    return new ServiceError('AUTHENTICATION_FAILED', what, {
      fix: 'Set personalToken (GITHUB_PERSONAL_TOKEN for the instance github) to a token that is valid, and not expired or revoked',
    })
  if (status === 429 || (status === 403 && isRateLimit(headers, message))) {
    const retryAfterMs = waitOf(headers, now)
    return new ServiceError('RATE_LIMITED', what, {
      fix: retryAfterMs === undefined ? 'Wait a minute before the next call' : `Wait ${Math.ceil(retryAfterMs / 1000)} seconds`,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    })
  }
  if (status === 403 || status === 451) return new ServiceError('PERMISSION_DENIED', what, { fix: permissionFix(headers) })
  if (status === 404)
    return new ServiceError('NOT_FOUND', what, {
      fix: 'Check the owner, the name and the number. GitHub says the same of a private repository that the token may not read: give the token access to it',
    })
  if (status === 410)
    return new ServiceError('NOT_FOUND', what, { fix: 'It was deleted, or the feature is off in this repository' })
  return new ServiceError('INVALID_INPUT', what, { fix: 'Change the arguments it names and call again' })
}

function isRateLimit(headers: HttpResponse['headers'], message: string): boolean {
  return headers['x-ratelimit-remaining'] === '0' || headers['retry-after'] !== undefined || /rate limit/i.test(message)
}

function waitOf(headers: HttpResponse['headers'], now: number): number | undefined {
  const seconds = Number(headers['retry-after'])
  if (Number.isFinite(seconds) && seconds > 0) return seconds * 1000
  const reset = Number(headers['x-ratelimit-reset'])
  return Number.isFinite(reset) && reset > 0 ? Math.max(0, reset * 1000 - now) : undefined
}

/** GitHub names what the token lacks: permissions of a fine-grained one, scopes of a classic one. */
function permissionFix(headers: HttpResponse['headers']): string {
  const needed = headers['x-accepted-github-permissions'] ?? headers['x-accepted-oauth-scopes']
  return needed
    ? `Give the token: ${needed.slice(0, 200)}`
    : 'Give the token access to this repository and, where the organisation asks for it, authorise it for single sign-on'
}

/** GitHub's `{ message, errors: [{ resource, field, code, message }] }`, in as many words as a reader needs. */
function explanation(response: HttpResponse): { message: string; details: string[] } {
  const body = parsed(response)
  const message = isObject(body) && typeof body['message'] === 'string' ? body['message'] : 'no reason given'
  const errors = isObject(body) && Array.isArray(body['errors']) ? body['errors'].slice(0, 5) : []
  return { message: message.slice(0, 300), details: errors.map(detail).filter(Boolean) }
}

function detail(error: unknown): string {
  if (typeof error === 'string') return error.slice(0, 200)
  if (!isObject(error)) return ''
  if (typeof error['message'] === 'string') return error['message'].slice(0, 200)
  return ['resource', 'field', 'code'].flatMap((key) => (typeof error[key] === 'string' ? [error[key]] : [])).join(' ')
}

function parsed(response: HttpResponse): unknown {
  try {
    return response.json()
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
