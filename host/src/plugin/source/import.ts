import { HostError, hostError } from '../../errors.ts'
import type { LoadedVersion, ModuleGraph } from '../../modules/graph.ts'
import { isError, messageOf, valueOf } from '../../observability/thrown.ts'
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
    return { modules, exported: defaultExport(modules.exports) }
  } catch (error) {
    if (error instanceof HostError && error.code === 'PIN_FILE') throw error
    throw hostError('PLUGIN_IMPORT', { plugin: label, problem: messageOf(error), fix: fixOf(error) }, error)
  }
}

/** What to do about it, where more is known than that the file is wrong. */
function fixOf(error: unknown): readonly string[] | undefined {
  if (error instanceof HostError) return error.fix
  if (isError(error) && valueOf(error, 'code') === 'ERR_ACCESS_DENIED') return accessFixes(valueOf(error, 'resource'))
  if (!isError(error) || !/^(?:ERR_)?MODULE_NOT_FOUND$/.test(String(valueOf(error, 'code')))) return undefined
  const [, name = ''] = /'([^']+)'/.exec(messageOf(error)) ?? []
  return /^[./\\]|^[A-Z]:/i.test(name)
    ? ['Correct the path of the import; it needs its extension, .ts included']
    : [`Install ${name} where the plugin is: npm install --save-exact ${name}`]
}

/** In its own process a plugin reads its own folder and the packages it declares. */
function accessFixes(resource: unknown): readonly string[] {
  const granted = typeof resource === 'string' && resource !== '' ? `capabilities: { fs: { read: ['${resource}'] } }` : undefined
  return [
    'If it is a package that the plugin imports, declare it in the dependencies of its package.json',
    ...(granted ? [`If the plugin may read that, add to its entry in mcp.config.ts: ${granted}`] : []),
    "If you trust the plugin with everything the host may do: isolation: 'inline'",
  ]
}

/** CommonJS modules that were compiled from ESM keep their default one level down. */
function defaultExport(exports: unknown): unknown {
  const first = member(exports, 'default')
  return member(first, '__esModule') === true ? member(first, 'default') : first
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && key in value ? (value as Record<string, unknown>)[key] : undefined
}
