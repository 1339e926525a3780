import { readFileSync, realpathSync, statSync, type Stats } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { HostError, hostError } from '../errors.ts'
import { parseJson } from './commonjs/json-module.ts'

/** What package.json says of the files below a folder. */
export interface PackageScope {
  readonly type: 'module' | 'commonjs' | undefined
  /** The package.json that says so. */
  readonly file: string | undefined
  /** Those that would say otherwise if they were there. */
  readonly missing: readonly string[]
}

/** The package scope of a folder, as on disk now. */
export function packageScope(folder: string): PackageScope {
  const missing: string[] = []
  for (const candidate of scopeFolders(folder)) {
    const file = join(candidate, 'package.json')
    const content = readPackage(candidate)
    if (!content) missing.push(file)
    else return { type: content.type === 'module' || content.type === 'commonjs' ? content.type : undefined, file, missing }
  }
  return { type: undefined, file: undefined, missing }
}

/**
 * Throws `MODULE_RESTART_REQUIRED` when Node would resolve `specifier`, bare or `#private`, for a file in `folder` from something it
 * cached that has changed since: the `imports` or `exports` of the packages in question, or where a link in node_modules points.
 * Call it before every such resolution: the first call for a package is what later ones are compared with. Returns the package.json
 * files in question.
 */
export function assertResolvesAsOnDisk(specifier: string, folder: string): string[] {
  const files: string[] = []
  for (const candidate of scopeFolders(folder)) {
    if (!assertUnchanged(candidate)) continue
    files.push(join(candidate, 'package.json'))
    break
  }
  const name = packageName(specifier)
  if (!name) return files
  for (const above of ancestors(folder)) {
    const link = join(above, 'node_modules', name)
    const target = realPath(link)
    if (target === undefined) continue
    if ((resolvedLinks.get(link) ?? target) !== target)
      throw hostError('MODULE_RESTART_REQUIRED', { file: link, changed: 'its target' })
    resolvedLinks.set(link, target)
    assertUnchanged(target)
    return [...files, join(target, 'package.json')]
  }
  return files
}

/** `@scope/name` of `@scope/name/path`; undefined for `#private`. */
export function packageName(specifier: string): string | undefined {
  return /^(?:@[^/@]+\/)?[^/@#.][^/]*/.exec(specifier)?.[0]
}

interface PackageJson {
  readonly type?: unknown
  readonly exports?: unknown
  readonly imports?: unknown
  readonly main?: unknown
}

/** Node keeps both for the life of the process, whichever graph asks; so do we. */
const resolvedFields = new Map<string, Readonly<Record<string, string | undefined>>>()
const resolvedLinks = new Map<string, string>()

/** Whether there is a package.json, having compared it with the one Node resolved with. */
function assertUnchanged(folder: string): boolean {
  const content = readPackage(folder)
  const file = join(folder, 'package.json')
  const fields = {
    exports: JSON.stringify(content?.exports),
    imports: JSON.stringify(content?.imports),
    main: basename(dirname(folder)) === 'node_modules' ? JSON.stringify(content?.main) : undefined,
  }
  const before = resolvedFields.get(file)
  const changed = before && (['exports', 'imports', 'main'] as const).filter((field) => before[field] !== fields[field])
  if (changed?.length)
    throw hostError('MODULE_RESTART_REQUIRED', { file, changed: changed.map((field) => `"${field}"`).join(' and ') })
  resolvedFields.set(file, fields)
  return content !== undefined
}

/** The folders where Node looks for the package.json of a file, nearest first. */
function* scopeFolders(folder: string): Generator<string> {
  for (const candidate of ancestors(folder)) {
    if (basename(candidate) === 'node_modules') return
    yield candidate
  }
}

function* ancestors(folder: string): Generator<string> {
  yield folder
  if (folder !== dirname(folder)) yield* ancestors(dirname(folder))
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync.native(path)
  } catch {
    return undefined
  }
}

/** npm does not write a larger one, and reading and parsing it blocks the event loop. */
export const MAX_PACKAGE_BYTES = 1_048_576

/** Of a file. Throws for anything else: a pipe, say, would be waited for without end. */
function statFile(file: string): Stats {
  const stats = statSync(file)
  if (!stats.isFile()) throw new TypeError(`${file} is not a file`)
  return stats
}

function tooLarge(file: string, size: number): HostError {
  const reason = `it has ${size} bytes, more than the ${MAX_PACKAGE_BYTES} that a package.json may have`
  return hostError('MODULE_SYNTAX', { at: file, reason })
}

function readPackage(folder: string): PackageJson | undefined {
  const file = join(folder, 'package.json')
  let text: string
  try {
    const { size } = statFile(file)
    if (size > MAX_PACKAGE_BYTES) throw tooLarge(file, size)
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof HostError) throw error
    return undefined
  }
  const content = parseJson(text, file)
  return typeof content === 'object' && content !== null ? content : {}
}
