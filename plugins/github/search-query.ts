import { ServiceError } from '@mcp-patchbay/plugin-api'

/** What `q` of a search endpoint searches. */
export type SearchKind = 'code' | 'issues' | 'repositories'

/**
 * The `q` of a search: the caller's words and narrowing qualifiers, ANDed with `scope`, the qualifiers that say which
 * repositories. GitHub joins several `repo:`, `org:` and `user:` by OR, and an `OR` of the caller would split the rest off, so
 * nothing of the caller's may act as one: words that could are quoted, which makes them text. Throws `INVALID_INPUT`.
 */
export function searchQuery(kind: SearchKind, text: string, scope: readonly string[]): string {
  const words = [...text.matchAll(WORD)].map((match) => wordOf(kind, match.groups ?? {})).filter(Boolean)
  if (scope.length > MAX_SCOPES && kind === 'issues')
    throw new ServiceError('INVALID_INPUT', `The search would span ${scope.length} repositories, GitHub takes ${MAX_SCOPES}`, {
      fix: 'Give owner, or owner and repo',
    })
  // Issue search joins what stands side by side by AND; code and repository search know no parentheses and join scopes by OR.
  const joined = kind === 'issues' && scope.length > 1 ? `(${scope.join(' OR ')})` : scope.join(' ')
  return [...words, joined].filter(Boolean).join(' ')
}

/** GitHub takes five operators in a query. */
const MAX_SCOPES = 6

/** A qualifier with its value, a quoted phrase, or a word. A quote without its partner is dropped. */
const WORD = /(?<sign>-?)(?<name>[A-Za-z][A-Za-z-]*):(?:"(?<quoted>[^"]*)"|(?<bare>[^\s"]+))|"(?<phrase>[^"]*)"|(?<word>[^\s"]+)/g

function wordOf(kind: SearchKind, groups: Record<string, string | undefined>): string {
  const { sign = '', name = '', quoted, bare, phrase, word } = groups
  const qualifier = name.toLowerCase()
  if (SCOPES.has(qualifier))
    throw new ServiceError('INVALID_INPUT', `The query may not hold ${qualifier}:, which says where to search`, {
      fix: 'Use the arguments owner and repo for that; to search for the text itself, put it in double quotes',
    })
  if (NARROWING[kind].has(qualifier)) return `${sign}${qualifier}:${valueOf(quoted ?? bare ?? '')}`
  const literal = phrase ?? word ?? `${sign}${name}:${quoted ?? bare ?? ''}`
  return PLAIN_WORD.test(literal) && !OPERATOR.test(literal) ? literal : quote(literal)
}

/** Which repositories a search reaches: said by arguments and by the operator only. */
const SCOPES = new Set(['repo', 'org', 'user', 'owner', 'enterprise', 'saved'])

/** Qualifiers that can only make a result smaller. */
const NARROWING: Readonly<Record<SearchKind, ReadonlySet<string>>> = {
  code: new Set(['extension', 'filename', 'fork', 'in', 'language', 'path', 'size']),
  issues: new Set(
    (
      'archived assignee author base closed commenter comments created draft head in interactions involves is label language linked ' +
      'mentions merged milestone no project reactions reason review review-requested reviewed-by sha state status team type updated'
    ).split(' '),
  ),
  repositories: new Set(
    (
      'archived created followers fork forks good-first-issues help-wanted-issues in is language license mirror pushed size stars ' +
      'template topic topics'
    ).split(' '),
  ),
}

const PLAIN_WORD = /^[\p{L}\p{N}_][\p{L}\p{N}_.-]*$/u
const OPERATOR = /^(?:AND|OR|NOT)$/i
/** A colon only inside a time of day. */
const PLAIN_VALUE = /^[\w.@*<>=+,/-]+(?::\d[\w.*+-]*)*$/

function valueOf(text: string): string {
  return PLAIN_VALUE.test(text) ? text : quote(text)
}

/** GitHub ignores punctuation inside a phrase, so a colon and the two characters that could end it are no loss. */
function quote(text: string): string {
  const phrase = text.replaceAll(/["\\:\s\p{Cc}]+/gu, ' ').trim()
  return phrase === '' ? '' : `"${phrase}"`
}
