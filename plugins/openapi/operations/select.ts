import type { Operation } from './operations.ts'

/** Those that an operator wants, and the patterns that match no operation at all: most likely misspelt. */
export function selectOperations(
  operations: readonly Operation[],
  { allow, deny = [] }: { readonly allow?: readonly string[] | undefined; readonly deny?: readonly string[] | undefined },
): { readonly selected: readonly Operation[]; readonly unmatched: readonly string[] } {
  const allowed = allow?.map(matcher)
  const denied = deny.map(matcher)
  const selected = operations.filter(
    (operation) => (allowed?.some((matches) => matches(operation)) ?? true) && !denied.some((matches) => matches(operation)),
  )
  const unmatched = [...(allow ?? []), ...deny].filter((pattern) => !operations.some(matcher(pattern)))
  return { selected, unmatched }
}

/** `METHOD /path`, or else a tag or an operationId; `*` is anything, slashes too. A method is matched in upper and lower case. */
function matcher(pattern: string): (operation: Operation) => boolean {
  const [, method, path] = /^(\S+)\s+(.+)$/.exec(pattern) ?? []
  const isMethod = method !== undefined && /^(?:\*|[a-z]+)$/i.test(method) && /^[/*]/.test(path ?? '')
  const glob = globOf(isMethod ? `${method.toUpperCase()} ${path}` : pattern)
  return ({ label, tags, operationId }) => (isMethod ? glob(label) : [...tags, operationId ?? ''].some(glob))
}

/** Without a regular expression: a pattern of many stars takes no longer than its length times the text's. */
function globOf(pattern: string): (text: string) => boolean {
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  return (text) => {
    if (last === undefined) return text === first
    if (!text.startsWith(first)) return false
    let at = first.length
    for (const part of rest) {
      const found = text.indexOf(part, at)
      if (found < 0) return false
      at = found + part.length
    }
    return text.length - last.length >= at && text.endsWith(last)
  }
}
