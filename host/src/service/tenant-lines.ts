import type { HttpClient, HttpRequest } from '@mcp-patchbay/plugin-api'
import type { CredentialUseOf } from '../auth/credential-use.ts'
import type { ServiceLine } from './activate.ts'
import { currentCall } from './call-scope.ts'
import { createClientPool } from './clients.ts'

export interface TenantLineOptions {
  /** For background work and callers of no tenant; undefined when nothing is configured for them. */
  readonly base: ServiceLine | undefined
  /** Of the tenants with settings of their own. */
  readonly own: ReadonlyMap<string, ServiceLine>
  /** One more with the settings of `base`, for a tenant that has none of its own. */
  readonly createOther: () => ServiceLine
  readonly instance: string
}

/**
 * One way to the service for each tenant: connections, waiting requests, the breaker and fetched tokens are a tenant's own, so that what
 * one does to the service the others do not feel. By the call that sends a request it is known whose it is.
 */
export function routeTenants({ base, own, createOther, instance }: TenantLineOptions): ServiceLine {
  const others = createClientPool<Other>(() => {
    if (!base) throw new Error(`A call came to plugin "${instance}", which is configured for other tenants only`)
    const { http } = createOther()
    return { http, [Symbol.asyncDispose]: () => http[Symbol.asyncDispose]() }
  })

  async function through<Result>(send: (http: HttpClient) => Promise<Result>): Promise<Result> {
    const tenant = currentCall()?.principal.tenant
    const http = tenant === undefined ? base?.http : own.get(tenant)?.http
    if (http) return send(http)
    const lease = others.take(tenant ?? '')
    try {
      return await send((await lease.client).http)
    } finally {
      lease.release()
    }
  }

  const credentialUse: CredentialUseOf = (call) => {
    const line = own.get(call.principal.tenant ?? '') ?? base
    return line ? line.credentialUse(call) : { by: 'nobody' }
  }
  return {
    http: {
      json: <Body>(path: string, request?: HttpRequest) => through((http) => http.json<Body>(path, request)),
      text: (path, request) => through((http) => http.text(path, request)),
      request: (path, request) => through((http) => http.request(path, request)),
      async [Symbol.asyncDispose]() {
        const lines = [...(base ? [base] : []), ...own.values()]
        await Promise.all([...lines.map(({ http }) => http[Symbol.asyncDispose]()), others[Symbol.asyncDispose]()])
      },
    },
    credentialUse,
  }
}

interface Other extends AsyncDisposable {
  readonly http: HttpClient
}
