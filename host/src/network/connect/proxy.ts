import type { LookupAddress } from 'node:dns'
import { isIP, type Socket } from 'node:net'
import type { buildConnector } from 'undici'
import { addressRefusal, type Dialing } from './address-guard.ts'
import { undici } from './undici.ts'

/** An HTTP proxy that the operator chose. */
export interface Proxy {
  readonly url: URL
  /** `Basic …`; undefined for one that needs no credential. */
  readonly authorization: string | undefined
}

/** The code of the error of a connector whose proxy gave no tunnel. */
export const PROXY_FAILED = 'PROXY_FAILED'

export interface ProxyOptions {
  readonly proxy: Proxy
  readonly dialing: Dialing
  /** Only public addresses: then the name is resolved here, and the proxy is given the address that passed. */
  readonly isGuarded: boolean
  /** Of the connection to the target, inside the tunnel. */
  readonly connecting: Connecting
}

/** undici passes all TLS options on, but its types list few of them. */
type Connecting = buildConnector.BuildOptions & { readonly ca?: string[] }

/**
 * Connects through a tunnel of the proxy, for http as well as for https: the proxy sees names and no contents. TLS, and with it the
 * certificate that is checked, is the target's own.
 */
export function proxiedConnector({ proxy, dialing, isGuarded, connecting }: ProxyOptions): buildConnector.connector {
  const secure = undici().buildConnector(connecting)
  return (target, callback) => {
    const port = target.port || (target.protocol === 'https:' ? '443' : '80')
    const connect = (host: string) =>
      openTunnel(proxy, `${host}:${port}`, connecting).then(
        (socket) => (target.protocol === 'https:' ? secure({ ...target, httpSocket: socket }, callback) : callback(null, socket)),
        (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null),
      )
    if (!isGuarded) return void connect(target.hostname)
    publicAddress(target.hostname, dialing).then(connect, (error: unknown) =>
      callback(error instanceof Error ? error : new Error(String(error)), null),
    )
  }
}

/** The host of a URL as an address that may be dialled. Rejects like a guarded connector. */
async function publicAddress(hostname: string, { lookup, isPublic }: Dialing): Promise<string> {
  const literal = hostname.replace(/^\[|\]$/g, '')
  if (isIP(literal) !== 0) {
    if (!isPublic(literal)) throw addressRefusal(literal)
    return hostname
  }
  const found = await new Promise<readonly LookupAddress[]>((resolve, reject) => {
    lookup(hostname, (error, addresses) => (error ? reject(error) : resolve(addresses)))
  })
  const first = found.find(({ address }) => isPublic(address))
  if (!first) throw addressRefusal(hostname)
  return first.family === 6 ? `[${first.address}]` : first.address
}

function openTunnel({ url, authorization }: Proxy, authority: string, { timeout, ca }: Connecting): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const isSecure = url.protocol === 'https:'
  // Not imported: only a service behind a proxy needs them, and the import of `node:http` reads undici as well.
  const { request } = process.getBuiltinModule(isSecure ? 'node:https' : 'node:http')
  const asking = request({
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port || (isSecure ? 443 : 80),
    method: 'CONNECT',
    path: authority,
    headers: { host: authority, ...(authorization !== undefined && { 'proxy-authorization': authorization }) },
    agent: false,
    ...(isSecure && ca !== undefined && { ca }),
  })
  const timer = setTimeout(() => asking.destroy(new Error('it did not answer in time')), timeout ?? 5_000)
  const failed = (problem: string, cause?: unknown) => {
    clearTimeout(timer)
    reject(Object.assign(new Error(problem, { cause }), { code: PROXY_FAILED }))
  }
  asking.once('connect', ({ statusCode = 0 }, socket: Socket, head) => {
    if (statusCode < 200 || statusCode > 299) {
      socket.destroy()
      return failed(`it answered ${statusCode} to CONNECT`)
    }
    clearTimeout(timer)
    if (head.length > 0) socket.unshift(head)
    resolve(socket)
  })
  asking.once('error', (error) => failed(error.message, error))
  asking.end()
  return promise
}
