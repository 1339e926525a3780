import { syntaxError } from '../location.ts'

/** Parses the JSON of a file, or throws `MODULE_SYNTAX` with the place of the fault. */
export function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    const message = messageOf(error)
    const before = text.slice(0, offsetOf(message, text))
    const position = { line: before.split('\n').length, column: before.length - before.lastIndexOf('\n') }
    throw syntaxError({
      file,
      reason: message.replace(/(?:, (?:\.\.\.)?".*)? (?:is not valid JSON|in JSON at .*)$/s, ''),
      position,
      cause: error,
    })
  }
}

/**
 * Where the fault is, from V8's message. For an unexpected token it names no position but shows the ten characters before and after,
 * if there are as many: hence the padding.
 */
function offsetOf(message: string, text: string): number {
  const stated = /at position (\d+)/.exec(message)?.[1]
  if (stated) return Number(stated)
  if (!message.startsWith('Unexpected token')) return text.length
  const padding = ' '.repeat(11)
  const padded = padding + text + padding
  try {
    JSON.parse(padded)
  } catch (error) {
    const shown = /\.\.\."(.*)"\.\.\. is not valid JSON$/s.exec(messageOf(error))?.[1]
    if (shown) return padded.indexOf(shown) + 10 - padding.length
  }
  return 0
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : ''
}
