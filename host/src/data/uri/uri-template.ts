import { parseExpressions, type UriTemplate } from './uri-expressions.ts'

/**
 * RFC 6570: `scheme://{folder}/{id}`, where a variable takes one path segment, decoded; for all else see {@link parseExpressions}.
 * Undefined for a URI without variables. Matching compares literal parts from left to right, so it is linear in the length of the URI.
 */
export function parseTemplate(uri: string): UriTemplate | undefined {
  const parts = uri.split(/\{([A-Za-z_][A-Za-z0-9_]*)\}/)
  if (parts.length === 1) return parseExpressions(uri)
  const literals = parts.filter((_, index) => index % 2 === 0)
  const names = parts.filter((_, index) => index % 2 === 1)
  if (literals.some((text) => /[{}]/.test(text))) return parseExpressions(uri)
  return (candidate) => {
    const [head = '', ...tails] = literals
    if (!candidate.startsWith(head)) return undefined
    const values: Record<string, string> = Object.create(null) as Record<string, string>
    let rest = candidate.slice(head.length)
    for (const [index, tail] of tails.entries()) {
      const end = tail === '' ? segmentEnd(rest) : rest.indexOf(tail)
      const value = decode(rest.slice(0, end))
      if (end < 1 || value === undefined || rest.slice(0, end).includes('/')) return undefined
      values[names[index] ?? ''] = value
      rest = rest.slice(end + tail.length)
    }
    return rest === '' ? values : undefined
  }
}

function segmentEnd(text: string): number {
  const slash = text.indexOf('/')
  return slash < 0 ? text.length : slash
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
