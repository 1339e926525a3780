import { stripVTControlCharacters } from 'node:util'
import { protocolStdout } from '../../transport/stdio/stdout-guard.ts'

/** The command's own output: the one writer of stdout. Whatever a plugin prints goes to stderr. */
export function printLines(lines: readonly string[]): void {
  const stdout = protocolStdout()
  // A pipe such as `patchbay schema | head` closes it early: what nothing reads any more need not be written.
  stdout.off('error', ignore)
  stdout.on('error', ignore)
  stdout.write(`${lines.join('\n')}\n`)
}
const ignore = (): void => {}

export function printJson(value: unknown): void {
  printLines([JSON.stringify(value, null, 2)])
}

/** Columns as wide as their widest cell, colours not counted. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const all = [head, ...rows]
  const width = (cell: string) => stripVTControlCharacters(cell).length
  const widths = head.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ''))))
  return all.map((row) =>
    row
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - width(cell)))
      .join('  ')
      .trimEnd(),
  )
}
