import { readFileSync } from 'node:fs'
import { createRequire, isBuiltin } from 'node:module'
import { extname } from 'node:path'
import type { parse } from 'cjs-module-lexer'
import { requireResolver } from './commonjs-resolve.ts'
import type { Evaluation } from '../evaluation.ts'
import type { Placement } from '../placement.ts'
import type { SourceReader } from '../source.ts'

/** The names an `import` of a CommonJS file can bind, in the order found. */
export type ExportNames = (file: string, code: string, evaluation: Evaluation) => string[]

/**
 * Finds them with the lexer Node uses, following `module.exports = require(…)` as Node does. Ours because Node runs its lexer only
 * in its own CommonJS translator, which caches by file name.
 */
export function createExportNames({ placement, readSource }: { placement: Placement; readSource: SourceReader }): ExportNames {
  const collect = (file: string, code: string, evaluation: Evaluation, visited: Set<string>): string[] => {
    visited.add(file)
    const { exports, reexports } = lex(code)
    const native = createRequire(file)
    const locate = requireResolver({ from: file, native, evaluation, placement })
    const inherited = reexports.flatMap((id) => {
      const target = isBuiltin(id) ? undefined : attempt(() => locate(id))
      if (target === undefined || visited.has(target)) return []
      const owner = placement.place(target, evaluation)
      const read = () => (owner ? readSource(target, owner) : { format: guessFormat(target), code: readFileSync(target, 'utf8') })
      const source = attempt(read)
      return source?.format === 'commonjs' ? collect(target, source.code, owner ?? evaluation, visited) : []
    })
    return [...exports, ...inherited]
  }
  return (file, code, evaluation) => [...new Set(collect(file, code, evaluation, new Set()))]
}

let lexer: { readonly parse: typeof parse } | undefined

/** Loaded at the first use: most plugins are ES modules. Its CommonJS build needs no asynchronous start. */
function lex(code: string): ReturnType<typeof parse> {
  lexer ??= loadLexer()
  const { parse: parseExports } = lexer
  return attempt(() => parseExports(code)) ?? { exports: [], reexports: [] }
}

function loadLexer(): { readonly parse: typeof parse } {
  return createRequire(import.meta.url)('cjs-module-lexer')
}

function guessFormat(file: string): 'commonjs' | 'other' {
  return extname(file) === '.cjs' || extname(file) === '.js' ? 'commonjs' : 'other'
}

/** What does not resolve, or does not parse, has no names here; running it says why. */
function attempt<Result>(find: () => Result): Result | undefined {
  try {
    return find()
  } catch {
    return undefined
  }
}
