import { markedBy } from './cut.ts'

/**
 * The numbers of all marks in a value, in the order they are met; with `textOf`, its texts are put in their places. For what `JSON.parse`
 * gave within the limits of a message: it calls itself for each level.
 */
export function placeTexts(value: unknown, textOf?: (index: number) => string, met: number[] = []): readonly number[] {
  if (typeof value !== 'object' || value === null) return met
  const members = value as Record<string, unknown>
  for (const key of Object.keys(members)) {
    const member = members[key]
    const index = typeof member === 'string' ? markedBy(member) : undefined
    if (index === undefined) placeTexts(member, textOf, met)
    else {
      met.push(index)
      if (textOf) members[key] = textOf(index)
    }
  }
  return met
}

/** Whether each mark of `count` was met once. A string of the sender may look like one: then none is sure to be ours. */
export function areEach(met: readonly number[], count: number): boolean {
  if (met.length !== count) return false
  const seen = new Set(met)
  for (let index = 0; index < count; index++) if (!seen.has(index)) return false
  return true
}
