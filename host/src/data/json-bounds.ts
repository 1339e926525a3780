/** How deep a value may nest, and how many values it may hold: what every later look at it costs. */
export interface ValueBounds {
  readonly depth: number
  readonly values: number
}

/**
 * Why a value is beyond its bounds, in words that follow its name; undefined when it is within them. Looks at no more values than the
 * bound allows and calls itself for none, so that what came from outside can be asked about before anything recurses over it. A value
 * that contains itself nests too deeply.
 */
export function beyondBounds(value: unknown, { depth, values }: ValueBounds): string | undefined {
  let level: unknown[] = [value]
  let seen = 1
  for (let at = 0; level.length > 0; at += 1) {
    if (at > depth) return `is nested deeper than ${depth}`
    const next: unknown[] = []
    for (const one of level) {
      if (typeof one !== 'object' || one === null) continue
      const members: unknown[] = Array.isArray(one) ? one : Object.values(one)
      seen += members.length
      if (seen > values) return `holds more than ${values} values`
      for (const member of members) next.push(member)
    }
    level = next
  }
  return undefined
}

/** Whether the objects and arrays of a JSON text nest deeper than `depth`: one pass, before anything parses it. */
export function nestsDeeper(text: string, depth: number): boolean {
  let open = 0
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]
    if (character === '"') at = endOfString(text, at + 1)
    else if (character === '{' || character === '[') {
      open += 1
      if (open > depth) return true
    } else if (character === '}' || character === ']') open -= 1
  }
  return false
}

function endOfString(text: string, from: number): number {
  let at = from
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}
