import { brief } from './brief.ts'
import type { Method } from './access.ts'
import type { CredentialSource } from './placed-credential.ts'

/** One request as its errors speak of it. */
export interface Subject {
  readonly instance: string
  readonly method: Method
  /** The path without query values. */
  readonly path: string
  readonly hints: Hints
  /** A call that may write sends it with a method that may: when its answer is lost, it is unknown whether the work was done. */
  readonly mayChange: boolean
  /** Of the credential that is on it. */
  readonly source?: CredentialSource
  readonly redact: (text: string) => string
}

/** The settings behind a service, for the steps of an error. */
export interface Hints {
  /** The variables of the credentials the plugin takes: `GITHUB_PERSONAL_TOKEN`. */
  readonly credentialVariables: readonly string[]
  readonly baseUrlVariable: string
  /** What a credential must be allowed, and where the service explains its credentials: by the plugin's own word. */
  readonly scopes?: readonly string[] | undefined
  readonly docsUrl?: string | undefined
  /** Names the file of the service's own certificate authority. Default: Node's. */
  readonly caFileVariable?: string
}

/** For requests to a host other than the service: no setting of the service has to do with them. */
export const HINTS_ELSEWHERE: Hints = Object.freeze({ credentialVariables: [], baseUrlVariable: 'the URL' })

/** `github: GET /search/issues?q=…`: the instance, the method and the path, the keys of the query but not what they hold. */
export function nameOf({ instance, method, path, redact }: Subject): string {
  return `${instance}: ${method} ${brief(redact(path), 200)}`
}

/** What is to be said of a request that was sent and whose answer says nothing of it: as of a call whose plugin was restarted. */
export function doubt({ mayChange }: Pick<Subject, 'mayChange'>): string {
  return mayChange ? '. The change may or may not have been made' : ''
}

/** The step after that: `otherwise` for a request that changes nothing. */
export function fixAfter({ mayChange }: Pick<Subject, 'mayChange'>, otherwise: string): string {
  return mayChange ? 'Check whether the change was made, and call again if it was not' : otherwise
}

/** A path and query for {@link Subject}: the values are the caller's data and stay out of logs. */
export function withoutValues(path: string, url: URL): string {
  const keys = [...new Set(url.searchParams.keys())].map((key) => `${key}=…`)
  return keys.length > 0 ? `${path}?${keys.join('&')}` : path || '/'
}
