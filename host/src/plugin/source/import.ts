import { basename } from 'node:path'
import { HostError, hostError } from '../../errors.ts'
import type { LoadedVersion, ModuleGraph } from '../../modules/graph.ts'
import { EMPTY_FILE } from '../../modules/reading/source-digest.ts'
import { messageOf } from '../../observability/thrown.ts'
import { importAdvice } from './import-advice.ts'
import type { ResolvedPlugin } from './resolve-entry.ts'

export interface ImportOptions {
  readonly graph: ModuleGraph
  readonly timeoutMs: number
  /** For messages, as long as the plugin has not said its name. */
  readonly label: string
  /** Receives what was read when the import fails. */
  readonly digests?: Map<string, string>
  readonly signal?: AbortSignal | undefined
}

/** A new version of a plugin's modules, and what they export as the plugin, unchecked. */
export interface ImportedPlugin {
  readonly modules: LoadedVersion
  readonly exported: unknown
}

/** Imports one version of a plugin. Throws `PLUGIN_IMPORT`, and `PIN_FILE` for what a frozen deployment does not load. */
export async function importPlugin(resolved: ResolvedPlugin, options: ImportOptions): Promise<ImportedPlugin> {
  const { graph, timeoutMs, label, digests, signal } = options
  try {
    const modules = await graph.load(resolved.file, {
      root: resolved.root,
      timeoutMs,
      ...(digests ? { digests } : {}),
      ...(signal ? { signal } : {}),
    })
    refuseEmpty(resolved.file, modules, digests)
    return { modules, exported: defaultExport(modules.exports) }
  } catch (error) {
    if (error instanceof HostError && error.code === 'PIN_FILE') throw error
    throw hostError(
      'PLUGIN_IMPORT',
      { plugin: label, problem: messageOf(error), fix: error instanceof HostError ? error.fix : importAdvice(error) },
      error,
    )
  }
}

/** To miss its default export would send the author looking for a mistake that is not there. */
function refuseEmpty(file: string, modules: LoadedVersion, digests: Map<string, string> | undefined): void {
  if (modules.digests.get(file) !== EMPTY_FILE) return
  for (const [path, digest] of modules.digests) digests?.set(path, digest)
  modules.release()
  throw new Error(`${basename(file)} is empty`)
}

/** CommonJS modules that were compiled from ESM keep their default one level down. */
function defaultExport(exports: unknown): unknown {
  const first = member(exports, 'default')
  return member(first, '__esModule') === true ? member(first, 'default') : first
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && key in value ? (value as Record<string, unknown>)[key] : undefined
}
