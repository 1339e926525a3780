import { relative, sep } from 'node:path'
import { descriptionOf } from '../../config/plugin/openapi-entry.ts'
import type { PluginEntry } from '../../config/schema/schema.ts'
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
