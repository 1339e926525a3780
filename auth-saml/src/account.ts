import { refuse } from './refusal.ts'
import type { Assertion } from './assertion.ts'

/** Which attributes of the assertion become claims of the access token. */
export interface ClaimAttributes {
  /** Names the person for good: `sub`. Default: the NameID, which must not be transient then. */
  readonly subject?: string
  /** Whose data: `tenant`. With it, a log-in without exactly one is refused. Default: the token names none. */
  readonly tenant?: string
  /** What the person may do: `roles`. Default: no roles. */
  readonly roles?: string
}

/** Who logged in. */
export interface Account {
  readonly subject: string
  readonly tenant?: string
  readonly roles: readonly string[]
}

/** Throws `LoginRefused` for a person without a usable name, or without the tenant that all accounts must have. */
export function readAccount({ nameId, nameIdFormat, values }: Assertion, names: ClaimAttributes): Account {
  const only = (name: string): string => {
    const found = values(name)
    const [value] = found
    if (found.length !== 1 || !value) return refuse(`attribute ${name} has ${found.length} values and must have one`)
    return clean(value, `attribute ${name}`)
  }
  if (names.subject === undefined && nameIdFormat === TRANSIENT)
    refuse('the NameID is transient: set claims.subject to an attribute that stays, or have another NameID format sent')
  const subject = names.subject === undefined ? nameId : only(names.subject)
  if (subject === '' || subject.length > 255) refuse('the name of the person is empty or too long')
  return {
    subject: clean(subject, 'the name of the person'),
    ...(names.tenant === undefined ? {} : { tenant: only(names.tenant) }),
    roles: names.roles === undefined ? [] : rolesOf(values(names.roles)),
  }
}

/** Each once; what names no role gives none. */
function rolesOf(values: readonly string[]): readonly string[] {
  return [...new Set(values.filter((value) => value !== '').map((value) => clean(value, 'a role')))]
}

/**
 * The text, when a person and a program see the same in it. A no-break space, a zero-width character or a change of direction makes one
 * name look like another.
 */
function clean(text: string, what: string): string {
  return /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u.test(text) ? refuse(`${what} has characters that are not seen`) : text
}

const TRANSIENT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient'
