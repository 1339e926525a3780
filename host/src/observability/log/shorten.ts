/** What a line of the log may hold, in characters: one value of it, and all of it. */
export const LINE_LIMITS = Object.freeze({ value: 8_192, line: 65_536 })

/**
 * Fields for a line of the log: what is too long is cut and says how long it was, what there is too much of is counted. So nothing
 * vanishes without a mark. `most` is for all of them together.
 */
export function shortenFields(fields: Readonly<Record<string, unknown>>, most: number): Readonly<Record<string, unknown>> {
  return shortenObject(fields, { left: most }, 0)
}

/** A text cut to `most` characters, with how many there were. */
export function shortenText(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}… [${text.length} characters]` : text
}

/** Further down, a value is shown as the text it is in JSON. */
const MAX_DEPTH = 4
const MAX_KEY = 200
const MAX_ITEMS = 100

/** What is left of the line. */
interface Room {
  left: number
}

function shortenValue(value: unknown, room: Room, depth: number): unknown {
  if (typeof value === 'string') return take(value, room)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= MAX_DEPTH) return take(JSON.stringify(value) ?? '', room)
  return Array.isArray(value) ? shortenList(value, room, depth + 1) : shortenObject(value, room, depth + 1)
}

function shortenObject(value: object, room: Room, depth: number): Record<string, unknown> {
  const kept: [string, unknown][] = []
  const entries = Object.entries(value)
  for (const [key, part] of entries) {
    if (room.left <= 0) break
    const name = shortenText(key, MAX_KEY)
    room.left -= name.length + VALUE_COST
    kept.push([name, shortenValue(part, room, depth)])
  }
  const more = entries.length - kept.length
  return Object.fromEntries(more > 0 ? [...kept, ['…', `${more} more`]] : kept)
}

function shortenList(list: readonly unknown[], room: Room, depth: number): unknown[] {
  const kept: unknown[] = []
  for (const item of list.slice(0, MAX_ITEMS)) {
    if (room.left <= 0) break
    room.left -= VALUE_COST
    kept.push(shortenValue(item, room, depth))
  }
  const more = list.length - kept.length
  return more > 0 ? [...kept, `… ${more} more`] : kept
}

function take(text: string, room: Room): string {
  const short = shortenText(text, Math.max(0, Math.min(LINE_LIMITS.value, room.left)))
  room.left -= short.length
  return short
}

/** For what is around a value, and for one that is a number. */
const VALUE_COST = 20
