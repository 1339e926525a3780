import { createHmac } from 'node:crypto'
import type { CredentialPlacement, Placement } from '@mcp-patchbay/plugin-api'
import { CREDENTIAL_KEYS } from '@mcp-patchbay/plugin-api/host'
import { variableName } from '../../config/plugin/variables.ts'
import { hostError } from '../../errors.ts'
import {
  placementOf,
  type Credential,
  type CredentialKind,
  type CredentialSource,
} from '../../network/request/placed-credential.ts'
import { credentialHeaderProblem, isHeaderValue } from '../../network/request/headers.ts'

/** What a service's config says of credentials, and how its plugin puts them on requests. */
export interface CredentialSettings {
  readonly instance: string
  /** What the environment variables begin with. Default: the instance. */
  readonly prefix?: string
  /** Values by config key, secret or not: `personalToken`, `apiKey`, `username`, `password`, `oauthClientId`, `oauthClientSecret`, … */
  readonly values: ReadonlyMap<string, string>
  readonly placement?: CredentialPlacement | undefined
  /** Fingerprints made with one key can be compared, and none tells its secret. */
  readonly fingerprintKey: Uint8Array
}

/** What a token is fetched with, by the client credentials grant of RFC 6749 §4.4. */
export interface OAuthClient {
  readonly kind: 'grant'
  readonly tokenUrl: string
  readonly id: string
  readonly secret: string
  readonly scope: string | undefined
}

/**
 * The server's own credential of a service: the highest its config has, in the order OAuth client, personal token, API key, basic. What
 * is there but cannot be used is an error and never a reason to take the next: throws `CREDENTIAL_INVALID`, `CONFIG_MISSING` for an
 * OAuth client without `oauthTokenUrl`, `SERVICE_HEADER_INVALID` for a header no credential may go into.
 */
export function chooseCredential(settings: CredentialSettings): Credential | OAuthClient | undefined {
  const isSet = (key: string) => (settings.values.get(key) ?? '') !== ''
  const [highest] = CREDENTIAL_KEYS.find((keys) => keys.every(isSet)) ?? []
  const value = (key: string) => settings.values.get(key) ?? ''
  switch (highest) {
    case 'oauthClientId':
      return oauthClient(settings)
    case 'personalToken':
      return headerCredential('personalToken', readHeaderValue('personalToken', settings), settings)
    case 'apiToken':
      return headerCredential('personalToken', readHeaderValue('apiToken', settings), {
        ...settings,
        source: { kind: 'server', variables: [variableName(settings.prefix ?? settings.instance, 'apiToken')] },
      })
    case 'apiKey':
      return headerCredential('apiKey', readHeaderValue('apiKey', settings), settings)
    case 'username':
      return basicCredential(value('username'), value('password'), settings)
    default:
      return undefined
  }
}

/** What puts a credential on a request. */
export type HeaderSettings = Pick<CredentialSettings, 'instance' | 'prefix' | 'placement' | 'fingerprintKey'> & {
  /** Default: the server's own. */
  readonly source?: CredentialSource
}

/** A credential that is one header: its scheme, if it has one, and `value`. */
export function headerCredential(kind: CredentialKind, value: string, settings: HeaderSettings): Credential {
  const { instance, prefix = instance, placement, fingerprintKey, source = serverSource(kind, prefix) } = settings
  const place = placementOf(kind, placement)
  if (place.header === undefined) return placedApart(kind, value, place, { ...settings, source })
  const { header, scheme } = place
  const problem = credentialHeaderProblem(header, scheme)
  if (problem) throw hostError('SERVICE_HEADER_INVALID', { plugin: instance, header, problem })
  const name = header.toLowerCase()
  const line = scheme ? `${scheme} ${value}` : value
  return Object.freeze({
    kind,
    source,
    fingerprint: createHmac('sha256', fingerprintKey).update(`${kind}\0${name}\0${line}`).digest('base64url'),
    secrets: [value],
    apply(headers: Record<string, string>) {
      headers[name] = line
    },
  })
}

/** A credential that is a pair of the query, or a cookie. */
function placedApart(
  kind: CredentialKind,
  value: string,
  { query, cookie }: Exclude<Placement, { header: string }>,
  { instance, prefix = instance, fingerprintKey, source }: HeaderSettings & { readonly source: CredentialSource },
): Credential {
  const where = query === undefined ? `cookie\0${cookie}` : `query\0${query}`
  const shared = {
    kind,
    source,
    fingerprint: createHmac('sha256', fingerprintKey).update(`${kind}\0${where}\0${value}`).digest('base64url'),
    secrets: [value],
  }
  if (query !== undefined)
    return Object.freeze({ ...shared, query: { name: query, value: encodeURIComponent(value) }, apply() {} })
  // RFC 6265: what would end the cookie, or begin another one.
  if (/[^!#-+\--:<-[\]-~]/.test(value))
    throw hostError('CREDENTIAL_INVALID', {
      plugin: instance,
      setting: source.kind === 'server' ? (source.variables[0] ?? prefix) : 'the credential of the caller',
      problem: 'goes into a cookie, and has a space, a quote, a comma, a semicolon, a backslash or a letter outside of ASCII',
    })
  return Object.freeze({
    ...shared,
    apply(headers: Record<string, string>) {
      headers['cookie'] = `${cookie}=${value}`
    },
  })
}

/** The variables that a credential of the server is read from. */
function serverSource(kind: CredentialKind, prefix: string): CredentialSource {
  const keys = {
    oauth: ['oauthClientId', 'oauthClientSecret'],
    personalToken: ['personalToken'],
    apiKey: ['apiKey'],
    basic: ['username', 'password'],
  }[kind]
  return { kind: 'server', variables: keys.map((key) => variableName(prefix, key)) }
}

/** RFC 7617, in UTF-8. A colon in the name would move the border between it and the password. */
function basicCredential(username: string, password: string, settings: CredentialSettings): Credential {
  const { instance, prefix = instance } = settings
  if (username.includes(':') || /\p{Cc}/u.test(username))
    throw hostError('CREDENTIAL_INVALID', {
      plugin: instance,
      setting: variableName(prefix, 'username'),
      problem: 'contains a colon or a control character',
    })
  const pair = `${username}:${password}`
  const credential = headerCredential('basic', Buffer.from(pair).toString('base64'), settings)
  return Object.freeze({ ...credential, secrets: [...credential.secrets, pair, password] })
}

function oauthClient(settings: CredentialSettings): OAuthClient {
  const { instance, prefix = instance, values } = settings
  const tokenUrl = values.get('oauthTokenUrl')
  if (!tokenUrl) throw hostError('CONFIG_MISSING', { plugin: instance, variable: variableName(prefix, 'oauthTokenUrl') })
  return {
    kind: 'grant',
    tokenUrl,
    id: readHeaderValue('oauthClientId', settings),
    secret: readHeaderValue('oauthClientSecret', settings),
    scope: values.get('oauthScope') || undefined,
  }
}

function readHeaderValue(key: string, { instance, prefix = instance, values }: CredentialSettings): string {
  const value = values.get(key) ?? ''
  if (isHeaderValue(value) && value.trim() === value) return value
  throw hostError('CREDENTIAL_INVALID', {
    plugin: instance,
    setting: variableName(prefix, key),
    problem: 'has a line break, a control character, a character beyond Latin-1, or space around it',
  })
}
