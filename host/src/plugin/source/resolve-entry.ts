import { existsSync, realpathSync, statSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { basename, dirname, extname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { PluginEntry } from '../../config/schema/schema.ts'
import { isServerSpecifier, serverInstance } from '../../config/schema/server/server-specifier.ts'
import { isObject } from '../../data/json.ts'
import { hostError } from '../../errors.ts'
import { readManifest } from './plugin-manifest.ts'
import { projectRoot } from './project-root.ts'
import { PACKAGE_NAME } from '../../data/package.ts'

/** Where a plugin's code is. All paths are real paths. */
export interface ResolvedPlugin {
  readonly source: 'path' | 'npm'
  /** The module whose default export is the plugin. */
  readonly file: string
  /** The plugin's own folder; for a plugin of one file, that file. */
  readonly root: string
  readonly packageName?: string
  readonly version?: string
}

/**
 * Finds the module of an entry: a file or folder of the project, see `projectRoot`, or an installed npm package. Throws `PLUGIN_SPECIFIER` for
 * what could lead elsewhere, `PLUGIN_NOT_FOUND`, and `PLUGIN_VERSION` where another version is installed than the entry pins.
 */
export function resolvePlugin(
  { use, version, instance }: { use: string; version?: string | undefined; instance: string },
  configDir: string,
): ResolvedPlugin {
  const found = isPath(use) ? resolvePath(use, instance, configDir) : resolvePackage(use, instance, configDir)
  if (version !== undefined && found.version !== version)
    throw hostError('PLUGIN_VERSION', { plugin: instance, use, wanted: version, found: found.version ?? 'no version' })
  return found
}

/** The instance name an entry without `as` gets before its code is known: the package's or folder's last word. */
export function nameFromSpecifier(use: string): string {
  if (isServerSpecifier(use)) return serverInstance(use)
  const last = basename(use, extname(use).length <= 4 ? extname(use) : '')
  return last
    .replace(/^(?:mcp-)?plugin-|^mcp-|-mcp$/g, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
}

/** Where a plugin would be that cannot be found: what to watch for it to come. */
export function expectedRoot(use: string, configDir: string): string | undefined {
  if (isPath(use)) return use.includes(':') ? undefined : resolve(configDir, use)
  return PACKAGE_NAME.test(use) ? join(configDir, 'node_modules', use) : undefined
}

/** Every plugin folder or file in a folder of `pluginDirs`, in order of name. */
export function isPluginPath(path: string): boolean {
  try {
    const stats = statSync(path)
    return stats.isDirectory() ? entryOf(path) !== undefined : isPluginFile(path)
  } catch {
    return false
  }
}

/** Tests, declarations and the settings of tools lie beside plugins in many projects. */
function isPluginFile(path: string): boolean {
  return CODE.has(extname(path)) && !/(?:\.(?:d|test|spec|e2e|config|setup|stories|bench)|_test)\.[cm]?[jt]s$/.test(path)
}

function isPath(use: string): boolean {
  return use.startsWith('.') || isAbsolute(use) || use.includes(':')
}

function resolvePath(use: string, instance: string, configDir: string): ResolvedPlugin {
  const refuse = (why: string) => hostError('PLUGIN_SPECIFIER', { plugin: instance, use, why })
  if (use.includes(':') && !/^[a-z]:[\\/]/i.test(use)) throw refuse('it is a URL')
  if (use.includes('\0')) throw refuse('it holds a NUL character')
  const path = resolve(configDir, use)
  const project = projectRoot(configDir)
  const inside = relative(project, path)
  if (inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) throw refuse(`it is outside ${project}`)
  let real: string
  try {
    real = realpathSync(path)
  } catch (error) {
    throw hostError('PLUGIN_NOT_FOUND', { plugin: instance, use, where: path }, error)
  }
  const stats = statSync(real)
  if (stats.isFile()) return { source: 'path', file: real, root: real }
  if (!stats.isDirectory()) throw refuse('it is neither a file nor a folder')
  return folderPlugin({ folder: real, source: 'path', use, instance })
}

function resolvePackage(use: string, instance: string, configDir: string): ResolvedPlugin {
  if (!PACKAGE_NAME.test(use))
    throw hostError('PLUGIN_SPECIFIER', {
      plugin: instance,
      use,
      why: 'it is neither a path beginning with ./ nor the name of an npm package',
    })
  let manifest: string | undefined
  try {
    manifest = findPackageJSON(use, pathToFileURL(join(configDir, 'mcp.config.ts')))
  } catch (error) {
    throw hostError('PLUGIN_NOT_FOUND', { plugin: instance, use, where: join(configDir, 'node_modules') }, error)
  }
  if (manifest === undefined)
    throw hostError('PLUGIN_NOT_FOUND', { plugin: instance, use, where: join(configDir, 'node_modules') })
  return folderPlugin({ folder: realpathSync(dirname(manifest)), source: 'npm', use, instance })
}

function folderPlugin({
  folder,
  source,
  use,
  instance,
}: {
  folder: string
  source: 'path' | 'npm'
  use: string
  instance: string
}): ResolvedPlugin {
  const file = entryOf(folder)
  if (file === undefined) throw hostError('PLUGIN_NOT_FOUND', { plugin: instance, use, where: folder, named: namedBy(folder) })
  const { name, version } = readManifest(folder)
  return {
    source,
    file: realpathSync(file),
    root: folder,
    ...(typeof name === 'string' ? { packageName: name } : {}),
    ...(typeof version === 'string' ? { version } : {}),
  }
}

const CODE = new Set(['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'])

/** The main module of a folder: what package.json exports, source before build, else an index file. */
function entryOf(folder: string): string | undefined {
  const candidates = [...namedBy(folder), ...[...CODE].map((extension) => `index${extension}`)]
  return candidates
    .map((candidate) => join(folder, candidate))
    .find((path) => isInside(path, folder) && existsSync(path) && statSync(path).isFile())
}

/** What the package.json of a folder names as its main module, in the order in which it is looked for. */
function namedBy(folder: string): readonly string[] {
  const { exports, main } = readManifest(folder)
  const target = isObject(exports) && Object.keys(exports).some((key) => key.startsWith('.')) ? exports['.'] : exports
  return [...targets(target), ...(typeof main === 'string' ? [main] : [])]
}

const CONDITIONS = new Set(['@mcp-patchbay/source', 'node', 'import', 'module-sync', 'require', 'default'])

/** The files an `exports` target may mean, in its own order, for the conditions that hold here. */
function targets(target: unknown): readonly string[] {
  if (typeof target === 'string') return [target]
  if (Array.isArray(target)) return target.flatMap(targets)
  if (!isObject(target)) return []
  return Object.entries(target).flatMap(([condition, value]) => (CONDITIONS.has(condition) ? targets(value) : []))
}

function isInside(path: string, folder: string): boolean {
  const inside = relative(folder, path)
  return inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside)
}

/** For messages: an entry's specifier, or the word for a plugin handed over as an object. */
export function specifierOf(entry: Pick<PluginEntry, 'use'>): string {
  return typeof entry.use === 'string' ? entry.use : '(object)'
}
