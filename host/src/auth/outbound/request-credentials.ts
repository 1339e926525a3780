import type { BroughtCredential, CallerCredentials } from '../../network/http-call-scope.ts'

/** A request that brought nothing for any service. */
export const NO_CREDENTIALS: CallerCredentials = Object.freeze({
  of: () => undefined,
  subjectToken: undefined,
  secrets: Object.freeze([]),
})

export interface RequestCredentialOptions {
  /** Whether this instance takes credentials of callers; undefined: there is none of this name. */
  readonly takes: (instance: string) => boolean | undefined
  /** The service that `Authorization` and `X-API-Key` of requests are for, by `compat.authorizationIsUpstream`. */
  readonly authorizationIsFor?: () => string | undefined
}

/**
 * What the headers of a request bring for services, `X-Upstream-<INSTANCE>-Authorization` each, or why the request is refused. A header
 * that is meant as a credential and cannot be one never counts as none: another one would be used in its place.
 */
export function readRequestCredentials(
  rawHeaders: readonly string[],
  { takes, authorizationIsFor }: RequestCredentialOptions,
  subjectToken?: string,
): { readonly credentials: CallerCredentials } | { readonly problem: string } {
  const found = new Map<string, BroughtCredential>()
  let apiKey: BroughtCredential | undefined
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    const value = (rawHeaders[index + 1] ?? '').trim()
    const compat = authorizationIsFor ? COMPAT.get(name.toLowerCase()) : undefined
    if (compat === undefined && !isUpstream(name)) continue
    const instance = compat === undefined ? instanceOf(name) : authorizationIsFor?.()
    if (instance === undefined)
      return {
        problem: `${name} is no header of this server: send X-Upstream-<INSTANCE>-Authorization; addresses are the operator's`,
      }
    const taken = takes(instance)
    if (taken === undefined) return { problem: `${name} is for no service of this server: there is no "${instance}"` }
    if (!taken) return { problem: `${name} is not accepted: "${instance}" takes no credentials of callers` }
    const isApiKey = compat === 'apiKey'
    if (isApiKey ? apiKey : found.has(instance)) return { problem: `${name} brings a second credential for "${instance}"` }
    if (isApiKey ? !TOKEN.test(value) : !parseAuthorization(value)) return { problem: `${name} holds no credential: ${HOW}` }
    const header = compat === undefined ? upstreamHeader(instance) : name
    if (isApiKey) apiKey = { kind: 'apiKey', line: value, header }
    else found.set(instance, { kind: 'authorization', line: value, header })
  }
  // The guide's order: a bearer token goes before an API key.
  const compatInstance = authorizationIsFor?.()
  if (apiKey && compatInstance !== undefined && !found.has(compatInstance)) found.set(compatInstance, apiKey)
  const isEmpty = found.size === 0 && subjectToken === undefined
  return { credentials: isEmpty ? NO_CREDENTIALS : new RequestCredentials(found, subjectToken) }
}

/** The headers that are for the service by `compat.authorizationIsUpstream`. */
const COMPAT: ReadonlyMap<string, BroughtCredential['kind']> = new Map([
  ['authorization', 'authorization'],
  ['x-api-key', 'apiKey'],
])

const HOW = 'write Bearer and a token, Basic and a user name and password in Base64, or a token alone, in ASCII'

/** The header a caller sends its own credential for `instance` in. */
export function upstreamHeader(instance: string): string {
  const words = instance.split('_').map((word) => word.charAt(0).toUpperCase() + word.slice(1))
  return `X-Upstream-${words.join('-')}-Authorization`
}

/** The scheme and what is behind it; `Bearer` without a token is not a token. Undefined for what cannot be a credential. */
export function parseAuthorization(line: string): { readonly scheme: string | undefined; readonly value: string } | undefined {
  const [, scheme, value = ''] = /^(?:([A-Za-z][A-Za-z0-9-]*) +)?([^\s]+)$/.exec(line) ?? []
  if (!TOKEN.test(value) || (!scheme && /^(?:bearer|basic)$/i.test(value))) return undefined
  if (scheme?.toLowerCase() === 'basic' && !isBasicPair(value)) return undefined
  return { scheme, value }
}

/** What services issue as tokens is printable ASCII without spaces. */
const TOKEN = /^[!-~]+$/

/** RFC 7617: a user name and a password behind the first colon, without control characters, in Base64. */
function isBasicPair(value: string): boolean {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(value)) return false
  const bytes = Buffer.from(value, 'base64')
  if (bytes.toString('base64').replace(/=+$/, '') !== value.replace(/=+$/, '')) return false
  const pair = bytes.toString()
  return pair.includes(':') && !/\p{Cc}/u.test(pair)
}

/** Private fields: no log line, error or copy of it shows what is inside. */
class RequestCredentials implements CallerCredentials {
  readonly #byInstance: ReadonlyMap<string, BroughtCredential>
  readonly #subjectToken: string | undefined

  constructor(byInstance: ReadonlyMap<string, BroughtCredential>, subjectToken: string | undefined) {
    this.#byInstance = byInstance
    this.#subjectToken = subjectToken
  }

  of(instance: string): BroughtCredential | undefined {
    return this.#byInstance.get(instance)
  }

  get subjectToken(): string | undefined {
    return this.#subjectToken
  }

  get secrets(): readonly string[] {
    const brought = [...this.#byInstance.values()].flatMap(({ kind, line }) => secretsIn(kind, line))
    return this.#subjectToken === undefined ? brought : [...brought, this.#subjectToken]
  }
}

/** What must not be seen of one: of `Basic` also the password alone. */
function secretsIn(kind: BroughtCredential['kind'], line: string): readonly string[] {
  if (kind === 'apiKey') return [line]
  const { scheme, value } = parseAuthorization(line) ?? {}
  if (value === undefined) return []
  if (scheme?.toLowerCase() !== 'basic') return [value]
  const pair = Buffer.from(value, 'base64').toString()
  return [value, pair, pair.slice(pair.indexOf(':') + 1)]
}

/** Asked of every header of every request. */
function isUpstream(name: string): boolean {
  return name.length >= PREFIX.length && (name[0] === 'x' || name[0] === 'X') && name.toLowerCase().startsWith(PREFIX)
}

/** Proxies drop headers with underscores, so a hyphen stands for one. */
function instanceOf(name: string): string | undefined {
  const [, instance] = /^x-upstream-([a-z0-9]+(?:[-_][a-z0-9]+)*)-authorization$/.exec(name.toLowerCase()) ?? []
  return instance?.replaceAll('-', '_')
}

const PREFIX = 'x-upstream-'
