/** Text from outside for a message: one line, no control or invisible characters, at most `limit` characters. */
export function brief(text: string, limit = 300): string {
  const line = text
    .toWellFormed()
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
  return line.length > limit ? `${line.slice(0, limit - 1).toWellFormed()}…` : line
}
