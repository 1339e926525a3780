import type { CredentialCall, CredentialUse } from '../../auth/outbound/credential-use.ts'
import type { PluginEntry } from '../../config/schema/schema.ts'
import type { PluginState } from '../../observability/plugin-states.ts'
import type { LivePlugin } from './live-plugin.ts'
import type { PluginSurface } from '../source/describe-surface.ts'

/** Why a plugin is in the state it is in, for a person. */
export interface PluginReason {
  readonly code: string
  readonly message: string
  readonly fix: readonly string[]
  /** For an error in its code: `file:line:column`. */
  readonly at?: string
  /** The lines around that place, with a mark under the column. */
  readonly frame?: string
}

/** All but `idle`, which comes and goes without another generation. */
type RecordedState = Exclude<PluginState, 'idle'>

/** The state of a plugin at this moment. */
export function stateOf({ live, state: recorded }: Pick<PluginRecord, 'live' | 'state'>): { readonly state: PluginState } {
  return { state: live?.running.isIdle ? 'idle' : recorded }
}

/** What is known of one entry of the config at one time. Replaced whole, never edited. */
export interface PluginRecord {
  readonly instance: string
  readonly entry: PluginEntry
  readonly state: RecordedState
  readonly reason?: PluginReason
  /** What mcp.lock.json says of it; undefined as long as that is not known. `unpinned`: nothing, or the file was not read. */
  readonly pinned?: 'pinned' | 'unpinned' | 'changed'
  /** The digest of every byte of it, where those were compared with the lock. */
  readonly tree?: string
  /** Tools, by their own names, whose definitions are not the recorded ones. */
  readonly quarantined?: ReadonlySet<string>
  /** Its resources, templates and prompts are not the recorded ones. */
  readonly othersQuarantined?: boolean
  /** Why the version on disk is not the one that serves; the old one goes on. */
  readonly reloadError?: PluginReason
  readonly version?: string
  /** Known for everything that could be imported, also for a plugin that is not configured. */
  readonly surface?: PluginSurface
  /** There when it is active. */
  readonly live?: LivePlugin
  /** There when it is active: names what its answers come from, see `versionIdentity`. Without it nothing of it is cached. */
  readonly identity?: () => string
  /** Whose callers it is not configured for although it is for others: by tenant, '' for callers whom the entry itself is for. */
  readonly refusedFor?: ReadonlyMap<string, PluginReason>
  /** The tenants with settings of their own. */
  readonly tenants?: readonly string[]
  /** There when it is active: by which credential a call of it goes to its service; undefined as long as it was not imported. */
  readonly credentialUse?: (call: CredentialCall) => CredentialUse | undefined
  /** There when it may be listed without being imported: imports it. */
  readonly activate?: () => Promise<void>
}
