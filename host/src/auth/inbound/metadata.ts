import { parseAddress } from '../../data/address.ts'

/**
 * RFC 9728: where a client that has no token learns who gives one. Each address is a resource of its own, since the document must name
 * the very address that the client used.
 */
export interface ResourceMetadata {
  /** Where the metadata of an address (`/mcp/readonly`) is; named in challenges. */
  readonly urlOf: (path: string) => string
  /** JSON; undefined for a path of this listener that has none. */
  readonly documentAt: (path: string) => string | undefined
}

export interface MetadataOptions {
  readonly resource: string
  readonly issuers: readonly string[]
  readonly scopes: readonly string[]
}

/** Made of the config and the path alone: a Host header would let a stranger send a client to an authorization server of its own. */
export function createResourceMetadata({ resource, issuers, scopes }: MetadataOptions): ResourceMetadata {
  const documentOf = (of: string) =>
    JSON.stringify({
      resource: of,
      authorization_servers: issuers,
      ...(scopes.length > 0 ? { scopes_supported: scopes } : {}),
      bearer_methods_supported: ['header'],
    })
  const { pathname } = new URL(resource)
  const own = pathname === '/' ? '' : pathname
  const prefix = own.replace(/\/mcp\/?$/, '')
  return Object.freeze({
    urlOf(path: string) {
      const { origin, pathname: at } = new URL(resourceOf(resource, path))
      return `${origin}${WELL_KNOWN}${at === '/' ? '' : at}`
    },
    documentAt(path: string) {
      if (!path.startsWith(WELL_KNOWN)) return undefined
      const of = path.slice(WELL_KNOWN.length)
      if (of === '' || of === own) return documentOf(resource)
      // A proxy may keep the path of the public address, or not.
      const place = of.startsWith(`${prefix}/`) && parseAddress(of.slice(prefix.length)) ? of.slice(prefix.length) : of
      return parseAddress(place) ? documentOf(resourceOf(resource, place)) : undefined
    },
  })
}

/**
 * What a token for the address `path` of this server names as its audience. Only a resource that ends in `/mcp` tells what its
 * neighbours are called; for any other it is the resource itself. Messages of HTTP+SSE belong to the stream at `/sse`.
 */
export function resourceOf(resource: string, path: string): string {
  const address = parseAddress(path)
  if (!address || path === MCP || !resource.endsWith(MCP)) return resource
  const base = address.base === '/messages' ? '/sse' : address.base
  return `${resource.slice(0, -MCP.length)}${base}${address.view}`
}

/** This server as clients address it, where the config says only where that is. */
export function resourceAt(publicUrl: string): string {
  const url = new URL(publicUrl)
  if (!url.pathname.endsWith(MCP)) url.pathname = `${url.pathname.replace(/\/$/, '')}${MCP}`
  return url.href
}

const MCP = '/mcp'
const WELL_KNOWN = '/.well-known/oauth-protected-resource'
