import { accessSync, constants, statSync } from 'node:fs'
import { relative, sep } from 'node:path'
import { descriptionOf } from '../../config/plugin/openapi-entry.ts'
import type { PluginEntry } from '../../config/schema/schema.ts'
import { hostError } from '../../errors.ts'
import { digestOf } from '../../modules/reading/source-digest.ts'
import type { LockedDocument } from '../../pin/lock/lock.ts'

/**
 * The OpenAPI description that the tools of an entry are made of, by the config that it runs with: a variable may name another file than
 * the entry. Undefined for other plugins. Of an address the bytes are the service's: there the tools are what is pinned.
 */
export function observeDocument(
  entry: PluginEntry,
  config: Readonly<Record<string, unknown>>,
  configDir: string,
): LockedDocument | undefined {
  const description = descriptionOf({ use: entry.use, config })
  if (description === undefined) return undefined
  if (description.file === undefined) return { from: description.address }
  const from = relative(configDir, description.file).split(sep).join('/')
  const digest = digestOf(description.file)
  return { from, ...(digest !== '' && { digest: `sha256-${digest}` }) }
}

/** Throws `PLUGIN_DOCUMENT` where the description that this config names is not a file that can be read. */
export function requireDocument(plugin: string, entry: PluginEntry, config: Readonly<Record<string, unknown>>): void {
  const file = descriptionOf({ use: entry.use, config })?.file
  const problem = file === undefined ? undefined : problemOf(file)
  if (file === undefined || problem === undefined) return
  throw hostError('PLUGIN_DOCUMENT', { plugin, file, problem, inEntry: entry.config['document'] === file })
}

function problemOf(file: string): string | undefined {
  try {
    if (!statSync(file).isFile()) return 'is not a file'
    accessSync(file, constants.R_OK)
    return undefined
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'does not exist'
    return code === 'EACCES' ? 'may not be read by the user of the host' : `cannot be read (${String(code)})`
  }
}
