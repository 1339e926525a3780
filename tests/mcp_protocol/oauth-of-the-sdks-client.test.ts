// What a client of the SDK does that knows nothing but an address: asks, is told where to get a token, logs somebody in,
// comes back with the token, and asks for more scopes when a call needs them.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import {
  Client,
  StreamableHTTPClientTransport,
  UnauthorizedError,
  type OAuthClientProvider,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
} from '@modelcontextprotocol/client'
import { guardedHost } from '../fixtures/http/guarded-host.ts'
import { startIdentityProvider } from '../fixtures/auth/identity-provider.ts'

test('a client of the SDK finds its way from an address to a tool, and to the scope of another', async (t) => {
  const proxy = await startProxy(t)
  const provider = await startIdentityProvider(t, { scopes: ['tools:read', 'tools:write'] })
  const guarded = await guardedHost(t, {
    auth: {
      inbound: {
        mode: 'oauth',
        oauth: {
          resource: proxy.resource,
          scopes: ['tools:read', 'tools:write'],
          initialScopes: ['tools:read'],
          issuers: [{ issuer: provider.issuer }],
        },
      },
      permissions: { 'tools:read': ['demo_whoami'], 'tools:write': ['demo_delete'] },
    },
    http: { publicUrl: proxy.origin },
  })
  proxy.target = guarded.url
  const person = new Person()
  person.saveClientInformation(await provider.register(person.clientMetadata))
  const newClient = () => {
    const client = new Client({ name: 'test', version: '1' })
    t.after(() => client.close())
    return { client, transport: new StreamableHTTPClientTransport(new URL(proxy.resource), { authProvider: person }) }
  }
  const stranger = newClient()
  await assert.rejects(stranger.client.connect(stranger.transport), UnauthorizedError)
  await stranger.transport.finishAuth(await person.authorize())
  const { client, transport } = newClient()
  await client.connect(transport)
  const { content } = await client.callTool({ name: 'demo_whoami', arguments: {} })
  assert.match(JSON.stringify(content), / of acme/)
  assert.deepEqual(
    (await client.listTools()).tools.map(({ name }) => name),
    ['demo_whoami'],
  )

  await assert.rejects(client.callTool({ name: 'demo_delete', arguments: {} }), UnauthorizedError)
  await transport.finishAuth(await person.authorize())
  assert.match(JSON.stringify(await client.callTool({ name: 'demo_delete', arguments: {} })), /gone/)
  assert.deepEqual(person.asked, ['tools:read', 'tools:read tools:write'])
})

/** The person at the browser, and what the client keeps meanwhile. */
class Person implements OAuthClientProvider {
  readonly redirectUrl = 'http://127.0.0.1:9/callback'
  readonly clientMetadata = {
    client_name: 'test',
    redirect_uris: [this.redirectUrl],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  }
  /** The scopes that the person was asked for, login after login. */
  readonly asked: string[] = []
  readonly #cookies = new Map<string, string>()
  #client: StoredOAuthClientInformation | undefined
  #tokens: StoredOAuthTokens | undefined
  #verifier = ''
  #url: URL | undefined

  clientInformation = () => this.#client
  saveClientInformation = (client: StoredOAuthClientInformation) => void (this.#client = client)
  tokens = () => this.#tokens
  saveTokens = (tokens: StoredOAuthTokens) => void (this.#tokens = tokens)
  codeVerifier = () => this.#verifier
  saveCodeVerifier = (verifier: string) => void (this.#verifier = verifier)
  redirectToAuthorization = (url: URL) => void (this.#url = url)

  /** Goes where the client sent the browser, and comes back with what the authorization server adds to its address. */
  async authorize(): Promise<URLSearchParams> {
    let url = this.#url ?? assert.fail('the client sent nobody anywhere')
    this.asked.push(url.searchParams.get('scope') ?? '')
    for (let hop = 0; !url.href.startsWith(this.redirectUrl); hop++) {
      assert.ok(hop < 20, 'sent round in circles')
      const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const response = await fetch(url, { redirect: 'manual', headers: { cookie } })
      for (const line of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        this.#cookies.set(name, value)
      }
      url = new URL(response.headers.get('location') ?? assert.fail(await response.text()), url)
    }
    return url.searchParams
  }
}

interface Proxy {
  readonly origin: string
  readonly resource: string
  target: URL | undefined
}

/** Stands before the host, so that its public address is known before it listens. */
async function startProxy(t: TestContext): Promise<Proxy> {
  const server = createServer((req, res) => {
    const to = new URL(req.url ?? '/', proxy.target)
    const forwarded = request(to, { method: req.method, headers: req.headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(res)
    })
    forwarded.on('error', () => res.destroy())
    req.pipe(forwarded)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close().closeAllConnections())
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const proxy: Proxy = { origin, resource: `${origin}/mcp`, target: undefined }
  return proxy
}
