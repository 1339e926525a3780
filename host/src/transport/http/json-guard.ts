/** How deep a message may nest, and how many keys all its objects may have together. */
export const JSON_LIMITS = Object.freeze({ depth: 64, keys: 10_000 })

/**
 * Why a message must not be parsed, in words for the client; undefined when it may be. One pass, linear in its length, before
 * `JSON.parse` builds anything: a million brackets cost the parser half a second of event loop.
 *
 * Besides depth and keys it refuses a key that is there twice where the protocol reads it: in the message, its `params` and their
 * `_meta`. Parsers disagree on which one counts, so a proxy in front could have checked the other. In a tool's arguments the last
 * one counts, as in `JSON.parse`. What is not JSON at all passes here and fails in the parser.
 */
export function findJsonFault(text: string): string | undefined {
  let depth = 0
  let keys = 0
  let keyNext = false
  let pending: Role = OTHER
  nextBackslash = -1
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE: {
        const end = closingQuote(text, at + 1)
        if (end === -1) return undefined
        if (keyNext) {
          keyNext = false
          if (++keys > JSON_LIMITS.keys) return `The message has more than ${JSON_LIMITS.keys} keys`
          const role = roles[depth]
          if (role === MESSAGE || role === PARAMS || role === META) {
            const key = keyText(text, at + 1, end)
            if (isSeen(role, key)) return `The message has the key ${JSON.stringify(key.slice(0, 200))} twice`
            pending = roleBelow(role, key)
          }
        }
        at = end
        break
      }
      case OPEN_BRACE:
        if (++depth > JSON_LIMITS.depth) return `The message nests deeper than ${JSON_LIMITS.depth} levels`
        if (depth === 1 || (depth === 2 && roles[1] === BATCH)) pending = MESSAGE
        roles[depth] = pending
        if (pending !== OTHER) seen[pending] = []
        isObject[depth] = 1
        pending = OTHER
        keyNext = true
        break
      case OPEN_BRACKET:
        if (++depth > JSON_LIMITS.depth) return `The message nests deeper than ${JSON_LIMITS.depth} levels`
        roles[depth] = depth === 1 ? BATCH : OTHER
        isObject[depth] = 0
        pending = OTHER
        keyNext = false
        break
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        if (--depth < 0) return undefined
        keyNext = false
        break
      case COMMA:
        keyNext = isObject[depth] === 1
        pending = OTHER
        break
      default:
    }
  }
  return undefined
}

/** What an object is to the protocol. */
type Role = typeof OTHER | typeof MESSAGE | typeof PARAMS | typeof META | typeof BATCH
const OTHER = 0
const MESSAGE = 1
const PARAMS = 2
const META = 3
const BATCH = 4

// Scratch for one scan, by depth: it is synchronous, so one is enough for every request. Depth 0 is outside of everything.
const roles = new Uint8Array(JSON_LIMITS.depth + 1)
const isObject = new Uint8Array(JSON_LIMITS.depth + 1)
/** The keys of the message, params and _meta that are being read, by role: none of them is inside another of its kind. */
const seen: (string[] | Set<string>)[] = [[], [], [], []]
let nextBackslash = -1

function roleBelow(role: Role, key: string): Role {
  if (role === MESSAGE && key === 'params') return PARAMS
  if (role === PARAMS && key === '_meta') return META
  return OTHER
}

/** Whether `key` was there before, and from now on it was. An envelope has a handful of keys: a list is quicker than a set. */
function isSeen(role: Role, key: string): boolean {
  const before = seen[role] ?? []
  if (before instanceof Set) return before.size === before.add(key).size
  if (before.includes(key)) return true
  before.push(key)
  if (before.length > 16) seen[role] = new Set(before)
  return false
}

/**
 * Where the string that begins at `from` ends, or -1. Where the next backslash is, is remembered until it is passed: most messages have
 * none, and to search again each time would be quadratic in a message made for it.
 */
function closingQuote(text: string, from: number): number {
  let quote = text.indexOf('"', from)
  if (nextBackslash < from) nextBackslash = positionOf('\\', text, from)
  while (nextBackslash < quote) {
    const after = nextBackslash + 2
    if (quote < after) quote = text.indexOf('"', after)
    nextBackslash = positionOf('\\', text, after)
  }
  return quote
}

function positionOf(character: string, text: string, from: number): number {
  const position = text.indexOf(character, from)
  return position === -1 ? Infinity : position
}

/** A key as the parser will read it: an escape must not make two spellings of one key. */
function keyText(text: string, from: number, to: number): string {
  const raw = text.slice(from, to)
  if (!raw.includes('\\')) return raw
  try {
    return String(JSON.parse(`"${raw}"`))
  } catch {
    return raw
  }
}

const QUOTE = 0x22
const COMMA = 0x2c
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
