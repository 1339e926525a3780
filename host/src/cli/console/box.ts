/** Lines in a frame as wide as the widest of them. They must be plain. */
export function box(lines: readonly string[]): readonly string[] {
  const width = Math.max(...lines.map((line) => line.length))
  const edge = '─'.repeat(width + 2)
  return [`╭${edge}╮`, ...lines.map((line) => `│ ${line.padEnd(width)} │`), `╰${edge}╯`]
}
