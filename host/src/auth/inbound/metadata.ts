/** RFC 9728: where a client that has no token learns who gives one. */
export interface ResourceMetadata {
  /** Named in challenges. */
  readonly url: string
  /** Where this listener serves it: a proxy may keep the path of the public address, or not. */
  readonly paths: readonly string[]
  /** JSON. */
  readonly document: string
}

export interface MetadataOptions {
  readonly resource: string
  readonly issuers: readonly string[]
  readonly scopes: readonly string[]
}

/** Made of the config alone: a Host header would let a stranger send a client to his own authorization server. */
export function createResourceMetadata({ resource, issuers, scopes }: MetadataOptions): ResourceMetadata {
  const { origin, pathname } = new URL(resource)
  const own = pathname === '/' ? '' : pathname
  return Object.freeze({
    url: `${origin}${WELL_KNOWN}${own}`,
    paths: [...new Set([WELL_KNOWN, `${WELL_KNOWN}/mcp`, `${WELL_KNOWN}${own}`])],
    document: JSON.stringify({
      resource,
      authorization_servers: issuers,
      ...(scopes.length > 0 ? { scopes_supported: scopes } : {}),
      bearer_methods_supported: ['header'],
    }),
  })
}

/** This server as clients address it, where the config says only where that is. */
export function resourceAt(publicUrl: string): string {
  const url = new URL(publicUrl)
  if (!url.pathname.endsWith('/mcp')) url.pathname = `${url.pathname.replace(/\/$/, '')}/mcp`
  return url.href
}

const WELL_KNOWN = '/.well-known/oauth-protected-resource'
