import type { ProcessSpec, PluginProcess } from './spawn.ts'
import type { Logger } from '@mcp-patchbay/plugin-api'
import type { LoadOptions } from '../run/load-plugin.ts'
import type { GrantOptions } from './grants.ts'
import type { StartGate } from './start-gate.ts'

export interface IsolateOptions extends LoadOptions, GrantOptions {
  readonly limits: ProcessLimits
  /** In a frozen deployment the SHA-256 of the files that may run, by path. */
  readonly approved?: ReadonlyMap<string, string> | undefined
  /** What it reads is to be known, so that it can be watched. */
  readonly isWatching?: boolean
  /** Ends its process when it was idle for so long, also one with background work; 0 never. Default: `limits.idleMs`, without such work. */
  readonly idleMs?: number | undefined
  /** The running plugin has died too often and stays down: its `failure` says why. */
  readonly onFailed?: () => void
}

/** What one process may take: MB where nothing else is said. */
export interface ProcessLimits {
  readonly heapMb: number
  /** Everything it holds, where that can be known. */
  readonly memoryMb: number
  /** The most of an answer that the host reads, in bytes. */
  readonly answerBytes: number
  /** Without a call for so long a process is ended, in milliseconds; 0 never. */
  readonly idleMs: number
}

/** Starts processes, and sees to their end. */
export type Launch = (spec: ProcessSpec, log: Logger) => PluginProcess

export interface IsolatedOptions extends IsolateOptions {
  readonly spec: ProcessSpec
  readonly launch: Launch
  readonly gate: StartGate
  readonly now: () => number
  readonly random: () => number
  readonly onRestarted: (instance: string) => void
  readonly onIdle: (instance: string, isIdle: boolean) => void
  readonly log: Logger
}

/** A process with a plugin in it, and what it said of the plugin. */
export interface LoadedProcess {
  readonly process: PluginProcess
  readonly description: string | undefined
  readonly digests: ReadonlyMap<string, string>
  readonly links: ReadonlyMap<string, string>
}
