import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { getCompileCacheDir, stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { LRUCache } from 'lru-cache'
import { withoutWarningOf } from './experimental.ts'
import { syntaxError } from './location.ts'
import { createSecondCompiler, isBroken } from './reading/second-compiler.ts'

/** JavaScript of the same length and line breaks as the TypeScript it is given. `digest` is that of the file's content. */
export type TypeStripper = (code: string, source: { readonly file: string; readonly digest: string }) => string

/**
 * Strips a file again only when its content changed: a reload evaluates every file of a plugin, of which one did. A start finds what an
 * earlier one stripped, where Node keeps what it compiled: to read the compiler that strips takes 30 ms.
 */
export function createTypeStripper({ maxLength = 32 * 1024 * 1024 }: { readonly maxLength?: number } = {}): TypeStripper {
  const stripped = new LRUCache<string, Stripped>({ maxSize: maxLength, sizeCalculation: ({ code }) => code.length + 1 })
  return (code, { file, digest }) => {
    const known = stripped.get(file)
    if (known?.digest === digest) return known.code
    const kept = known ? undefined : readKept(digest, code.length)
    const result = kept ?? stripTypes(code, file)
    // Not what a reload brings: every version of a file would stay.
    if (!known && kept === undefined) keep(digest, result)
    stripped.set(file, { digest, code: result })
    return result
  }
}

interface Stripped {
  readonly digest: string
  readonly code: string
}

/** Undefined where nothing is kept, which is also where no compiled code is: with `--watch`, and where pins may be frozen. */
function keptFile(digest: string): string | undefined {
  const folder = getCompileCacheDir()
  return folder === undefined ? undefined : join(folder, 'stripped', `${digest}.js`)
}

function readKept(digest: string, length: number): string | undefined {
  const file = keptFile(digest)
  if (file === undefined) return undefined
  try {
    const code = readFileSync(file, 'utf8')
    return code.length === length ? code : undefined
  } catch {
    return undefined // not kept yet
  }
}

function keep(digest: string, code: string): void {
  const file = keptFile(digest)
  if (file === undefined) return
  try {
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(`${file}.${process.pid}`, code)
    renameSync(`${file}.${process.pid}`, file)
  } catch {
    // The next start strips it again.
  }
}

/** Strips the types of one file, or throws `MODULE_SYNTAX` or `MODULE_TYPESCRIPT_SYNTAX` with the place. */
export function stripTypes(code: string, file: string): string {
  try {
    return stripByCompiler(code)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const { stack = '' } = error
    const message = isBroken(error) ? 'it nests too deeply to be compiled' : error.message
    throw syntaxError({
      file,
      reason: message,
      position: markedPosition(stack),
      cause: error,
      code: 'code' in error && error.code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX' ? 'MODULE_TYPESCRIPT_SYNTAX' : 'MODULE_SYNTAX',
    })
  }
}

function stripByCompiler(code: string): string {
  if (second) return second.strip(code)
  try {
    return withoutWarningOf('stripTypeScriptTypes', () => stripTypeScriptTypes(code))
  } catch (error) {
    // A process of an isolated plugin may have no threads, and is not used for another version.
    const mayHaveThreads = process.permission?.has('worker') ?? true
    if (!isBroken(error) || !mayHaveThreads) throw error
    second = createSecondCompiler()
    return second.strip(code)
  }
}

/** There once the compiler of this thread broke. */
let second: ReturnType<typeof createSecondCompiler> | undefined

/** Node puts `file:line`, the line and a row of marks in front of the stack of an error that has a place. */
export function markedPosition(stack: string): { line: number; column: number } {
  const line = Number(/^[^\n]*:(\d+)\n/.exec(stack)?.[1] ?? 1)
  const marks = /^([ \t]*)\^+[ \t]*$/m.exec(stack)?.[1] ?? ''
  return { line, column: marks.length + 1 }
}
