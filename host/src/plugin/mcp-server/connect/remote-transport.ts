import type { HttpStream } from '../../../network/http-stream.ts'
import type { OpenedTransport, Sdk } from './types.ts'

/** The HTTP client of a server that runs elsewhere. It lives as long as the connections over it. */
export interface Way {
  http: ServerHttp | undefined
}

export type ServerHttp = AsyncDisposable & { readonly stream?: HttpStream }

/** Where the server is: the address of the entry, with what it asks for, unless the config names another. */
export function addressOf(url: string, config: Readonly<Record<string, unknown>>): string {
  const { apiUrl } = config
  const { origin, pathname } = new URL(url)
  return typeof apiUrl === 'string' && apiUrl !== `${origin}${pathname}` ? apiUrl : url
}

/** Streamable HTTP over the host's own connections, guard and credentials. */
export function openRemote(address: string, way: Way, { StreamableHTTPClientTransport }: Sdk): OpenedTransport {
  const transport = new StreamableHTTPClientTransport(new URL(address), { fetch: fetchOver(way) })
  return { transport, leave: () => transport.terminateSession() }
}

/** HTTP+SSE, as servers of 2024 have it. */
export function openOlder(address: string, way: Way, { SSEClientTransport }: Sdk): OpenedTransport {
  const fetch = fetchOver(way)
  return { transport: new SSEClientTransport(new URL(address), { fetch, eventSourceInit: { fetch } }) }
}

function fetchOver(way: Way): HttpStream {
  return (url, init) => {
    if (!way.http?.stream) return Promise.reject(new Error('There is no way to this server'))
    return way.http.stream(url, init)
  }
}
