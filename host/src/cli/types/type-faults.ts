import { resolve } from 'node:path'

/** One error of the compiler. */
export interface TypeFault {
  readonly file: string
  readonly line: number
  readonly column: number
  /** `TS2322` */
  readonly code: string
  /** Its first line; what follows says the same in more detail. */
  readonly message: string
}

/** What `tsc --pretty false` printed. Its paths are relative to `folder`. */
export function readTypeFaults(printed: string, folder: string): readonly TypeFault[] {
  return Array.from(
    printed.matchAll(/^(\S.*?)\((\d+),(\d+)\): error (TS\d+): (.*)$/gm),
    ([, file = '', line, column, code = '', message = '']): TypeFault => ({
      file: resolve(folder, file),
      line: Number(line),
      column: Number(column),
      code,
      message: message.trimEnd(),
    }),
  )
}
