import type { HttpRequest } from '@mcp-patchbay/plugin-api'
import type { CredentialUseOf } from '../auth/outbound/credential-use.ts'
import { HostError } from '../errors.ts'
import type { ActivationDeps } from './activation.ts'
import type { ServiceHttp } from '../network/http-client.ts'
import type { ConfigScopes, Settings } from './settings/config-scopes.ts'
import { currentCall } from './run/inline-call-scope.ts'
import { createClientPool } from './run/held/clients.ts'
import type { HttpOptions, ServiceLine } from './run/service-line.ts'

/** A way to the service for all callers, and one for each tenant; what is wrong with a tenant's address is the tenant's alone. */
export function openTenantHttp(
  {
    base,
    tenants,
    ...of
  }: Pick<ConfigScopes, 'base' | 'tenants'> & Pick<HttpOptions, 'instance' | 'version' | 'surface' | 'entry' | 'log'>,
  { credentialsOf, createHttp }: Pick<ActivationDeps, 'credentialsOf' | 'createHttp'>,
): { readonly line: ServiceLine; readonly broken: ReadonlyMap<string, HostError> } {
  const { areCallers: _, ...policy } = credentialsOf(of.entry)
  const open = ({ isConfigured, ...settings }: Settings) =>
    createHttp({ ...of, ...settings, policy: { ...policy, isNeeded: !isConfigured } })
  const own = new Map<string, ServiceLine>()
  const broken = new Map<string, HostError>()
  const ofBase = base && open(base)
  for (const [tenant, settings] of tenants)
    try {
      own.set(tenant, open(settings))
    } catch (error) {
      if (!(error instanceof HostError)) throw error
      broken.set(tenant, error)
    }
  const createOther = () => open(base as Settings)
  return { line: routeTenants({ base: ofBase, own, createOther, instance: of.instance }), broken }
}

interface TenantLineOptions {
  /** For background work and callers of no tenant; undefined when nothing is configured for them. */
  readonly base: ServiceLine | undefined
  /** Of the tenants with settings of their own. */
  readonly own: ReadonlyMap<string, ServiceLine>
  /** Another one with the settings of `base`, for a tenant without settings of its own. */
  readonly createOther: () => ServiceLine
  readonly instance: string
}

/**
 * One way to the service for each tenant: connections, waiting requests, the breaker and fetched tokens are a tenant's own, so that what
 * one does to the service the others do not feel. By the call that sends a request it is known whose it is.
 */
function routeTenants({ base, own, createOther, instance }: TenantLineOptions): ServiceLine {
  const others = createClientPool<Other>(() => {
    if (!base) throw new Error(`A call came to plugin "${instance}", which is configured for other tenants only`)
    const { http } = createOther()
    return { http, [Symbol.asyncDispose]: () => http[Symbol.asyncDispose]() }
  })

  async function through<Result>(send: (http: ServiceHttp) => Promise<Result>): Promise<Result> {
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
    return line ? line.credentialUse(call) : { by: 'none' }
  }
  return {
    http: {
      json: <Body>(path: string, request?: HttpRequest) => through((http) => http.json<Body>(path, request)),
      text: (path, request) => through((http) => http.text(path, request)),
      request: (path, request) => through((http) => http.request(path, request)),
      stream: (url, init) => through((http) => http.stream(url, init)),
      async [Symbol.asyncDispose]() {
        const lines = [...(base ? [base] : []), ...own.values()]
        await Promise.all([...lines.map(({ http }) => http[Symbol.asyncDispose]()), others[Symbol.asyncDispose]()])
      },
    },
    credentialUse,
  }
}

interface Other extends AsyncDisposable {
  readonly http: ServiceHttp
}
