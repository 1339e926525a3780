/**
 * Takes every live secret out of a text: as it stands, JSON-escaped, percent-encoded, and in Base64 at any offset, so that an echoed
 * `Basic` header is covered by the password alone. Secrets of fewer than 4 characters stay: taking them out would take words apart.
 */
export interface Redactor {
  (text: string): string
  /** Takes `secret` out as well, until the returned function is called. A secret that was added twice stays until both were. */
  add(secret: string): () => void
}

/** One for the whole process: the logger and the network layer share it. */
export function createRedactor(secrets: Iterable<string> = []): Redactor {
  const live = new Map<string, number>()
  let pattern: RegExp | undefined
  const add = (secret: string) => {
    if (secret.length < SHORTEST) return () => {}
    const holders = live.get(secret) ?? 0
    live.set(secret, holders + 1)
    if (holders === 0) pattern = undefined
    let held = true
    return () => {
      if (!held) return
      held = false
      const left = (live.get(secret) ?? 1) - 1
      live.set(secret, left)
      if (left > 0) return
      live.delete(secret)
      pattern = undefined
    }
  }
  for (const secret of secrets) add(secret)
  const redact = (text: string) => {
    if (live.size === 0) return text
    pattern ??= compile(live.keys())
    return text.replace(pattern, '[redacted]')
  }
  return Object.assign(redact, { add })
}

const SHORTEST = 4
/** Shorter pieces of Base64 turn up by chance. */
const SHORTEST_BASE64 = 6

/** Longest first, so that a secret that begins with another one goes whole. */
function compile(secrets: Iterable<string>): RegExp {
  const variants = new Set([...secrets].flatMap(spellings))
  return new RegExp(
    [...variants]
      .toSorted((a, b) => b.length - a.length)
      .map(literal)
      .join('|'),
    'gu',
  )
}

function spellings(secret: string): string[] {
  const wellFormed = secret.toWellFormed()
  const percent = encodeURIComponent(wellFormed)
  const json = JSON.stringify(secret).slice(1, -1)
  return [
    secret,
    json,
    JSON.stringify(json).slice(1, -1),
    percent,
    percent.replace(/[!'()*~]/g, (character) => `%${hex(character)}`),
    new URLSearchParams({ '': wellFormed }).toString().slice(1),
    ...base64Pieces(Buffer.from(wellFormed)),
  ]
}

/** What Base64 makes of the bytes wherever they begin: without the characters at either end that their neighbours share in. */
function base64Pieces(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((offset) => {
    const shifted = Buffer.concat([Buffer.alloc(offset), bytes])
    const from = Math.ceil((offset * 8) / 6)
    const to = Math.floor((shifted.length * 8) / 6)
    const pieces = [shifted.toString('base64').slice(from, to), shifted.toString('base64url').slice(from, to)]
    return pieces.filter((piece) => piece.length >= SHORTEST_BASE64)
  })
}

/** The source of a pattern for exactly `text`, the hex digits of a percent-escape in either case. */
function literal(text: string): string {
  return text.replace(/%[0-9A-F]{2}|[^A-Za-z0-9]/gu, (found) =>
    found.length > 2 && found.startsWith('%')
      ? `%${found.slice(1).replace(/[A-F]/g, (digit) => `[${digit}${digit.toLowerCase()}]`)}`
      : `\\u{${found.codePointAt(0)?.toString(16) ?? ''}}`,
  )
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).toUpperCase()
}
