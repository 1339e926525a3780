import type { EventEmitter } from 'eventemitter3'
import type { Logger } from '@mcp-patchbay/plugin-api'
import type { ResolvedConfig } from '../../config/schema/schema.ts'
import type { Redactor } from '../../observability/redact.ts'
import type { PluginReason } from '../../plugin/run/plugin-record.ts'
import type { Calls } from '../../server/call/types.ts'
import type { InFlight } from '../../server/call/in-flight.ts'
import type { Caller } from '../../server/catalog/caller.ts'
import type { Registry } from '../../server/catalog/registry.ts'
import type { HostEvents } from '../../server/host-events.ts'

/** What a program that runs a host gives its admin API. */
export interface AdminAccess {
  /** What proves the operator, where the config names no variable that holds it. Without either there is no admin API. */
  readonly token?: string
  /** What is done with the project of the host. Without it the API says that it has none. */
  readonly project?: AdminProject
}

/** The files that a host was made from, and what the command line does with them. */
export interface AdminProject {
  /** The config. */
  readonly file: string
  /** Edits are taken over as they are saved. */
  readonly isWatching: boolean
  /** What `patchbay diff --json` prints. Imports the plugins apart from the host, which goes on as it is. */
  diff(): Promise<object>
  /** What `patchbay approve TARGET --seen DIGEST --json` prints, once the host has read the lock again. Throws `PIN_…`. */
  approve(target: string, seen: string): Promise<object>
  /** Reads config, environment file and lock again, as `SIGHUP` does. */
  reread(): Promise<void>
}

/** What the admin API shows of a host, and does with it. */
export interface AdminHost {
  readonly registry: Registry
  readonly calls: Calls
  readonly events: EventEmitter<HostEvents>
  readonly operator: Caller
  readonly config: () => ResolvedConfig
  /** What paths of the config are relative to. */
  readonly configDir: string
  /** What the config says and probably does not mean. */
  readonly warnings: () => readonly string[]
  /** Why mcp.lock.json is not used. */
  readonly lockProblem: () => PluginReason | null
  /** Builds plugins again from what is on disk. */
  readonly rebuild: (plugins: ReadonlySet<string>) => Promise<void>
  readonly inFlight: InFlight
  readonly isDraining: () => boolean
  readonly redactor: Redactor
  readonly log: Logger
  readonly bodyBytes: number
}

/** The admin API that a listener serves. */
export interface OpenAdmin {
  /** Tells those who watch what the program knows besides the host. */
  readonly tell: (type: 'config' | 'types', data: object) => void
  /** Of the page; the token comes behind its `#`. */
  readonly pageUrl: string | undefined
  /** The address of the page with a ticket that opens it once, within a minute: a command line that others can read may hold it. */
  readonly ticketUrl: () => string | undefined
}
