import { pointerStep } from '../json.ts'

const MAX_DEPTH = 128
const MAX_VALUES = 3_000_000

/** Throws an `Error` with the place where `document` is too deep, a circle of YAML aliases, or has too many values. */
export function requireBounded(root: object, document: string): void {
  let values = 0
  const open: Node[] = [{ value: root, depth: 0 }]
  for (let node = open.pop(); node; node = open.pop()) {
    for (const [key, value] of Object.entries(node.value)) {
      const place: Node = { value: value as object, depth: node.depth + 1, key, parent: node }
      if (++values > MAX_VALUES) throw new Error(`${document} has more than ${MAX_VALUES} values, at ${pointer(place)}`)
      if (key === '__proto__') throw new Error(`${document} has a key "__proto__", at ${pointer(place)}`)
      if (typeof value !== 'object' || value === null) continue
      if (place.depth > MAX_DEPTH) throw new Error(`${document} is deeper than ${MAX_DEPTH} levels, at ${pointer(place)}`)
      open.push(place)
    }
  }
}

interface Node {
  readonly value: object
  readonly depth: number
  readonly key?: string
  readonly parent?: Node
}

function pointer(node: Node): string {
  const steps: string[] = []
  for (let at: Node | undefined = node; at?.key !== undefined; at = at.parent) steps.unshift(pointerStep(at.key))
  return `#/${steps.slice(0, 12).join('/')}${steps.length > 12 ? '/…' : ''}`
}
