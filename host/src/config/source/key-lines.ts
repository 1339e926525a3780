import type { PathPart } from '../schema/fault.ts'
import { writtenIn } from './written-in.ts'
import type { WrittenMember, WrittenValue } from './written.ts'

/**
 * Finds the line, counted from 1, on which the value at a path is written in a config, whose text is read once; undefined unless that
 * is certain. A config is a program: what it computes is written nowhere. Tried are the values that are written out, key by key along the
 * path, and then the last key of the path, if it stands in the file only once.
 */
export function keyLines(file: string, text: string): (path: readonly PathPart[]) => number | undefined {
  const { root, members } = writtenIn(file, text)
  const byName = Map.groupBy(members, ({ name }) => name)
  const lineOf = lineCounter(text)
  return (path) => {
    const exact = root && placeOf(root, path, text)
    if (exact !== undefined) return lineOf(exact)
    const [same, another] = byName.get(path.findLast((part) => typeof part === 'string') ?? '') ?? []
    return same && !another ? lineOf(same.start) : undefined
  }
}

function placeOf(root: WrittenValue, path: readonly PathPart[], text: string): number | undefined {
  let start: number | undefined
  let value: WrittenValue | undefined = root
  for (const [index, part] of path.entries()) {
    // An entry that is a text stands for an object with it as `use`: what is said of a key is said of that text.
    if (typeof path[index - 1] === 'number' && value && isPlain(value, text)) return value.start
    const member: WrittenMember | undefined = value?.members?.get(String(part))
    const item: WrittenValue | undefined = typeof part === 'number' ? value?.items?.[part] : undefined
    start = member?.start ?? item?.start
    value = member ? member.value : item
    if (start === undefined) return undefined
  }
  return start
}

/** Not computed, and neither an object nor a list. */
function isPlain({ start, end, members, items }: WrittenValue, text: string): boolean {
  return !members && !items && !/[([{]/.test(text.slice(start, end))
}

function lineCounter(text: string): (offset: number) => number {
  const ends = Array.from(text.matchAll(/\n/g), ({ index }) => index)
  return (offset) => {
    let [low, high] = [0, ends.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((ends[middle] ?? 0) < offset) low = middle + 1
      else high = middle
    }
    return low + 1
  }
}
