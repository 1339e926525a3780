import { isAbsolute, relative, resolve, sep } from 'node:path'
import type { EmbeddedEntry, PluginEntry } from '../schema/schema.ts'

const SCHEME = 'openapi:'

/** The package that serves the operations of a description. */
const PACKAGE = '@mcp-patchbay/plugin-openapi'

/**
 * `use: 'openapi:./petstore.yaml'` written out: the package, its config with the description, relative to `configDir`, and the right to
 * read that one file. What the entry says itself stays. Any other entry is given back as it is.
 */
export function withDescription(entry: string | EmbeddedEntry, configDir: string): string | EmbeddedEntry {
  const { use, operations, ...rest } = typeof entry === 'string' ? { use: entry } : entry
  if (typeof use !== 'string' || !use.startsWith(SCHEME)) return entry
  const place = use.slice(SCHEME.length)
  const isAddress = /^https?:\/\//i.test(place)
  const document = isAddress ? place : resolve(configDir, place)
  const { capabilities = {} } = rest
  const read = [...(capabilities.fs?.read ?? []), ...(isAddress ? [] : [pathFrom(configDir, document)])]
  return {
    ...rest,
    use: PACKAGE,
    config: { ...operations, ...rest.config, document },
    capabilities: { ...capabilities, fs: { ...capabilities.fs, read } },
  }
}

/** As it stands in a lock that others share. */
function pathFrom(folder: string, path: string): string {
  return relative(folder, path).split(sep).join('/')
}

/** The package that an entry runs, by what its `use` says. */
export function packageOf(use: string | undefined): string | undefined {
  return use?.startsWith(SCHEME) ? PACKAGE : use
}

/** Whether its tools are made of a description. */
export function servesDescription({ use }: Pick<PluginEntry, 'use'>): boolean {
  return use === PACKAGE
}

/** Where an entry of the package has the description of its API from; undefined for other entries. */
export function descriptionOf({
  use,
  config,
}: Pick<PluginEntry, 'use' | 'config'>):
  | { readonly file: string }
  | { readonly file?: never; readonly address: string }
  | undefined {
  const { document } = config
  if (!servesDescription({ use }) || typeof document !== 'string') return undefined
  return isAbsolute(document) ? { file: document } : { address: document }
}
