import type { Logger } from '@mcp-patchbay/plugin-api'
import type { PluginEntry, ResolvedConfig } from '../config/schema/schema.ts'
import type { HostError } from '../errors.ts'
import type { PluginReason } from './run/plugin-record.ts'
import { reasonOf } from './run/reason.ts'
import { discoverEntries, type KnownFolder } from './source/discover.ts'

/** The entries of a host: those of its config, and those of the folders that the config names. */
export interface FoundEntries {
  /** As they were last read. */
  readonly entries: readonly PluginEntry[]
  /** What is in the folders of `pluginDirs` and is not served. */
  readonly ignored: readonly PluginReason[]
  /** Reads the folders again. What is ignored there goes to the log once. */
  read(): readonly PluginEntry[]
}

export function createFoundEntries({
  current,
  configDir,
  log,
}: {
  readonly current: { readonly config: ResolvedConfig }
  readonly configDir: string
  readonly log: Logger
}): FoundEntries {
  const known = new Map<string, KnownFolder>()
  let entries: readonly PluginEntry[] = []
  let ignored: readonly PluginReason[] = []
  return {
    get entries() {
      return entries
    },
    get ignored() {
      return ignored
    },
    read() {
      const errors: HostError[] = []
      entries = discoverEntries(current.config, { configDir, log, known, ignored: errors })
      const reasons = errors.map((error) => reasonOf(error))
      for (const { code, message, fix } of reasons)
        if (!ignored.some((before) => before.message === message)) log.warn('plugin_ignored', { code, reason: message, fix })
      ignored = reasons
      return entries
    },
  }
}
