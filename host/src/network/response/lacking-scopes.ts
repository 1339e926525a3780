/** The most that a service may ask for at once, and the most characters of it: more is a mistake, or fits into no address. */
const MOST_SCOPES = 32
const MOST_CHARACTERS = 1_000
const LONGEST_HEADER = 8_192

/**
 * The scopes that a service says a token lacks: status 403 with the error `insufficient_scope` (RFC 6750 §3.1, and MCP's step-up
 * authorization). Undefined for any other answer, and for one that names none, too many, or what is no scope.
 */
export function lackingScopes(status: number, challenge: string | readonly string[] | undefined): readonly string[] | undefined {
  if (status !== 403 || challenge === undefined) return undefined
  const text = [challenge].flat().join(', ')
  if (text.length > LONGEST_HEADER) return undefined
  let said = new Map<string, string>()
  const found: ReadonlyMap<string, string>[] = []
  for (const [, name = '', quoted, plain] of text.matchAll(WORD)) {
    const value = quoted?.replaceAll(/\\(.)/g, '$1') ?? plain
    if (value === undefined) {
      said = new Map()
      if (name.toLowerCase() === 'bearer') found.push(said)
    } else if (!said.has(name.toLowerCase())) said.set(name.toLowerCase(), value)
  }
  const scope = found.find((one) => one.get('error') === 'insufficient_scope')?.get('scope')
  const scopes = [...new Set(scope?.split(' ').filter(Boolean))]
  return scopes.length > 0 && scopes.every((one) => SCOPE.test(one)) && areFew(scopes) ? scopes : undefined
}

/** Whether so many can be asked of a person. */
export function areFew(scopes: readonly string[]): boolean {
  return scopes.length <= MOST_SCOPES && scopes.join(' ').length <= MOST_CHARACTERS
}

/** A parameter, or a word without a value: the name of a scheme. */
const WORD = /([\w!#$%&'*+.^`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([\w!#$%&'*+.^`|~-]+)))?/g

/** RFC 6749 §3.3. */
const SCOPE = /^[!#-[\]-~]+$/
