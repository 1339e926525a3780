import type { Source, Admit, Format } from './types.ts'
import { hash } from 'node:crypto'
import { dirname, extname, sep } from 'node:path'
import { compileFunction } from 'node:vm'
import { LRUCache } from 'lru-cache'
import { hostError } from '../errors.ts'
import type { Evaluation } from './evaluation.ts'
import { parseJson } from './commonjs/json-module.ts'
import { readSourceFile } from './reading/kept-sources.ts'
import { digestOf } from './reading/source-digest.ts'
import { packageScope } from './package-scope.ts'
import type { TypeStripper } from './typescript.ts'

/** Reads a file on behalf of an evaluation, which remembers that it did. */
export type SourceReader = (file: string, evaluation: Evaluation) => Source

/** The parameters of the function a CommonJS module is. */
export const commonJsParameters: readonly string[] = ['exports', 'require', 'module', '__filename', '__dirname']

/**
 * Reads, strips types and decides the format as Node does, but from our own reading of package.json: Node caches that for the life
 * of the process, so it would not see a changed `type`.
 */
export function createSourceReader(stripTypes: TypeStripper, admit?: Admit): SourceReader {
  let reads = 0
  const formats = new LRUCache<string, Format>({ max: 4_096 })
  return (file, evaluation) => {
    const kind = kinds[extname(file)]
    if (!kind) {
      admit?.({ file, digest: digestOf(file), once: true })
      return { format: 'other', code: '' }
    }
    evaluation.lastRead = { file, order: ++reads }
    if (kind.typescript && isInPackages(file)) throw hostError('MODULE_TYPESCRIPT_IN_PACKAGE', { file })
    const bytes = readSourceFile(file, evaluation)
    const digest = hash('sha256', bytes)
    evaluation.digests.set(file, digest)
    admit?.({ file, digest, once: false })
    const text = bytes.toString().replace(/^\uFEFF/, '')
    const code = kind.typescript ? stripTypes(text, { file, digest }) : text
    evaluation.sourceLength += code.length
    // Late enough for what a call imports, or requires, or a plugin reads from a folder of modules.
    evaluation.importsLater ||= /\b(?:import|require)\s*\(/.test(code)
    if (kind.format === 'json') parseJson(code, file)
    return { format: kind.format ?? formatIn(typeOfPackage(file, evaluation), () => formatOf(code, digest)), code }
  }

  /**
   * What compiles only as an ES module is one, also where the nearest package.json says `"type": "commonjs"`: `npm init` writes that
   * into every project, whatever its files are.
   */
  function formatIn(type: Format | undefined, found: () => Format): Format {
    return type === 'module' ? type : found()
  }

  /** Found out once for each content: a reload of twenty files without a package.json spent 4 ms on it. */
  function formatOf(code: string, digest: string): Format {
    let format = formats.get(digest)
    if (!format) formats.set(digest, (format = compilesAsCommonJs(code) ? 'commonjs' : 'module'))
    return format
  }
}

/** Whether the file lies in some node_modules: a published package, not source code that a person edits. */
export function isInPackages(file: string): boolean {
  return file.includes(`${sep}node_modules${sep}`)
}

/** `#!` may open a script but not a function. As a comment it keeps every position. */
export function withoutHashbang(code: string): string {
  return code.startsWith('#!') ? `//${code.slice(2)}` : code
}

/** Without `format`, package.json decides. */
const kinds: Readonly<Record<string, { readonly format?: Format; readonly typescript?: boolean }>> = {
  '': {},
  '.js': {},
  '.mjs': { format: 'module' },
  '.cjs': { format: 'commonjs' },
  '.json': { format: 'json' },
  '.ts': { typescript: true },
  '.mts': { format: 'module', typescript: true },
  '.cts': { format: 'commonjs', typescript: true },
}

/** What package.json says of the files in this folder; undefined where the code has to tell. */
function typeOfPackage(file: string, evaluation: Evaluation): Format | undefined {
  const folder = dirname(file)
  let scope = evaluation.packageScopes.get(folder)
  if (!scope) {
    scope = packageScope(folder)
    evaluation.packageScopes.set(folder, scope)
    if (scope.file) {
      evaluation.files.add(scope.file)
      evaluation.digests.set(scope.file, digestOf(scope.file))
    }
    for (const path of scope.missing) if (evaluation.covers(path)) evaluation.miss(path)
  }
  return scope.type
}

/** Node's rule for a package without `type`, but without its warning: a single file dropped in a folder is a fine plugin. */
function compilesAsCommonJs(code: string): boolean {
  try {
    compileFunction(withoutHashbang(code), commonJsParameters)
    return true
  } catch {
    return false
  }
}
