/**
 * One predicate for a list of globs over tool names: true when any of them matches the whole name. `*` stands for any run of
 * characters, also none, and `?` for exactly one; everything else, regular expressions included, stands for itself. An empty list
 * matches nothing. Cheap enough to ask for every tool of every view: plain names are one set lookup, and no pattern, however many
 * stars it has, takes more than name length times pattern length steps.
 */
export function compileGlobs(patterns: readonly string[]): (name: string) => boolean {
  const plain = new Set<string>()
  const wild: string[] = []
  for (const pattern of new Set(patterns)) {
    if (!/[*?]/.test(pattern)) plain.add(pattern)
    else if (/^\*+$/.test(pattern)) return () => true
    else wild.push(pattern)
  }
  if (wild.length === 0) return plain.size === 0 ? () => false : (name) => plain.has(name)
  return (name) => plain.has(name) || wild.some((pattern) => matches(pattern, name))
}

/** Of a tool: its name, and its tags with those that it has by itself. */
export type ToolMatch = (name: string, tags: readonly string[]) => boolean

/** Like {@link compileGlobs}, and `tag:NAME` matches what has that tag; the name of a tag may be a glob as well. */
export function compileToolGlobs(patterns: readonly string[]): ToolMatch {
  const byName = compileGlobs(patterns.filter((pattern) => !pattern.startsWith(TAG)))
  const tagged = patterns.filter((pattern) => pattern.startsWith(TAG)).map((pattern) => pattern.slice(TAG.length))
  if (tagged.length === 0) return byName
  const byTag = compileGlobs(tagged)
  return (name, tags) => byName(name) || tags.some((tag) => byTag(tag))
}

/** Names of tools have no colon. */
export const TAG = 'tag:'

/** Greedy with one point of return: when a later star has been reached, no earlier one needs another try. */
function matches(pattern: string, name: string): boolean {
  let p = 0
  let n = 0
  let star = -1
  let resume = 0
  while (n < name.length) {
    if (pattern[p] === '*') {
      star = p++
      resume = n
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === name[n])) {
      p++
      n++
    } else if (star !== -1) {
      p = star + 1
      n = ++resume
    } else return false
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}
