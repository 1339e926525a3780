import { randomBytes } from 'node:crypto'
import type { Logger } from '@mcp-patchbay/plugin-api'
import type { Authenticate } from '../auth/inbound.ts'
import { withDefaults } from '../config/defaults.ts'
import { httpSchema, managementSchema } from '../config/listen-schema.ts'
import type { HostConfig, ResolvedConfig } from '../config/schema.ts'
import { hostError } from '../errors.ts'
import type { HostMetrics } from '../observability/metrics.ts'
import { Announcer } from '../server/announcer.ts'
import type { Calls } from '../server/call.ts'
import { SERVER_INFO } from '../server/info.ts'
import { InFlight } from '../server/in-flight.ts'
import { createMcpServerFactory } from '../server/mcp-server.ts'
import type { Registry } from '../server/registry.ts'
import { createDirect } from './direct.ts'
import { createHttpTransport } from './http.ts'
import { createManagement } from './management.ts'
import { createStdioTransport } from './stdio.ts'

/** `listen` of the config. What is not named here is not opened. */
export type ListenOptions = NonNullable<HostConfig['listen']> | ResolvedConfig['listen']

export interface ListenDeps {
  readonly config: Pick<ResolvedConfig, 'limits' | 'auth' | 'compat'>
  readonly registry: Registry
  readonly calls: Calls
  readonly log: Logger
  readonly metrics: HostMetrics
  /** Left out, everybody who reaches the HTTP listener is the operator. */
  readonly authenticate?: Authenticate
}

/** Open listeners. */
export interface Listening {
  /** Where MCP clients connect: `http://127.0.0.1:3000/mcp`. */
  readonly url: string | undefined
  readonly port: number | undefined
  readonly managementUrl: string | undefined
  /** Resolves when the client on stdio is gone; never without one. */
  readonly stdioClosed: Promise<void>
  /** Says not ready, takes no new calls, waits at most `graceMs` for those in flight, cancels the rest, closes. */
  readonly close: (options: { readonly graceMs: number }) => Promise<void>
}

/** Opens what `options` names. When one cannot be opened none is. Throws `LISTEN_UNAUTHENTICATED`, `LISTEN_FAILED`. */
export async function listenOn(options: ListenOptions, deps: ListenDeps): Promise<Listening> {
  const { registry, calls, log, metrics, config, authenticate } = deps
  const { mode } = config.auth.inbound
  // Nothing may be open to everybody because somebody forgot to pass on who checks.
  if (options.http && mode !== 'none' && !authenticate) throw hostError('LISTEN_AUTH_MODE', { mode })
  await using opened = new AsyncDisposableStack()
  const inFlight = new InFlight()
  const announcer = opened.use(new Announcer(registry, log))
  const requestStateKey = randomBytes(32)
  const factory = createMcpServerFactory({
    registry,
    calls,
    log,
    inFlight,
    info: SERVER_INFO,
    requestStateKey,
  })
  // The SDK alone answers everything when it is off: how the short way is tested, and a way out should it ever differ.
  const direct = process.env['PATCHBAY_DIRECT'] === 'off' ? undefined : createDirect({ registry, calls, inFlight })
  const requestCredentials = {
    takes: (instance: string) =>
      registry.current.plugins.find((plugin) => plugin.instance === instance)?.entry.allowRequestCredentials ?? true,
    // The config is refused unless there is exactly one.
    ...(config.compat.authorizationIsUpstream && { authorizationIsFor: () => registry.current.plugins[0]?.instance }),
  }
  const shared = {
    factory,
    announcer,
    inFlight,
    direct,
    log,
    bodyBytes: config.limits.bodyBytes,
    authenticate,
    requestCredentials,
  }
  let draining = false
  const isDraining = () => draining

  const management = options.management ? withDefaults(managementSchema, given(options.management)) : undefined
  const operations =
    management && (await createManagement({ ...management, registry, isDraining, metrics: () => metrics.render(), log }))
  if (operations) opened.defer(() => operations.close())
  const http = options.http ? withDefaults(httpSchema, given(options.http)) : undefined
  const web = http && (await createHttpTransport(http, shared))
  if (web) opened.defer(() => web.close({ graceMs: 0 }))
  const stdio = options.stdio ? createStdioTransport(shared) : undefined
  const kept = opened.move()

  const url = web && `${web.origin}/mcp`
  if (url) log.info('listening', { url, ...(operations && { management: operations.origin }) })
  return {
    url,
    port: web?.port,
    managementUrl: operations?.origin,
    stdioClosed: stdio ? stdio.closed : new Promise(() => {}),
    async close({ graceMs }) {
      draining = true
      await Promise.all([web?.close({ graceMs }), stdio?.close({ graceMs })])
      await kept.disposeAsync()
    },
  }
}

const given = <Options extends object>(options: Options | true): Options | object => (options === true ? {} : options)
