import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'
import { NARROWING_HEADERS } from './narrowing.ts'
import { refusal, type Refusal } from './respond.ts'

export interface AdmissionOptions {
  /** The address that is bound. */
  readonly host: string
  /** Host headers besides the address itself: `name` at any port, or `name:port`. */
  readonly allowedHosts?: readonly string[]
  /** Origins such as `https://app.example.com`, or a bare `name` at any port. */
  readonly allowedOrigins?: readonly string[]
  readonly publicUrl?: string | undefined
  /** A request of HTTP/1.0 may lack the Host header, which that does not know. Default: false. */
  readonly withoutHost?: boolean
}

/** Who is let in at all, before anything of a request is used. */
export interface Admission {
  /** The refusal, or undefined. Requests that get through have one Host, one path, and no Origin but an allowed one. */
  readonly check: (req: IncomingMessage) => Refusal | undefined
}

/**
 * Guards against DNS rebinding and foreign pages: the Host header must name this server, and an Origin header, which browsers send,
 * must be allowed. On a loopback address that is the loopback names. Elsewhere it is also any IP address, since a rebinding page has
 * a name, and what the config allows.
 */
export function createAdmission({
  host,
  allowedHosts = [],
  allowedOrigins = [],
  publicUrl,
  withoutHost = false,
}: AdmissionOptions): Admission {
  const loopback = isLoopback(host)
  const hosts = new Set(
    [...LOOPBACK_NAMES, bracketed(host), ...allowedHosts, ...(publicUrl ? [new URL(publicUrl).host] : [])].map(lowerCase),
  )
  const origins = new Set(
    [...(loopback ? LOOPBACK_NAMES : []), ...allowedOrigins, ...(publicUrl ? [new URL(publicUrl).origin] : [])].map(lowerCase),
  )

  /** Clients come back with the same one: the last good one is remembered. */
  let good: string | undefined
  const hostRefusal = (header: string | undefined): Refusal | undefined => {
    if (header !== undefined && header === good) return undefined
    const refused = decideHost(header)
    if (!refused) good = header
    return refused
  }
  const decideHost = (header: string | undefined): Refusal | undefined => {
    if (!header) return refusal(400, 'The request has no Host header')
    const [, name, port = ''] = HOST.exec(header.toLowerCase()) ?? []
    if (name === undefined) return refusal(400, `The Host header ${JSON.stringify(header)} is not a name or address with a port`)
    if (hosts.has(name) || hosts.has(`${name}${port}`) || (!loopback && isIP(name.replaceAll(/[[\]]/g, '')) !== 0))
      return undefined
    return refusal(403, `Host ${JSON.stringify(header)} is not allowed; if it is a name of this server, add it to allowedHosts`)
  }

  const originRefusal = (header: string | undefined): Refusal | undefined => {
    if (header === undefined) return undefined
    const [, origin, name] = ORIGIN.exec(header.toLowerCase()) ?? []
    if (origin !== undefined && name !== undefined && (origins.has(origin) || origins.has(name))) return undefined
    return refusal(403, `Origin ${JSON.stringify(header)} is not allowed; if it is yours, add it to allowedOrigins`)
  }

  return {
    check(req) {
      const doubled = isOnceEach(req) ? undefined : doubledHeader(req.rawHeaders)
      if (doubled !== undefined) return refusal(400, `The header ${doubled} is there twice; send it once`)
      const unread = unreadHeader(req)
      if (unread !== undefined) return refusal(400, unread)
      if (!req.url?.startsWith('/')) return refusal(400, 'The request target must be a path, not a whole URL')
      if (withoutHost && req.httpVersion === '1.0' && req.headers.host === undefined) return originRefusal(req.headers.origin)
      return hostRefusal(req.headers.host) ?? originRefusal(req.headers.origin)
    },
  }
}

/** Whether only this machine can reach an address. */
export function isLoopback(host: string): boolean {
  const family = isIP(host)
  return family === 0 ? host.toLowerCase() === 'localhost' : loopbackAddresses.check(host, family === 6 ? 'ipv6' : 'ipv4')
}

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]']
const HOST = /^([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/
const ORIGIN = /^([a-z][a-z0-9+.-]*:\/\/([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?)$/

const loopbackAddresses = new BlockList()
loopbackAddresses.addSubnet('127.0.0.0', 8, 'ipv4')
loopbackAddresses.addAddress('::1', 'ipv6')

const lowerCase = (text: string): string => text.toLowerCase()
const bracketed = (host: string): string => (isIP(host) === 6 ? `[${host}]` : host)

/** Node merges what comes twice under one name, or drops it: as many names as lines is once each. */
function isOnceEach({ headers, rawHeaders }: IncomingMessage): boolean {
  let names = 0
  // oxlint-disable-next-line guard-for-in -- it is Node's own record
  for (const _name in headers) names++
  return names * 2 === rawHeaders.length
}

/**
 * Refuses a header whose name is almost one of ours. Nothing would read it, so the request would be served with more tools, or with another
 * credential, than its caller meant. Many proxies drop names with underscores.
 */
function unreadHeader({ headers }: IncomingMessage): string | undefined {
  // oxlint-disable-next-line guard-for-in -- it is Node's own record
  for (const name in headers) {
    if (name[0] !== 'x' || (name[1] !== '_' && name[1] !== '-')) continue
    const meant = name.replaceAll('_', '-')
    if (meant === 'x-api-key' ? name !== meant : OWN.some((prefix) => meant.startsWith(prefix) && !name.startsWith(prefix)))
      return `The header ${name} is not read: write hyphens, ${meant}`
    if (NARROWING_HEADERS.some((known) => name.startsWith(known.slice(0, NEARLY)) && !NARROWING_HEADERS.includes(name)))
      return `The header ${name} is not read; known are ${NARROWING_HEADERS.join(' and ')}`
  }
  return undefined
}

const NARROWING = 'x-patchbay-'
/** As much of a name as says which header is meant: x-patchbay-read, x-patchbay-tool. */
const NEARLY = NARROWING.length + 4
const OWN = [NARROWING, 'x-upstream-']

/** Headers that decide something must be there once: which of two counts differs from one program to the next. */
function doubledHeader(raw: readonly string[]): string | undefined {
  const seen = new Set<string>()
  for (let index = 0; index < raw.length; index += 2) {
    const name = (raw[index] ?? '').toLowerCase()
    if (!DECIDING.has(name) && !/^(?:mcp|x-patchbay|x-upstream)-/.test(name)) continue
    if (seen.has(name)) return name
    seen.add(name)
  }
  return undefined
}

const DECIDING: ReadonlySet<string> = new Set([
  'host',
  'authorization',
  'x-api-key',
  'origin',
  'content-type',
  'content-encoding',
  'last-event-id',
])
