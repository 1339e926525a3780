import { ServiceError } from '@mcp-patchbay/plugin-api/host'
import type * as Oidc from 'openid-client'
import { isLoopbackHost, isSafeUrl } from '../../../config/schema/secure-url.ts'
import { isObject } from '../../../data/json.ts'

/** What an MCP server elsewhere says of its authorization (RFC 9728). */
export interface ProtectedResource {
  /** The audience that its tokens are for (RFC 8707). */
  readonly resource: string
  readonly issuer: string
  /** Scopes that it knows; empty where it does not say. */
  readonly scopes: readonly string[]
}

/**
 * Asks where the server says that its metadata is: below its path, else at its origin. What it names must be itself, and its issuer must be
 * https, or on this machine where the server is. Rejects with a `ServiceError`.
 */
export async function discoverResource(address: string, fetch: Oidc.CustomFetch): Promise<ProtectedResource> {
  const url = new URL(address)
  const path = url.pathname === '/' ? '' : url.pathname.replace(/\/$/, '')
  const places = new Set([`${WELL_KNOWN}${path}`, WELL_KNOWN].map((place) => url.origin + place))
  for (const place of places) {
    const answer = await fetch(place, {
      method: 'GET',
      headers: { accept: 'application/json' },
      body: undefined,
      redirect: 'manual',
    })
    if (answer.status !== 200) continue
    const found: unknown = await answer.json().catch(() => undefined)
    const read = isObject(found) ? readResource(found, url) : undefined
    if (read) return read
    throw new ServiceError(
      'UPSTREAM_FAILED',
      `${url.host}: its metadata at ${place} is not that of an OAuth resource at ${url.href}`,
    )
  }
  throw new ServiceError('UPSTREAM_FAILED', `${url.host} says nothing of who may grant access to it`, {
    fix: 'Give oauth an issuer, or authorizationUrl and tokenUrl, in the config file',
  })
}

/** A server out in the world must not lead the host to addresses of this machine. */
export function mayAsk(origin: string, address: string): boolean {
  return isLoopbackHost(new URL(address).hostname) || !isLoopbackHost(new URL(origin).hostname)
}

const WELL_KNOWN = '/.well-known/oauth-protected-resource'

function readResource(found: Readonly<Record<string, unknown>>, url: URL): ProtectedResource | undefined {
  const { resource, authorization_servers: issuers, scopes_supported: scopes } = found
  const named = typeof resource === 'string' ? URL.parse(resource) : null
  const [issuer] = Array.isArray(issuers) ? (issuers as unknown[]) : []
  if (typeof resource !== 'string' || named?.origin !== url.origin || !isWithin(url.pathname, named.pathname)) return undefined
  if (typeof issuer !== 'string' || !isSafeUrl(issuer) || !mayAsk(new URL(issuer).origin, url.href)) return undefined
  return { resource, issuer, scopes: Array.isArray(scopes) ? scopes.filter((scope) => typeof scope === 'string') : [] }
}

function isWithin(path: string, folder: string): boolean {
  const whole = folder.endsWith('/') ? folder : `${folder}/`
  return `${path}/`.startsWith(whole)
}
