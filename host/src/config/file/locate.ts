import type { PathPart } from '../schema/fault.ts'
import type { ConfigSource } from './types.ts'

/**
 * Finds the line, counted from 1, on which the value at a path is written in a config, whose text is read once; undefined unless that
 * is certain. A config is a program: what it computes is written nowhere. Tried are the literals that are written out, key by key along the path, and then
 * the last key of the path, if it stands in the file only once.
 */
export function keyLocator({ file, text }: ConfigSource): (path: readonly PathPart[]) => number | undefined {
  const yaml = /\.ya?ml$/.test(file)
  const keys = yaml ? yamlKeys(text) : literalKeys(text)
  const byPath = Map.groupBy(yaml ? [] : keys, (found) => found.path)
  const byName = Map.groupBy(keys, ({ name }) => name)
  return (path) => {
    const [exact, another] = byPath.get(pathKey(path)) ?? []
    if (exact && !another) return exact.line
    const [same, more] = byName.get(path.findLast((part) => typeof part === 'string') ?? '') ?? []
    return same && !more ? same.line : undefined
  }
}

/** A key of an object literal, and the line it stands on. */
export interface FoundKey {
  readonly name: string
  /** Its place below the outermost literal it is in. */
  readonly path: string
  readonly line: number
}

function pathKey(path: readonly PathPart[]): string {
  return JSON.stringify(path.map(String))
}

function yamlKeys(text: string): readonly FoundKey[] {
  return text.split('\n').flatMap((content, index) => {
    const name = /^\s*(?:- +)*["']?([^\s"'#:][^"'#:]*?)["']?\s*:(?:\s|$)/.exec(content.slice(0, LONGEST_START))?.[1]
    return name === undefined ? [] : [{ name, path: '', line: index + 1 }]
  })
}

/** A key is at the beginning of its line; looking for one in a line of a megabyte would take minutes. */
const LONGEST_START = 300

/** Comments, strings, and whatever else structures an object literal; one alternative matches at any place. */
const token =
  /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|`(?:[^`\\]|\\[\s\S])*`?|[A-Za-z_$][\w$]*|[{}[\](),:]|\s+|./gs

/** Every key of every object literal of JavaScript or JSON. Elements of arrays count as keys: their line is that of their first token. */
export function literalKeys(text: string): readonly FoundKey[] {
  const found: FoundKey[] = []
  const open: Literal[] = []
  let line = 1
  let pending: { name: string; line: number } | undefined
  for (const [match] of text.matchAll(token)) {
    const at = line
    line += match.split('\n').length - 1
    if (/^\s|^\/[/*]/.test(match)) continue
    const inner = open.at(-1)
    if (inner?.kind === '[' && inner.fresh && match !== ']') found.push({ name: '', path: placeOf(open), line: at })
    if (inner) inner.fresh = false
    if (match === '{' || match === '[' || match === '(') {
      open.push({ kind: match, key: match === '[' ? '0' : '', index: 0, fresh: true })
    } else if (match === '}' || match === ']' || match === ')') open.pop()
    else if (match === ',' && inner) {
      inner.fresh = true
      if (inner.kind === '[') inner.key = String(++inner.index)
    } else if (match === ':' && inner?.kind === '{' && pending) {
      inner.key = pending.name
      found.push({ name: pending.name, path: placeOf(open), line: pending.line })
    }
    const name = /^["']/.test(match) ? match.slice(1, -1) : match
    pending = /^[\w$"']/.test(match) ? { name, line: at } : undefined
  }
  return found
}

interface Literal {
  readonly kind: '{' | '[' | '('
  /** The key or index whose value is being read. */
  key: string
  index: number
  /** Nothing of the next element has been seen yet. */
  fresh: boolean
}

/** From the outermost call or block inwards: the argument of defineConfig is a literal of its own. */
function placeOf(open: readonly Literal[]): string {
  const outermost = open.findLastIndex(({ kind }) => kind === '(') + 1
  return JSON.stringify(open.slice(outermost).map(({ key }) => key))
}
