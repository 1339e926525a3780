/**
 * The candidate that was most likely meant by `word`, or undefined when none is near: letters left out, added, changed or swapped,
 * one for every three characters and `most` at most; upper and lower case, `-` and `_` count as the same.
 */
export function suggest(word: string, candidates: Iterable<string>, most = Infinity): string | undefined {
  const typed = normal(word)
  const allowed = Math.min(most, Math.max(1, Math.floor(typed.length / 3)))
  let best: { candidate: string; distance: number } | undefined
  for (const candidate of candidates) {
    const wanted = normal(candidate)
    if (Math.abs(wanted.length - typed.length) > allowed) continue
    const distance = editDistance(typed, wanted)
    if (distance <= allowed && (!best || distance < best.distance)) best = { candidate, distance }
  }
  return best?.candidate
}

/** `; did you mean "isolation"?`, or nothing. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const candidate = suggest(word, candidates)
  return candidate === undefined ? '' : `; did you mean ${JSON.stringify(candidate)}?`
}

/** What is compared; a word of more than 64 characters is not a typing error. */
function normal(word: string): string {
  return word.slice(0, 64).toLowerCase().replaceAll('-', '_')
}

/** Damerau's distance in its restricted form: a swap of neighbours is one edit, `ULR` is one away from `URL`. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1] ? 0 : 1
      const edits = [at(last, column) + 1, at(current, column - 1) + 1, at(last, column - 1) + same]
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      current.push(Math.min(...edits, swapped ? at(beforeLast, column - 2) + 1 : Infinity))
    }
    beforeLast = last
    last = current
  }
  return at(last, b.length)
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity
}
