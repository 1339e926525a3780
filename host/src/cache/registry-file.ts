import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { createCache, type HostCache } from './cache.ts'
import { createSqliteStore } from './stores/sqlite-store.ts'

const MAX_BYTES = 64 * 1_048_576

/** Where descriptors of plugins are kept from one start to the next, when the store of the config does not outlive the process. */
export function registryFile(configDir: string): string {
  return join(configDir, '.patchbay', 'cache.db')
}

/**
 * The cache in that file, for descriptors alone. Undefined, with one line in the log, where the folder cannot be written: then each start
 * imports every plugin before it lists.
 */
export function openRegistryCache({
  configDir,
  log,
}: {
  readonly configDir: string
  readonly log: Logger
}): HostCache | undefined {
  const file = registryFile(configDir)
  try {
    prepareFolder(dirname(file))
  } catch (error) {
    log.info('registry_in_memory', { file, reason: error instanceof Error ? error.message : String(error) })
    return undefined
  }
  return createCache({ log, store: createSqliteStore({ file, maxBytes: MAX_BYTES, log, now: Date.now }) })
}

/** What is kept is this machine's, beside what `patchbay approve` keeps there to be committed. Throws where it cannot be written. */
function prepareFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK)
  try {
    writeFileSync(join(folder, '.gitignore'), 'cache.db*\n.gitignore\n', { flag: 'wx' })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}
