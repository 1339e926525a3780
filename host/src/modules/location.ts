import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { hostError, type HostError } from '../errors.ts'
import { isError, textOf } from '../observability/thrown.ts'

/** Where a fault is, for a person and an editor. */
export interface SourceLocation {
  readonly file: string
  /** Counted from 1, as the column. */
  readonly line: number
  readonly column: number
  /** The lines around it, with a mark under the column. */
  readonly frame: string
}

/** Says where `error` comes from, for {@link locationOf}: another process found out. */
export function withLocation(error: Error, location: SourceLocation): void {
  locations.set(error, location)
}

export interface Position {
  readonly line: number
  readonly column: number
}

/**
 * Where in `files` an error comes from: the place that does not parse, or else the topmost stack frame in one of them. Undefined
 * when it comes from elsewhere, or has no stack.
 */
export function locationOf(error: unknown, files: ReadonlySet<string>): SourceLocation | undefined {
  if (!isError(error)) return undefined
  const known = locations.get(error)
  if (known) return known
  for (const [, url = '', line, column] of textOf(error, 'stack')?.matchAll(/(file:\/\/\S+?):(\d+):(\d+)/g) ?? []) {
    const file = pathOf(url)
    if (file && files.has(file)) return locate(file, { line: Number(line), column: Number(column) })
  }
  return undefined
}

export interface SyntaxFault {
  readonly file: string
  /** The complaint of the parser. */
  readonly reason: string
  readonly position: Position
  readonly cause: unknown
  readonly code?: 'MODULE_SYNTAX' | 'MODULE_TYPESCRIPT_SYNTAX' | 'MODULE_EXPORT_MISSING'
}

/** The error for source that is no module; {@link locationOf} knows its place. */
export function syntaxError({ file, reason, position, cause, code = 'MODULE_SYNTAX' }: SyntaxFault): HostError {
  const location = locate(file, position)
  const error = hostError(code, { at: `${file}:${location.line}:${location.column}`, reason }, cause)
  locations.set(error, location)
  return error
}

const locations = new WeakMap<Error, SourceLocation>()

/** V8 may place an error at the end of a file on the line that we append: then the position is the end of the file. */
function locate(file: string, { line, column }: Position): SourceLocation {
  const lines = linesOf(file)
  const place = line > lines.length ? { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 } : { line, column }
  return { file, ...place, frame: column > 500 ? '' : frameOf(lines, place) }
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/)
  } catch {
    return ['']
  }
}

function frameOf(lines: readonly string[], { line, column }: Position): string {
  const first = Math.max(1, line - 2)
  const shown = lines.slice(first - 1, line + 2)
  const width = String(first + shown.length - 1).length
  return shown
    .flatMap((text, index) => {
      const number = first + index
      const gutter = `${number === line ? '>' : ' '} ${String(number).padStart(width)} | `
      // Tabs stay tabs in the padding, so that the mark stands under its column however wide they are shown.
      const mark = `  ${' '.repeat(width)} | ${text.slice(0, column - 1).replace(/[^\t]/g, ' ')}^`
      return number === line ? [gutter + text, mark] : [gutter + text]
    })
    .join('\n')
}

function pathOf(url: string): string | undefined {
  try {
    return fileURLToPath(url)
  } catch {
    return undefined
  }
}
