import { refuse } from './refusal.ts'
import type { Assertion } from './assertion.ts'

/** Which attributes of the assertion become claims of the access token. */
export interface ClaimAttributes {
  /** Names the person for good: `sub`. Default: the NameID, which must not be transient then. */
  readonly subject?: string
  /** Whose data: `tenant`. With it, nobody comes in without exactly one. Default: the token names none. */
  readonly tenant?: string
  /** What the person may do: `roles`. Default: nobody has a role. */
  readonly roles?: string
}

/** Who logged in. */
export interface Account {
  readonly subject: string
  readonly tenant?: string
  readonly roles: readonly string[]
}

/** Throws `LoginRefused` for a person without a usable name, or without the tenant that everybody must have. */
export function readAccount({ nameId, nameIdFormat, attributes }: Assertion, names: ClaimAttributes): Account {
  const only = (name: string): string => {
    const values = attributes.get(name) ?? []
    return values.length === 1 && values[0]
      ? values[0]
      : refuse(`attribute ${name} has ${values.length} values and must have one`)
  }
  if (names.subject === undefined && nameIdFormat === TRANSIENT)
    refuse('the NameID is transient: set claims.subject to an attribute that stays, or have another NameID format sent')
  const subject = names.subject === undefined ? nameId : only(names.subject)
  if (!/^[^\p{Cc}]{1,255}$/u.test(subject)) refuse('the name of the person is empty, too long or not printable')
  return {
    subject,
    ...(names.tenant === undefined ? {} : { tenant: only(names.tenant) }),
    roles: names.roles === undefined ? [] : (attributes.get(names.roles) ?? []),
  }
}

const TRANSIENT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient'
