import { randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { Logger } from '@mcp-patchbay/plugin-api'
import type { Linking, OpenPagesDeps } from './accounts/open-account-pages.ts'
import type { Inbound } from '../auth/inbound/open-inbound.ts'
import { secretVariable, type SecretSource } from '../auth/outbound/secret-variable.ts'
import { withDefaults } from '../config/schema/defaults.ts'
import { httpSchema, managementSchema } from '../config/schema/listen-schema.ts'
import type { HostConfig, ResolvedConfig } from '../config/schema/schema.ts'
import { hostError } from '../errors.ts'
import type { HostMetrics } from '../observability/metrics.ts'
import type { Redactor } from '../observability/redact.ts'
import { ChangeNotifier } from '../server/catalog/change-notifier.ts'
import type { Calls, Middleware } from '../server/call/types.ts'
import { InFlight } from '../server/call/in-flight.ts'
import type { HostError } from '../errors.ts'
import type { Registry } from '../server/catalog/registry.ts'
import { readInPieces } from '../modules/reading/read-in-pieces.ts'
import type { ReadAhead } from '../modules/reading/read-ahead.ts'
import { createFastPath } from './fast-path/fast-path.ts'
import type { Tracing } from '../observability/tracing/types.ts'
import { createHttpTransport } from './http-listener.ts'
import { lazily } from '../data/lazily.ts'
import type { AdminAccess, AdminHost, OpenAdmin } from './admin/types.ts'
import { isLoopback } from './http/admission.ts'
import type { AdminPages } from './admin/open-admin.ts'
import { createManagement, type AboutHost } from './management.ts'

/** `listen` of the config. What is not named here is not opened. */
export type ListenOptions = NonNullable<HostConfig['listen']> | ResolvedConfig['listen']

export interface ListenDeps {
  readonly config: Pick<ResolvedConfig, 'limits' | 'compat'>
  readonly registry: Registry
  readonly calls: Calls
  readonly log: Logger
  readonly metrics: HostMetrics
  /** What the config asks for and this installation cannot do. */
  readonly missing?: HostError | undefined
  /** What runs here, for whoever operates it. */
  readonly about: () => AboutHost
  readonly tracing: Tracing | undefined
  /** `auth` of the config as it is now: API keys may change while the host listens. */
  readonly auth: () => ResolvedConfig['auth']
  /** What paths in the config are relative to. */
  readonly configDir: string
  readonly middleware: readonly Middleware[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly redactor: Redactor
  /** Linked accounts, where the config has them. */
  readonly linking?: Linking | undefined
  /** What the admin API knows of the host besides. */
  readonly admin: Pick<AdminHost, 'events' | 'operator' | 'warnings' | 'lockProblem' | 'rebuild' | 'config'>
  readonly readAhead: ReadAhead
}

/** Open listeners. */
export interface Listening {
  /** Where MCP clients connect: `http://127.0.0.1:3000/mcp`. */
  readonly url: string | undefined
  readonly port: number | undefined
  readonly managementUrl: string | undefined
  /** The admin API, where it is on. */
  readonly admin: OpenAdmin | undefined
  readonly hasStdio: boolean
  /** Resolves when the client on stdio is gone; never without one. */
  readonly stdioClosed: Promise<void>
  /**
   * Says not ready, and serves on for `leaveMs` where it serves HTTP; then takes no new calls, waits at most `graceMs` for those in flight,
   * cancels the rest, closes.
   */
  readonly close: (options: { readonly graceMs: number; readonly leaveMs?: number }) => Promise<void>
}

/** Opens what `options` names. When one cannot be opened none is. Throws `LISTEN_…` and, for what callers are checked against, `AUTH_…`. */
export async function listenOn(options: ListenOptions, deps: ListenDeps, access: AdminAccess = {}): Promise<Listening> {
  const { registry, calls, log, metrics, middleware, config } = deps
  await using opened = new AsyncDisposableStack()
  const inFlight = new InFlight()
  const notifier = opened.use(new ChangeNotifier(registry, log))
  const requestStateKey = stateKey(deps)
  const servers = lazily(async () => {
    await readInPieces('server')
    const { createMcpServerFactory } = await import('../server/mcp/mcp-server.ts')
    return createMcpServerFactory({ registry, calls, log, inFlight, requestStateKey })
  })
  // The SDK alone answers everything when it is off: how the fast path is tested, and a way out should it ever differ.
  const fastPath = process.env['PATCHBAY_DIRECT'] === 'off' ? undefined : createFastPath({ registry, calls, inFlight })
  const requestCredentials = {
    takes: (instance: string) =>
      registry.current.plugins.find((plugin) => plugin.instance === instance)?.entry.allowRequestCredentials,
    // The config is refused unless there is exactly one.
    ...(config.compat.authorizationIsUpstream && { authorizationIsFor: () => registry.current.plugins[0]?.instance }),
  }
  const shared = {
    middleware,
    factory: () => servers.get(),
    notifier,
    inFlight,
    fastPath,
    log,
    bodyBytes: config.limits.bodyBytes,
    resultBytes: config.limits.resultBytes,
    requestCredentials,
    readAhead: deps.readAhead,
  }
  let draining = false
  const isDraining = () => draining

  const management = options.management ? withDefaults(managementSchema, given(options.management)) : undefined
  let url: string | undefined
  const admin = management && (await openAdminOf(management, { access, deps, inFlight, isDraining, url: () => url }))
  if (admin) opened.use(admin.pages)
  const operations =
    management &&
    (await createManagement({
      ...management,
      admin: admin?.pages,
      registry,
      isDraining,
      isPreparing: () => !deps.readAhead.isOver(),
      missing: deps.missing,
      about: () => ({ ...deps.about(), url }),
      metrics: () => metrics.render(),
      log,
    }))
  if (operations) opened.defer(() => operations.close())
  const http = options.http ? withDefaults(httpSchema, given(options.http)) : undefined
  const { mode, dangerouslyAllowUnauthenticated } = deps.auth().inbound
  const inbound = http && mode !== 'none' ? opened.use(await openInbound(http.publicUrl, deps)) : undefined
  const web =
    http &&
    (await createHttpTransport(http, {
      ...shared,
      tracing: deps.tracing,
      onAnswered: (status) => metrics.request(status),
      dangerouslyAllowUnauthenticated,
      authenticate: inbound?.authenticate,
      metadata: inbound?.oauth?.metadata,
      pagesAt: deps.linking && (await openPages(http, { ...deps, linking: deps.linking, typedKeys: inbound?.typedKeys }, opened)),
      stepUp: inbound?.oauth && (await import('./streamable/step-up.ts')).createStepUp(registry, inbound.oauth),
    }))
  if (web) opened.defer(() => web.close({ graceMs: 0 }))
  const stdio = options.stdio ? (await import('./stdio/stdio.ts')).createStdioTransport(shared) : undefined
  opened.defer(metrics.watchOpen(() => ({ ...(web?.open ?? { sessions: 0, streams: 0 }), calls: inFlight.size })))
  const kept = opened.move()

  url = web && `${web.origin}/mcp`
  if (url) log.info('listening', { url, ...(operations && { management: operations.origin }), ...deps.about() })
  return {
    url,
    port: web?.port,
    managementUrl: operations?.origin,
    admin: operations && admin?.opened(operations.origin),
    hasStdio: stdio !== undefined,
    stdioClosed: stdio ? stdio.closed : new Promise(() => {}),
    async close({ graceMs, leaveMs = 0 }) {
      draining = true
      if (web && leaveMs > 0) {
        log.info('leaving', { ms: leaveMs })
        await setTimeout(leaveMs)
      }
      await Promise.all([web?.close({ graceMs }), stdio?.close({ graceMs })])
      await kept.disposeAsync()
    },
  }
}

/** Throws `AUTH_SECRET`. */
function stateKey({ auth, redactor, ...source }: ListenDeps): Uint8Array | string {
  const { stateKeyVariable: variable } = auth()
  if (variable === undefined) return randomBytes(32)
  const key = longSecret(variable, 'The key that signs the state of interactive calls', source)
  redactor.add(key)
  return key
}

/** Throws `AUTH_SECRET`, also for one that could be guessed. */
function longSecret(variable: string, what: string, source: SecretSource): string {
  const secret = secretVariable(variable, what, source)
  if (secret.length < 32) throw hostError('AUTH_SECRET', { what, variable, problem: 'has fewer than 32 characters' })
  return secret
}

/** The admin API, where a token opens it. Throws `LISTEN_ADMIN`, and `AUTH_SECRET` for a token that cannot be used. */
async function openAdminOf(
  {
    host: address,
    admin,
  }: { readonly host: string; readonly admin?: { readonly tokenVariable: string; readonly page?: boolean } | undefined },
  { access, deps, inFlight, isDraining, url }: AdminParts,
): Promise<{ readonly pages: AdminPages; readonly opened: (origin: string) => OpenAdmin } | undefined> {
  if (!admin && access.token === undefined) return undefined
  if (!isLoopback(address)) throw hostError('LISTEN_ADMIN', { host: address })
  const [{ createAdminToken }, { openAdmin }] = await Promise.all([
    import('./admin/admin-token.ts'),
    import('./admin/open-admin.ts'),
  ])
  const secret = admin ? longSecret(admin.tokenVariable, 'The token of the admin API', deps) : (access.token ?? '')
  deps.redactor.add(secret)
  const now = () => performance.now()
  const token = createAdminToken(secret, now)
  const page = admin?.page ?? true
  const { registry, calls, log, configDir, redactor, config } = deps
  const { bodyBytes } = config.limits
  const host: AdminHost = { ...deps.admin, registry, calls, log, configDir, redactor, inFlight, isDraining, bodyBytes }
  const pages = openAdmin(host, { token, page, access, url, now })
  return {
    pages,
    opened: (origin) => ({
      tell: pages.tell,
      pageUrl: page ? `${origin}/` : undefined,
      ticketUrl: () => (page ? `${origin}/#ticket=${token.issueTicket()}` : undefined),
    }),
  }
}

interface AdminParts {
  readonly access: AdminAccess
  readonly deps: ListenDeps
  readonly inFlight: InFlight
  readonly isDraining: () => boolean
  readonly url: () => string | undefined
}

/** What callers are checked with is read only where they are checked at all. */
async function openInbound(publicUrl: string | undefined, deps: ListenDeps): Promise<Inbound> {
  const { openInbound: open } = await import('../auth/inbound/open-inbound.ts')
  const exchanges = () => deps.registry.current.plugins.some(({ entry }) => entry.exchange !== undefined)
  return open({ ...deps, publicUrl, exchanges })
}

/** The pages below `/accounts`, where there is a way to know who is in front of them. */
async function openPages(
  http: Pick<ResolvedConfig['listen'], 'http'>['http'] & object,
  deps: ListenDeps & Pick<OpenPagesDeps, 'linking' | 'typedKeys'>,
  opened: AsyncDisposableStack,
) {
  const { openAccountPages } = await import('./accounts/open-account-pages.ts')
  return openAccountPages(http, deps, opened)
}

const given = <Options extends object>(options: Options | true): Options | object => (options === true ? {} : options)
