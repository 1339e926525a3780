/** A place in a text, counted from 1. */
export interface TextPlace {
  readonly line: number
  readonly column?: number | undefined
}

/** The lines around a place, numbered, the place marked. Empty where lines are too long to be read. */
export function codeFrame(text: string, { line, column }: TextPlace): string {
  const first = Math.max(1, line - 2)
  const shown = text.split(/\r?\n/).slice(first - 1, line + 2)
  if (shown.some((content) => content.length > 500)) return ''
  const width = String(first + shown.length - 1).length
  return shown
    .flatMap((content, index) => {
      const number = first + index
      const row = `${number === line ? '>' : ' '} ${String(number).padStart(width)} | ${content}`.trimEnd()
      // Tabs stay tabs, so that the mark stands under its column however wide they are shown.
      const mark = `  ${' '.repeat(width)} | ${content.slice(0, (column ?? 1) - 1).replace(/[^\t]/g, ' ')}^`
      return number === line && column !== undefined ? [row, mark] : [row]
    })
    .join('\n')
}
