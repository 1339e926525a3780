import type { HttpRequest } from '@mcp-patchbay/plugin-api'
import { ServiceError } from '@mcp-patchbay/plugin-api/host'
import { hostError } from '../../errors.ts'
import { brief } from '../request/brief.ts'

/** Where a plugin's requests may go. */
export interface Reach {
  readonly instance: string
  /** `path` without the slash at its end: empty for a base URL that is an origin. Undefined for a plugin without a service of its own. */
  readonly base: { readonly origin: string; readonly path: string } | undefined
  /** Further origins it was granted. */
  readonly origins: ReadonlySet<string>
  /** It may fetch from any public address. */
  readonly anyPublic: boolean
}

/** Where one request goes. */
export interface Target {
  readonly url: URL
  /** `service`: under the base URL, with the credential. `elsewhere`: another granted origin, always without it. */
  readonly zone: 'service' | 'elsewhere'
  /** In the service the path below the base URL, elsewhere the whole one; never the query. */
  readonly path: string
}

export interface ReachOptions {
  readonly instance: string
  readonly baseUrl: string | undefined
  /** Origins, or `public`: the capability `hosts` as granted. */
  readonly extraHosts: readonly string[]
  /** For the error: the variable the base URL comes from. */
  readonly baseUrlVariable: string
}

/** Reads the configured addresses. Throws `SERVICE_URL_INVALID` for one that is no plain http or https URL. */
export function createReach({ instance, baseUrl, extraHosts, baseUrlVariable }: ReachOptions): Reach {
  const invalid = (setting: string, problem: string) => hostError('SERVICE_URL_INVALID', { plugin: instance, setting, problem })
  const read = (text: string, setting: string) => {
    const url = URL.parse(text)
    if (!url || !/^https?:\/\//i.test(text)) throw invalid(setting, 'is not a URL that begins with https:// or http://')
    if (url.username || url.password) throw invalid(setting, 'contains a user name or password')
    if (url.search || url.hash) throw invalid(setting, 'has a query or a fragment')
    return url
  }
  const base = baseUrl === undefined ? undefined : read(baseUrl, baseUrlVariable)
  const origins = extraHosts
    .filter((host) => host !== 'public')
    .map((host) => read(host, `capabilities.hosts "${brief(host)}"`).origin)
  return {
    instance,
    base: base && { origin: base.origin, path: base.pathname.replace(/\/+$/, '') },
    origins: new Set(origins),
    anyPublic: extraHosts.includes('public'),
  }
}

/**
 * Where `path` leads: below the base URL, or, for an absolute URL, to an origin that was granted. Throws `INVALID_INPUT` for anything
 * that could lead elsewhere, whatever the service makes of it: the text may come from a model.
 */
export function resolveTarget(reach: Reach, path: string, query?: HttpRequest['query']): Target {
  const refuse = (why: string, fix = FIX_PATH) =>
    new ServiceError(
      'INVALID_INPUT',
      `${reach.instance}: the path "${brief(typeof path === 'string' ? path : typeof path, 120)}" ${why}`,
      { fix },
    )
  if (typeof path !== 'string') throw refuse('is not a string')
  if (/\p{Cc}/u.test(path)) throw refuse('contains control characters')
  if (path.includes('\\')) throw refuse('contains a backslash')
  if (climbs(path)) throw refuse('contains a segment . or .., which may leave the service')

  const absolute = /^https?:\/\//i.test(path)
  if (!absolute) {
    if (path !== '' && !path.startsWith('/')) throw refuse('does not begin with /')
    if (path.startsWith('//')) throw refuse('begins with //, which names another host')
    if (path.includes('#')) throw refuse('contains #, and nothing behind it would be sent', FIX_ENCODE)
    if (!reach.base) throw refuse('is relative, and this plugin has no base URL', 'Give the whole URL, with https://')
  }
  const url = URL.parse(absolute ? path : `${reach.base?.origin}${reach.base?.path}${path}`)
  if (!url) throw refuse('is not part of a URL')
  if (url.username || url.password) throw refuse('contains a user name or password')
  url.hash = ''
  addQuery(url, query)

  const target = classify(reach, url)
  if (target && (absolute || target.zone === 'service')) return target
  if (!absolute) throw refuse('leads outside the base URL')
  throw refuse(
    'leads to a host this plugin was not granted',
    `Grant it in the config file: capabilities: { hosts: ['${url.origin}'] }`,
  )
}

/** The zone of a URL, or undefined where the plugin may not go at all. */
export function classify({ base, origins, anyPublic }: Reach, url: URL): Target | undefined {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return undefined
  if (base && url.origin === base.origin && (url.pathname === base.path || url.pathname.startsWith(`${base.path}/`)))
    return { url, zone: 'service', path: url.pathname.slice(base.path.length) }
  return anyPublic || origins.has(url.origin) ? { url, zone: 'elsewhere', path: url.pathname } : undefined
}

/**
 * True for a segment `.` or `..`, also percent-encoded, encoded more than once, behind an encoded slash, or with the `;` parameters
 * that some servers strip before they resolve it. The query is data and may hold anything.
 */
export function climbs(path: string): boolean {
  const [beforeQuery = ''] = path.split('?', 1)
  return beforeQuery.split(SEPARATOR).some((segment) => DOTS.test(segment))
}

const SEPARATOR = /[/\\]|%(?:25)*(?:2f|5c)/i
/** Also with encoded control characters and spaces in it: what drops them, or ends a text at a NUL, reads the dots alone. */
const DOTS =
  /^(?:(?:%(?:25)*(?:[01][\da-f]|20|7f))*(?:\.|%(?:25)*2e)){1,2}(?:%(?:25)*(?:[01][\da-f]|20|7f))*(?:$|;|%(?:25)*(?:3b|00))/i

const FIX_PATH = 'Give a path that begins with one / and stays below the base URL'
const FIX_ENCODE = 'Put values into a path with encodeURIComponent()'

/** Not with `URLSearchParams`: it would rewrite the query that exists, and encode a space as a plus, which some services do not decode. */
function addQuery(url: URL, query: HttpRequest['query'] = {}): void {
  const pairs = Object.entries(query).flatMap(([key, value]) =>
    [value].flat().flatMap((item) => (item === undefined || item === null ? [] : [`${encode(key)}=${encode(String(item))}`])),
  )
  if (pairs.length > 0) url.search = [url.search.slice(1), ...pairs].filter(Boolean).join('&')
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}
