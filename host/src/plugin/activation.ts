import type { Logger, Metrics } from '@mcp-patchbay/plugin-api'
import type { PluginCaches } from '../cache/cache.ts'
import type { ConfigFiles } from '../config/plugin/plugin-environment.ts'
import type { PluginEntry } from '../config/schema/schema.ts'
import type { HostError } from '../errors.ts'
import type { ModuleGraph } from '../modules/graph.ts'
import type { Redactor } from '../observability/redact.ts'
import type { EntryCredentials } from './settings/credential-policy.ts'
import type { KeptPath } from '../pin/check-capabilities.ts'
import type { Isolation } from './isolate/isolation.ts'
import type { Servers } from './mcp-server/servers.ts'
import type { ProcessLimits } from './isolate/types.ts'
import type { PinPolicy } from './trust/pin-policy.ts'
import type { PluginRecord } from './run/plugin-record.ts'
import type { Surroundings } from './source/surroundings.ts'
import type { KeptHandles } from './run/held/kept-handles.ts'
import type { HttpOptions, ServiceLine } from './run/service-line.ts'
import type { TenantSettings } from './settings/tenant-config.ts'

/** One attempt to bring an entry to life. A failure is a record with a reason, never a rejection. */
export interface Activation {
  readonly record: PluginRecord
  /** What it was built from: every file of its graph with the digest of what was read, or as much as was met before it failed. */
  readonly digests: ReadonlyMap<string, string>
  /** Files beside its code that its config was read from, such as mounted secrets. */
  readonly configFiles: ConfigFiles
  /** What else makes another version of it, where files are watched. */
  readonly surroundings: Surroundings
  /** The folder or file whose changes make another attempt worthwhile. */
  readonly root: string | undefined
  /** What made it fail, whole, for the log. A version that is merely not wanted, for want of a credential, has none. */
  readonly error?: unknown
  /** It runs, but what a tenant was given is wrong: a version that serves is not replaced by it. */
  readonly fault?: HostError | undefined
  /** What the plugin and the host made for this version and which ends once it is drained. */
  readonly traces: readonly object[]
  /** Frees the version's modules; to be called once the version is drained. */
  release(): void
}

/** What activating a plugin needs from the host. */
export interface ActivationDeps {
  readonly graph: ModuleGraph
  readonly configDir: string
  /** What changes on disk is taken over. */
  readonly isWatching: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log: Logger
  readonly cache: PluginCaches
  readonly handles: KeptHandles
  readonly loadTimeoutMs: number
  readonly isolation: Isolation
  readonly servers: Servers
  /** Called when an MCP server offers something else than before: it must be listed again. */
  readonly onServerChanged: (instance: string) => void
  /** What the plugin of an entry may not be granted to write. */
  readonly hostPaths: (own: PluginEntry) => readonly KeptPath[]
  /** What one plugin in its own process may hold, in MB. */
  readonly processLimits: ProcessLimits
  /** A running plugin stays down: its `failure` says why. */
  readonly onFailed: () => void
  /** A plugin says that a resource of it, by its own URI, is not what it was. */
  readonly onResourceChanged: (instance: string, uri: string) => void
  readonly metricsFor: (instance: string) => Metrics
  readonly createHttp: (options: HttpOptions) => ServiceLine
  readonly credentialsOf: (entry: PluginEntry) => EntryCredentials
  readonly tenants: TenantSettings
  readonly pins: PinPolicy
  readonly redactor: Redactor
}

/** Makes the result of an attempt. What it gives is not to be copied: its digests grow with what is imported later. */
export type Draft = (record: Omit<PluginRecord, 'instance' | 'entry'>, fault?: HostError) => Activation
