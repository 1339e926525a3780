import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAccounts } from './accounts.ts'
import { createLogin } from './login.ts'
import { checkOptions, type LoginLog, type SamlAuthorizationServerOptions } from './options.ts'
import { createProvider } from './provider.ts'
import { createRoutes } from './routes.ts'
import { createServiceProvider } from './service-provider.ts'
import { createMemoryStore } from './store.ts'

/** An OAuth 2.1 authorization server whose login is that of a SAML identity provider. */
export interface SamlAuthorizationServer {
  /** What the host names in `auth.inbound.oauth.issuers`. */
  readonly issuer: string
  /** For `node:http`: answers every request, so the server has an origin of its own. */
  handle(req: IncomingMessage, res: ServerResponse): Promise<void>
  /** Serves plain HTTP: TLS ends before it, unless it is for this machine alone. */
  listen(address: { readonly port: number; readonly host?: string }): Promise<Listening>
}

export interface Listening extends AsyncDisposable {
  readonly url: string
}

/** Throws one error that lists all that is wrong with the options. Nothing listens until it is told to. */
export function createSamlAuthorizationServer(options: SamlAuthorizationServerOptions): SamlAuthorizationServer {
  checkOptions(options)
  const { issuer, resource, scopes, identityProvider, claims = {}, log = silent, now = Date.now } = options
  const { store = createMemoryStore(), accessTokenSeconds = 600, sessionSeconds = 28_800 } = options
  const accounts = createAccounts(store, sessionSeconds * 1000)
  const provider = createProvider({ options, store, accounts, accessTokenSeconds, sessionSeconds })
  provider.on('server_error', (_ctx, error) => log.error('oauth_request_failed', { error: error.stack }))
  const serviceProvider = createServiceProvider({ issuer, identityProvider, now })
  const login = createLogin({ provider, serviceProvider, accounts, claims, store, log })
  const handle = createRoutes({ issuer, resource, scopes, provider, serviceProvider, accounts, login, log })

  return {
    issuer,
    handle,
    async listen({ port, host = '127.0.0.1' }) {
      const server = createServer({ headersTimeout: 10_000, requestTimeout: 30_000 }, (req, res) => void handle(req, res))
      server.listen(port, host)
      await once(server, 'listening')
      const address = server.address() as AddressInfo
      const name = address.family === 'IPv6' ? `[${address.address}]` : address.address
      const url = `http://${name}:${address.port}`
      log.info('saml_listening', { url, issuer })
      return {
        url,
        async [Symbol.asyncDispose]() {
          const closed = once(server, 'close')
          server.close().closeAllConnections()
          await closed
        },
      }
    },
  }
}

const silent: LoginLog = { info() {}, warn() {}, error() {} }
