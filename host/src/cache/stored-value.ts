import { createHash } from 'node:crypto'

/** What is kept with a value: until when it is fresh, and the versions that its tags had before it was loaded. */
export interface EntryHead {
  /** Milliseconds since 1970. */
  readonly freshUntil: number
  /** Gone, whatever the store thinks of it. */
  readonly goneAt: number
  readonly versions: readonly string[]
}

export interface Entry {
  readonly head: EntryHead
  readonly json: string
  /** No other caller has this copy. */
  readonly value: unknown
}

/** An entry as one text: its head, a line break, the value as JSON, which holds none. */
export function writeEntry({ freshUntil, goneAt, versions }: EntryHead, json: string): string {
  return `${JSON.stringify([freshUntil, goneAt, ...versions])}\n${json}`
}

/** Undefined for a text that is not an entry: another program wrote it, or an older host. */
export function readEntry(text: unknown): Entry | undefined {
  if (typeof text !== 'string') return undefined
  const end = text.indexOf('\n')
  if (end < 0) return undefined
  try {
    const [freshUntil, goneAt, ...versions] = JSON.parse(text.slice(0, end)) as unknown[]
    if (typeof freshUntil !== 'number' || typeof goneAt !== 'number' || !versions.every((version) => typeof version === 'string'))
      return undefined
    const json = text.slice(end + 1)
    return { head: { freshUntil, goneAt, versions }, json, value: JSON.parse(json) }
  } catch {
    return undefined
  }
}

/** One text for any parts, whatever they contain: no other parts give the same, and it tells nothing of them. */
export function hashParts(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}
