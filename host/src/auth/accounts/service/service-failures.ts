import { ServiceError } from '@mcp-patchbay/plugin-api/host'

/** The refresh token, or the code, is good for nothing any more. */
export class GrantRefused extends ServiceError {}

/** What openid-client throws may hold the answer of the service, and so a token: nothing of it goes on but what the error is called. */
export function asServiceError(error: unknown, instance: string, setting: string): ServiceError {
  if (error instanceof ServiceError) return error
  const cause: unknown = error instanceof Error ? error.cause : undefined
  if (cause instanceof ServiceError) return cause
  const said = error instanceof Error && 'error' in error && typeof error.error === 'string' ? error.error : undefined
  const shown = said?.replaceAll(/[^\w .-]/g, '').slice(0, 80)
  if (said === 'invalid_grant')
    return new GrantRefused('AUTHENTICATION_FAILED', `${instance}: the service does not accept the link any longer`, {
      fix: 'Link your account again',
    })
  if (said === 'access_denied')
    return new ServiceError('PERMISSION_DENIED', `${instance}: access was denied at the service`, {
      fix: 'Link your account again, and allow the access',
    })
  if (shown !== undefined) return failed(instance, `refused: ${shown}`, `Check ${setting}`)
  const status = cause instanceof Response ? ` with status ${cause.status}` : ''
  const what = error instanceof Error ? error.message.slice(0, 120) : 'unknown'
  return failed(instance, `gave no token${status} (${what})`, `Check ${setting}, or try again later`)
}

export function failed(instance: string, problem: string, fix: string): ServiceError {
  return new ServiceError('UPSTREAM_FAILED', `${instance}: the authorization server of the service ${problem}`, { fix })
}
