import { isHeaderValue } from '../../network/request/headers.ts'
import type { CallerCredentials } from '../../network/http-call-scope.ts'

/** A request that brought nothing for any service. */
export const NO_CREDENTIALS: CallerCredentials = Object.freeze({
  of: () => undefined,
  subjectToken: undefined,
  secrets: Object.freeze([]),
})

export interface RequestCredentialOptions {
  /** Whether this instance takes credentials of callers. One that does not exist takes none: a mistyped name must not leave a call to others. */
  readonly takes: (instance: string) => boolean
  /** The service that the `Authorization` of requests is for, by `compat.authorizationIsUpstream`. */
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
  const found = new Map<string, string>()
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    const isCompat = authorizationIsFor !== undefined && name.length === 13 && name.toLowerCase() === 'authorization'
    if (!isCompat && !isUpstream(name)) continue
    const instance = isCompat ? authorizationIsFor() : instanceOf(name)
    if (instance === undefined)
      return {
        problem: `${name} is no header of this server: send X-Upstream-<INSTANCE>-Authorization; addresses are the operator's`,
      }
    if (found.has(instance)) return { problem: `${name} brings a second credential for "${instance}"` }
    const value = (rawHeaders[index + 1] ?? '').trim()
    if (!parseAuthorization(value)) return { problem: `${name} holds no credential: write Bearer and a token, or a token alone` }
    if (!takes(instance)) return { problem: `${name} is not accepted: "${instance}" takes no credentials of callers` }
    found.set(instance, value)
  }
  const isEmpty = found.size === 0 && subjectToken === undefined
  return { credentials: isEmpty ? NO_CREDENTIALS : new RequestCredentials(found, subjectToken) }
}

/** The header a caller sends its own credential for `instance` in. */
export function upstreamHeader(instance: string): string {
  const words = instance.split('_').map((word) => word.charAt(0).toUpperCase() + word.slice(1))
  return `X-Upstream-${words.join('-')}-Authorization`
}

/** The scheme, in lower case, and what is behind it; `Bearer` without a token is not a token. Undefined for what is no credential. */
export function parseAuthorization(line: string): { readonly scheme: string | undefined; readonly value: string } | undefined {
  const [, scheme, value = ''] = /^(?:([A-Za-z][A-Za-z0-9-]*) +)?([^\s]+)$/.exec(line) ?? []
  if (value === '' || !isHeaderValue(value) || (!scheme && /^(?:bearer|basic)$/i.test(value))) return undefined
  return { scheme, value }
}

/** Private fields: no log line, error or copy of it shows what is inside. */
class RequestCredentials implements CallerCredentials {
  readonly #byInstance: ReadonlyMap<string, string>
  readonly #subjectToken: string | undefined

  constructor(byInstance: ReadonlyMap<string, string>, subjectToken: string | undefined) {
    this.#byInstance = byInstance
    this.#subjectToken = subjectToken
  }

  of(instance: string): string | undefined {
    return this.#byInstance.get(instance)
  }

  get subjectToken(): string | undefined {
    return this.#subjectToken
  }

  get secrets(): readonly string[] {
    const brought = [...this.#byInstance.values()].flatMap((line) => parseAuthorization(line)?.value ?? [])
    return this.#subjectToken === undefined ? brought : [...brought, this.#subjectToken]
  }
}

/** Asked of every header of every request. */
function isUpstream(name: string): boolean {
  return name.length > PREFIX.length && (name[0] === 'x' || name[0] === 'X') && name.toLowerCase().startsWith(PREFIX)
}

/** Proxies drop headers with underscores, so a hyphen stands for one. */
function instanceOf(name: string): string | undefined {
  const [, instance] = /^x-upstream-([a-z0-9]+(?:[-_][a-z0-9]+)*)-authorization$/.exec(name.toLowerCase()) ?? []
  return instance?.replaceAll('-', '_')
}

const PREFIX = 'x-upstream-'
