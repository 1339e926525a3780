import { isDeepStrictEqual } from 'node:util'
import { refuseSharedVariables, type CurrentConfig } from './current-config.ts'
import type { LockFile } from './plugin/lock-file.ts'
import type { Reloader } from './plugin/reload/reload.ts'
import type { PluginRecord } from './plugin/run/plugin-record.ts'
import type { FoundEntries } from './plugin/found-entries.ts'
import type { Registry } from './server/catalog/registry.ts'
import type { HostChange } from './types.ts'

export interface ApplyDeps {
  readonly current: CurrentConfig
  readonly lock: LockFile
  readonly found: FoundEntries
  readonly reloader: Reloader
  readonly registry: Registry
  readonly publish: (plugins: readonly PluginRecord[]) => number
}

/** Makes `apply` of a host: another config or environment, and changed files, become versions of plugins and one generation. */
export function createApply({ current, lock, found, reloader, registry, publish }: ApplyDeps) {
  return async ({ config, env, changed, samePlugins = false, rebuild }: HostChange): Promise<void> => {
    if (config) refuseSharedVariables(config)
    const repinned = config ? await lock.reread(config) : undefined
    const { isNewConfig, variables, forTenants, rightsChanged } = current.replace({ config, env })
    const before = registry.current
    await reloader.apply({
      entries: samePlugins && !config ? found.entries : found.read(),
      variables,
      all: (record) =>
        rightsChanged ||
        rebuild?.has(record.instance) === true ||
        // What it shared a variable with may have another name now.
        record.reason?.code === 'CONFIG_COLLISION' ||
        forTenants.has(record.instance) ||
        repinned?.(record) === true,
      ...(changed ? { changed } : {}),
    })
    // New filters with the same plugins are a new generation as well.
    const isOther = isNewConfig || !isDeepStrictEqual(before.ignored, found.ignored)
    if (isOther && registry.current === before) publish(reloader.records)
  }
}
