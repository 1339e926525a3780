import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { ServiceError } from '@mcp-patchbay/plugin-api'
import type { ClientConfig } from 'pg'

/** Where the database is and who connects, with nothing left to be read from the environment. */
export interface Address {
  /** A name, an IP address or, for a Unix socket, its folder. */
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
  readonly applicationName: string
  /** With TLS the certificate and its name are checked, always. */
  readonly tls: boolean
  readonly channelBinding: boolean
}

/**
 * Reads a connection string (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS). TLS is on unless the
 * server is on this machine or `sslmode=disable` says otherwise. Throws a `ServiceError` that quotes no part of it but names of parameters.
 */
export function readAddress(connectionString: string): Address {
  const text = connectionString.trim()
  if (!/^postgres(?:ql)?:\/\//.test(text)) throw unusable('does not begin with postgres://', FORM)
  // libpq takes a user without a host, URLs do not.
  const url = URL.parse(text.replace(/^([^/]+:\/\/[^/?#]*@)(?=[/?#]|$)/, '$1localhost'))
  if (!url) throw unusable('is not a URL', `${FORM}; percent-encode what is special in a password, such as @ / # and %`)
  const given = new Map(url.searchParams)
  for (const name of given.keys()) if (!PARAMETERS.has(name)) throw unknownParameter(name)
  const host = given.get('host') ?? (decoded(url.hostname.replace(/^\[(.*)\]$/, '$1')) || 'localhost')
  const user = given.get('user') ?? decoded(url.username)
  const database = decoded(url.pathname.slice(1)) || user
  const port = Number(given.get('port') ?? (url.port || 5432))
  if (host.includes(','))
    throw unusable('names several hosts', 'Name one: the address of the primary, or of a proxy before all of them')
  if (user === '') throw unusable('names no user', FORM)
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw unusable('has a port that is not one', 'Give one from 1 to 65535')
  return {
    host,
    port,
    user,
    database,
    password: given.get('password') ?? decoded(url.password),
    applicationName: given.get('application_name') ?? 'mcp-patchbay',
    tls: usesTls(given.get('sslmode'), host),
    channelBinding: given.get('channel_binding') !== 'disable',
  }
}

/** What `pg` is given for an address: every setting that it would take from variables such as PGPASSWORD or PGSSLMODE. */
export function connectionOptions(address: Address, caFile: string | undefined): ClientConfig {
  const { host, port, user, database, password, applicationName, tls, channelBinding } = address
  return {
    host,
    port,
    user,
    database,
    password: () => password, // a string that is empty would be looked for in PGPASSWORD and ~/.pgpass
    application_name: applicationName,
    client_encoding: 'UTF8',
    enableChannelBinding: channelBinding,
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_MS,
    ssl: tls && {
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      ...(caFile === undefined ? {} : { ca: readCertificates(caFile) }),
      ...(isIP(host) ? { host } : { servername: host }),
    },
  }
}

/** For a connection, and for a turn where all are in use. */
export const CONNECT_MS = 5_000

const FORM = 'Write postgres://USER:PASSWORD@HOST:5432/DATABASE'
const PARAMETERS: ReadonlySet<string> = new Set([
  'application_name',
  'channel_binding',
  'host',
  'password',
  'port',
  'sslmode',
  'user',
])

/** Names of libpq that this plugin does not take are told. Any other text may be the rest of a password that has a ?. */
const OF_LIBPQ: ReadonlySet<string> = new Set([
  'client_encoding',
  'connect_timeout',
  'dbname',
  'gssencmode',
  'hostaddr',
  'keepalives',
  'keepalives_count',
  'keepalives_idle',
  'keepalives_interval',
  'load_balance_hosts',
  'options',
  'passfile',
  'require_auth',
  'requiressl',
  'service',
  'ssl',
  'ssl_max_protocol_version',
  'ssl_min_protocol_version',
  'sslcert',
  'sslcrl',
  'sslkey',
  'sslnegotiation',
  'sslpassword',
  'target_session_attrs',
  'tcp_user_timeout',
])

function unknownParameter(name: string): ServiceError {
  if (name === 'sslrootcert')
    return unusable('has the parameter "sslrootcert", which is not known', 'Name the file in the caFile setting of the plugin')
  const known = `known are ${[...PARAMETERS].join(', ')}`
  if (OF_LIBPQ.has(name)) return unusable(`has the parameter "${name}", which is not known`, `Take it out; ${known}`)
  return unusable(
    'has a parameter that is not known',
    `Correct what follows the ?; ${known}. In a password write %3F for ? and %26 for &`,
  )
}

function usesTls(mode: string | undefined, host: string): boolean {
  if (mode === undefined) return !(host.startsWith('/') || host === 'localhost' || host === '::1' || host.startsWith('127.'))
  if (mode === 'disable') return false
  if (mode === 'require' || mode === 'verify-ca' || mode === 'verify-full') return true
  throw unusable(
    'has an sslmode under which the connection may not be encrypted or the server not be known',
    'Write sslmode=verify-full, with the authority in caFile where it is not a public one, or sslmode=disable in a network that you trust',
  )
}

function readCertificates(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const { code = 'unreadable' }: { code?: unknown } = Object(cause)
    throw new ServiceError('UPSTREAM_FAILED', `The certificate file of the database cannot be read (${String(code)})`, {
      fix: "Check the plugin's caFile setting: a relative path begins at the working directory of the host",
      cause,
    })
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw unusable('has a % that begins no escape', 'Write %25 for a percent sign')
  }
}

function unusable(problem: string, fix: string): ServiceError {
  return new ServiceError('UPSTREAM_FAILED', `The plugin's connectionString ${problem}`, { fix })
}
