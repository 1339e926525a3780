import type { ServiceErrorCode } from '@mcp-patchbay/plugin-api'
import { ServiceError, serviceErrorCode } from '@mcp-patchbay/plugin-api/host'
import { isObject } from '../../data/json.ts'
import { hostError } from '../../errors.ts'
import { brief } from '../request/brief.ts'
import type { Answer } from '../resilience/outcome.ts'
import { doubt, fixAfter, nameOf, type Subject } from '../request/subject.ts'

/** The error for an answer of status 400 or more: what was asked, the status, what the service said of it in brief, what to do. */
export function statusError(answer: Answer, subject: Subject, retryAfterMs: number | undefined): ServiceError {
  const { status } = answer
  const code = serviceErrorCode(status) ?? 'UPSTREAM_FAILED'
  const said = brief(subject.redact(explanation(answer)))
  const isInDoubt = status >= 500 && !UNDONE.has(status)
  const fix = fixFor(code, subject, { retryAfterMs, asked: scopesOf(answer) })
  return new ServiceError(
    code,
    `${nameOf(subject)} answered ${status}${said ? `: ${said}` : ''}${isInDoubt ? doubt(subject) : ''}`,
    {
      fix: isInDoubt ? fixAfter(subject, fix) : fix,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    },
  )
}

/** The service says that it did nothing: it cannot, or is not there for it now. Others may come after the change, or from a proxy. */
const UNDONE: ReadonlySet<number> = new Set([501, 503, 505])

/** An answer of status below 400 whose body is not what was asked for. */
export function notJson(answer: Answer, subject: Subject): ServiceError {
  const html = /^\s*<(?:!doctype|html)/i.test(answer.body.toString('latin1', 0, 200))
  const what = answer.body.length === 0 ? 'nothing' : html ? 'an HTML page' : 'something else'
  const said = `${nameOf(subject)} answered ${answer.status} with ${what} instead of JSON${doubt(subject)}`
  return new ServiceError('UPSTREAM_FAILED', said, {
    fix: html
      ? `Check that ${subject.hints.baseUrlVariable} is the address of the API: this may be the page of a website, a login or a proxy`
      : fixAfter(subject, 'Call again later; if it stays, the service has changed what it answers'),
  })
}

/** An answer whose bytes are not text in the charset it claims. */
export function notText(answer: Answer, subject: Subject): ServiceError {
  const said = `${nameOf(subject)} answered ${answer.status} with bytes that are not valid text${doubt(subject)}`
  return new ServiceError('UPSTREAM_FAILED', said, {
    fix: fixAfter(subject, 'Call again later; if it stays, the service sends another charset than it says, or binary data'),
  })
}

interface Said {
  readonly retryAfterMs: number | undefined
  /** The scopes that the service asks for. */
  readonly asked: string | undefined
}

function fixFor(code: ServiceErrorCode, subject: Subject, { retryAfterMs, asked }: Said): string {
  const { scopes = [], docsUrl } = subject.hints
  const wanted = asked ?? scopes.join(', ')
  const help = [...(wanted ? [`It needs the scopes: ${wanted}`] : []), ...(docsUrl ? [`How to get one: ${docsUrl}`] : [])]
  if (code === 'AUTHENTICATION_FAILED') {
    const { fix } = hostError('CREDENTIAL_REFUSED', { plugin: subject.instance, remedy: remedyFor(subject) })
    const section = subject.source ? 'credential_refused' : 'credential_required'
    return [...fix, ...help, `See docs/errors.md#${section}`].join('. ')
  }
  if (code === 'PERMISSION_DENIED') {
    const { source, hints } = subject
    if (source && source.kind !== 'server')
      return ['Let your account at the service do this, or use another one', ...help].join('. ')
    const variables = source?.variables.join(' and ') ?? hints.credentialVariables.join(' or ')
    return variables
      ? [`Give the credential in ${variables} the right to do this, or set another one`, ...help].join('. ')
      : 'The service does not allow this to any caller'
  }
  if (code === 'NOT_FOUND')
    return 'Check the names and numbers in the call; a service may also hide what the credential must not see'
  if (code === 'INVALID_INPUT') return 'Correct the arguments and call again'
  return retryAfterMs === undefined ? 'Call again later' : `Call again in ${Math.ceil(retryAfterMs / 1000)} s`
}

/** RFC 6750, and what GitHub says of a token that lacks some. */
function scopesOf({ headers }: Answer): string | undefined {
  const [, challenged] = /\bscope="([!-~ ]{1,300})"/.exec(headers['www-authenticate'] ?? '') ?? []
  const listed = headers['x-accepted-oauth-scopes']
  const scopes = challenged ?? (listed && /^[!-~ ]{1,300}$/.test(listed) ? listed : undefined)
  return scopes === undefined ? undefined : brief(scopes)
}

/** What to fix when the service does not accept the credential: its source. */
function remedyFor({ source, hints }: Subject): string {
  const valid = 'a credential that is valid, not expired and not revoked'
  switch (source?.kind) {
    case 'header':
      return `Send ${source.header} with ${valid}; no other is tried in its place`
    case 'exchange':
      return 'Sign in again: the service refused the token that yours was exchanged for'
    case 'stored':
      return 'Link your account again: the service refused the token that is stored for it'
    case 'server':
      return `Set ${source.variables.join(' and ')} in the environment or in .env to ${valid}`
    case undefined:
      return hints.credentialVariables.length > 0
        ? `Set ${hints.credentialVariables.join(' or ')} in the environment or in .env to ${valid}`
        : 'The service asks for a credential, and this plugin takes none'
  }
}

/** A longer one is a page or a dump. Quoted whole or not at all: half a secret would not be recognised. */
const LONGEST_QUOTED = 65_536

function explanation({ body, headers }: Answer): string {
  if (body.length > LONGEST_QUOTED) return ''
  const text = body.toString('utf8')
  const html = /html/i.test(headers['content-type'] ?? '') || /^\s*</.test(text)
  if (html) return /<title[^>]*>([^<]*)/i.exec(text)?.[1] ?? ''
  try {
    return inWords(JSON.parse(text)) ?? text
  } catch {
    return text
  }
}

/** What the usual error documents say: OAuth's, RFC 9457's, Google's, Atlassian's, GitHub's, GraphQL's, Slack's. */
function inWords(value: unknown, depth = 0): string | undefined {
  if (typeof value === 'string') return value
  if (depth > 3) return undefined
  if (Array.isArray(value)) {
    const words = value.slice(0, 5).flatMap((item) => inWords(item, depth + 1) ?? [])
    return words.length > 0 ? words.join('; ') : undefined
  }
  if (!isObject(value)) return undefined
  const words = KEYS.flatMap((key) => (Object.hasOwn(value, key) ? (inWords(value[key], depth + 1) ?? []) : []))
  return words.length > 0 ? [...new Set(words)].join('; ') : undefined
}

const KEYS = ['error', 'message', 'error_description', 'title', 'detail', 'errorMessages', 'errors', 'reason']
