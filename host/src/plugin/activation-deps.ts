import type { PluginEntry, ResolvedConfig } from '../config/schema/schema.ts'
import type { CallAccount } from '../network/http-call-scope.ts'
import type { HostMetrics } from '../observability/metrics.ts'
import type { Tracing } from '../observability/tracing/types.ts'
import type { ActivationDeps } from './activation.ts'
import type { LockFile } from './lock-file.ts'
import { serviceHttp } from './run/service-http.ts'
import { entryCredentials } from './settings/credential-policy.ts'
import type { ApprovedFiles } from './trust/approved-files.ts'
import { hostPaths } from './trust/host-paths.ts'

/** The parts of a host that its plugins are activated with. */
export interface ActivationParts extends Pick<
  ActivationDeps,
  | 'graph'
  | 'configDir'
  | 'isWatching'
  | 'log'
  | 'cache'
  | 'handles'
  | 'isolation'
  | 'servers'
  | 'onServerChanged'
  | 'onFailed'
  | 'onResourceChanged'
  | 'redactor'
> {
  /** What it runs by now. */
  readonly current: { readonly config: ResolvedConfig; readonly env: ActivationDeps['env'] }
  /** The config that its listeners were opened with. */
  readonly started: ResolvedConfig
  readonly entries: () => readonly PluginEntry[]
  readonly lock: LockFile
  readonly approved: ApprovedFiles
  readonly metrics: HostMetrics
  readonly tracing: Tracing | undefined
  /** What the operator has linked at an instance. */
  readonly operatorAccount: ((instance: string) => Promise<CallAccount | undefined>) | undefined
}

/** What an activation that begins now needs from the host. */
export function activationDeps(parts: ActivationParts): ActivationDeps {
  const { current, started, entries, lock, approved, metrics, tracing, operatorAccount, ...same } = parts
  const { configDir, redactor } = same
  const { config, env } = current
  return {
    ...same,
    env,
    loadTimeoutMs: config.limits.loadTimeoutMs,
    hostPaths: (own) => hostPaths(current.config, { entries: entries(), own, configDir }),
    processLimits: {
      heapMb: config.limits.pluginHeapMb,
      memoryMb: config.limits.pluginMemoryMb,
      get answerBytes() {
        return current.config.limits.resultBytes
      },
      get idleMs() {
        return current.config.limits.pluginIdleMs
      },
    },
    metricsFor: (instance) => metrics.forPlugin(instance),
    pins: { lock: lock.current, deployment: config.deployment, frozen: config.frozen, approved },
    tenants: config.tenants,
    credentialsOf: (entry) => entryCredentials(current.config, entry, started),
    createHttp: (options) => {
      const { readOnly, frozen } = current.config
      const onUpstream = (status: number | string, ms: number) => metrics.upstream(options.instance, status, ms)
      return serviceHttp(options, {
        redactor,
        readOnly,
        frozen,
        configDir,
        env: current.env,
        operatorAccount,
        onUpstream,
        tracing,
      })
    },
  }
}
