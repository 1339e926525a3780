import type { CredentialPlacement, Placement } from '@mcp-patchbay/plugin-api'
import { LeftOut } from '../document/left-out.ts'
import { followed } from '../document/references.ts'
import { isObject, objectOf, type JsonObject } from '../json.ts'
import type { Operation } from './operations.ts'

/** How the operations of a description are authenticated: the host puts one credential on a request. */
export interface Security {
  /** Where the host puts which credential. */
  readonly credentials: CredentialPlacement
  /** Whether an operation goes without one. Throws `LeftOut` where the host can take none of the ways that it names. */
  readonly isOpen: (said: JsonObject) => boolean
}

/**
 * Reads the security schemes of a description. API keys go where the first one goes that an operation names: another one in another place
 * is a second credential, which the host does not have.
 */
export function readSecurity(document: JsonObject, operations: readonly Operation[]): Security {
  const schemes = new Map(
    Object.keys(objectOf(objectOf(document['components'])['securitySchemes'])).map((name) => [name, readScheme(document, name)]),
  )
  const ofAll = operations.flatMap(({ said }) => waysOf(document, said) ?? []).flatMap((way) => Object.keys(way))
  const used = [...new Set([...ofAll, ...schemes.keys()])].flatMap((name) => schemes.get(name) ?? [])
  const apiKey = used.find((scheme): scheme is ApiKey => scheme.kind === 'apiKey')
  const hasToken = used.some(({ kind }) => kind === 'token')
  return {
    credentials: {
      ...(apiKey && { apiKey: apiKey.place }),
      // A token that is given without saying what it is.
      ...(apiKey && !hasToken && { personalToken: apiKey.place }),
    },
    isOpen(said) {
      const ways = waysOf(document, said)
      if (ways === undefined) return false
      const problems = ways.map((way) => problemOf(Object.keys(way), { schemes, apiKey }))
      const isOptional = ways.some((way) => Object.keys(way).length === 0)
      const named = problems.filter((problem) => problem !== 'none')
      if (ways.length === 0 || (isOptional && named.every((problem) => problem !== undefined))) return true
      if (named.some((problem) => problem === undefined)) return false
      throw new LeftOut(`it wants a credential that the host cannot send: ${[...new Set(named)].join('; or ')}`)
    },
  }
}

type Scheme = ApiKey | { readonly kind: 'token' | 'basic' } | { readonly kind: 'none'; readonly problem: string }
interface ApiKey {
  readonly kind: 'apiKey'
  readonly place: Placement
}

/** What the operation names, or else the description. A `security` that is no list says nothing. */
function waysOf(document: JsonObject, said: JsonObject): readonly JsonObject[] | undefined {
  const ways = said['security'] ?? document['security']
  return Array.isArray(ways) ? ways.filter(isObject) : undefined
}

function problemOf(
  names: readonly string[],
  { schemes, apiKey }: { readonly schemes: ReadonlyMap<string, Scheme>; readonly apiKey: ApiKey | undefined },
): string | undefined {
  if (names.length === 0) return 'none'
  const problems = names.flatMap((name) => {
    const scheme = schemes.get(name)
    const problem =
      scheme === undefined
        ? 'is not described'
        : scheme.kind === 'none'
          ? scheme.problem
          : scheme.kind === 'apiKey' && placeText(scheme.place) !== placeText(apiKey?.place)
            ? `is ${placeText(scheme.place)}, and the API key is ${placeText(apiKey?.place)}`
            : undefined
    return problem === undefined ? [] : [`${JSON.stringify(name)} ${problem}`]
  })
  if (problems.length > 0) return problems.join(' and ')
  return names.length > 1 ? `${names.map((name) => JSON.stringify(name)).join(' and ')} at once` : undefined
}

function readScheme(document: JsonObject, name: string): Scheme {
  const described = objectOf(objectOf(document['components'])['securitySchemes'])[name]
  if (!isObject(described)) return refuse('is not described')
  try {
    return schemeOf(followed(document, described))
  } catch (error) {
    if (error instanceof LeftOut) return refuse(`cannot be read: ${error.message}`)
    throw error
  }
}

function refuse(problem: string): Scheme {
  return { kind: 'none', problem }
}

function schemeOf({ type, scheme, in: place, name: key }: JsonObject): Scheme {
  if (type === 'oauth2' || type === 'openIdConnect') return { kind: 'token' }
  if (type === 'http') {
    if (/^bearer$/i.test(String(scheme))) return { kind: 'token' }
    return /^basic$/i.test(String(scheme)) ? { kind: 'basic' } : refuse(`is HTTP ${String(scheme).slice(0, 60)}`)
  }
  if (type !== 'apiKey') return refuse(`is of type ${String(type).slice(0, 60)}`)
  const text = String(key)
  const shown = `the ${String(place).slice(0, 20)} parameter ${JSON.stringify(text.slice(0, 60))}`
  if (place === 'header')
    return HEADER.test(text) && !NO_PLACE.test(text) ? { kind: 'apiKey', place: { header: text } } : refuse(`is ${shown}`)
  if (place === 'query' && KEY.test(text)) return { kind: 'apiKey', place: { query: text } }
  return place === 'cookie' && HEADER.test(text) && KEY.test(text)
    ? { kind: 'apiKey', place: { cookie: text } }
    : refuse(`is ${shown}`)
}

/** Headers that decide where a request goes, or which one it is, hold no credential. */
const NO_PLACE =
  /^(?:cookie2?|host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|content-.*|accept.*|http2-settings|proxy-.*|x-http-method(?:-override)?|x-method-override|x-original-url|x-rewrite-url|traceparent|tracestate|baggage|user-agent)$/i
const HEADER = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/
/** What the host takes as a key of the query, or as the name of a cookie. */
const KEY = /^[A-Za-z0-9_.~$[\]-]{1,100}$/

function placeText({ header, query, cookie }: Partial<Record<'header' | 'query' | 'cookie', string>> = {}): string {
  if (header !== undefined) return `the header ${JSON.stringify(header.toLowerCase())}`
  return query === undefined ? `the cookie ${JSON.stringify(cookie)}` : `${JSON.stringify(query)} in the query`
}

/** Whether a parameter is the place of a credential, which the host fills in. */
export function isCredential({ credentials }: Pick<Security, 'credentials'>, place: unknown, name: string): boolean {
  return Object.values(credentials).some(
    ({ header, query, cookie }: Placement) =>
      (place === 'header' && header?.toLowerCase() === name.toLowerCase()) ||
      (place === 'query' && query === name) ||
      (place === 'cookie' && cookie === name),
  )
}
