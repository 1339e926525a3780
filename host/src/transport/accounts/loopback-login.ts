import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { ServiceClient, Tokens } from '../../auth/accounts/types.ts'
import { CONTENT_POLICY, documentOf, failedPage, linkedPage, type Page } from './page-html.ts'

export interface LoopbackLoginOptions {
  readonly client: ServiceClient
  readonly instance: string
  /** In place of what is asked for always. */
  readonly scopes?: readonly string[] | undefined
  /** 0 picks a free one. */
  readonly port: number
  /** Told of the address that the person has to open. */
  readonly onAddress: (address: string) => void
  readonly signal: AbortSignal
}

/**
 * Links an account of the operator: a listener on loopback waits for the browser to come back (RFC 8252), until `signal` aborts.
 * Rejects with a `ServiceError` when the service refuses, and with the signal's reason.
 */
export async function loginOverLoopback(options: LoopbackLoginOptions): Promise<Tokens> {
  const { client, instance, scopes, port, onAddress, signal } = options
  const server = createServer()
  server.listen(port, '127.0.0.1')
  await once(server, 'listening', { signal })
  const address = server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : port
  const path = `/accounts/callback/${instance}`
  const redirectUri = `http://127.0.0.1:${bound}${path}`
  const secret = () => randomBytes(32).toString('base64url')
  const registered = await client.register(redirectUri).catch((error: unknown) => {
    server.close()
    throw error
  })
  const flow = { redirectUri, state: secret(), verifier: secret(), registered, scopes }
  const { promise, resolve, reject } = Promise.withResolvers<Tokens>()
  const onAbort = () => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  let isUsed = false

  server.on('request', (req, res) => {
    const show = (page: Page) =>
      res
        .writeHead(page.status, {
          'content-type': 'text/html; charset=utf-8',
          'content-security-policy': CONTENT_POLICY,
          'cache-control': 'no-store',
          'referrer-policy': 'no-referrer',
          connection: 'close',
        })
        .end(documentOf(page))
    const { url = '/', method, headers } = req
    // Whatever else knocks on this port changes nothing, and need not be an address at all.
    const cameBackTo = url.startsWith(`${path}?`) ? URL.parse(url, redirectUri) : null
    const isOurs = headers.host === `127.0.0.1:${bound}` && method === 'GET'
    const states = cameBackTo?.searchParams.getAll('state') ?? []
    if (!cameBackTo || !isOurs || isUsed || states.length !== 1 || states[0] !== flow.state) return void show(failedPage('state'))
    isUsed = true
    client.exchange(cameBackTo, flow).then(
      (tokens) => {
        res.once('close', () => resolve(tokens))
        show(linkedPage(instance))
      },
      (error: unknown) => {
        res.once('close', () => reject(error))
        show(failedPage('service'))
      },
    )
  })

  try {
    onAddress((await client.authorizationUrl(flow)).href)
    return await promise
  } finally {
    signal.removeEventListener('abort', onAbort)
    server.close()
    server.closeAllConnections()
  }
}
