import { refuse } from './refusal.ts'
import { attribute, children, textOf, type XmlElement } from './xml.ts'

/** What a verified assertion says of a person. */
export interface Assertion {
  readonly nameId: string
  readonly nameIdFormat: string | undefined
  /** The values of an attribute, in order, whether it came once or several times. Throws `LoginRefused` where one is more than text. */
  readonly values: (attribute: string) => readonly string[]
}

export interface AssertionFor {
  readonly requestId: string
  readonly acsUrl: string
  readonly entityId: string
  readonly audience: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** Reads an assertion whose signature was verified: issued by whom, to whom, for which request, and whether now. Throws `LoginRefused`. */
export function readAssertion(assertion: XmlElement, expected: AssertionFor): Assertion {
  const issuer = textOf(child(assertion, 'Issuer'))
  if (issuer !== expected.entityId) refuse(`the assertion is of ${issuer ?? 'an issuer that is more than text'}`)
  const subject = child(assertion, 'Subject')
  checkConfirmation(child(subject, 'SubjectConfirmation'), expected)
  checkConditions(child(assertion, 'Conditions'), expected)
  const issued = instant(assertion, 'IssueInstant') ?? refuse('the assertion has no IssueInstant')
  if (issued + MAX_AGE_MS + SKEW_MS <= expected.now) refuse('the assertion is too old')
  child(assertion, 'AuthnStatement')
  const nameId = child(subject, 'NameID')
  const attributes = children(assertion, 'AttributeStatement').flatMap((statement) => children(statement, 'Attribute'))
  return {
    nameId: textOf(nameId) ?? refuse('the NameID holds more than text'),
    nameIdFormat: attribute(nameId, 'Format'),
    values: (name) =>
      attributes
        .filter((one) => attribute(one, 'Name') === name)
        .flatMap((one) => children(one, 'AttributeValue'))
        .map((value) => textOf(value) ?? refuse(`attribute ${name} holds more than text`)),
  }
}

/** SAML Profiles 2.0, section 4.1.4.3: who bears it may use it, here, for this request, for a time. */
function checkConfirmation(confirmation: XmlElement, { acsUrl, requestId, now }: AssertionFor): void {
  const how = attribute(confirmation, 'Method')
  if (how !== BEARER) refuse(`the assertion is confirmed by ${how ?? 'nothing'}, not by who bears it`)
  const data = child(confirmation, 'SubjectConfirmationData')
  const recipient = attribute(data, 'Recipient')
  if (recipient !== acsUrl) refuse(`the assertion is for the recipient ${recipient ?? 'nobody'}`)
  if (attribute(data, 'InResponseTo') !== requestId) refuse('the assertion answers another request: its InResponseTo differs')
  const end = instant(data, 'NotOnOrAfter') ?? refuse('the subject confirmation has no NotOnOrAfter')
  if (end + SKEW_MS <= now) refuse('the subject confirmation is expired')
  if (attribute(data, 'NotBefore') !== undefined) refuse('the confirmation has a NotBefore, which SAML forbids')
}

function checkConditions(conditions: XmlElement, { audience, now }: AssertionFor): void {
  const start = instant(conditions, 'NotBefore')
  if (start !== undefined && start - SKEW_MS > now) refuse('the assertion is not yet valid')
  const end = instant(conditions, 'NotOnOrAfter')
  if (end !== undefined && end + SKEW_MS <= now) refuse('the assertion is expired')
  const restrictions = children(conditions, 'AudienceRestriction')
  if (restrictions.length === 0) refuse('the assertion has no AudienceRestriction')
  for (const restriction of restrictions)
    if (!children(restriction, 'Audience').some((one) => textOf(one) === audience))
      refuse('audience mismatch: the assertion is for others')
}

/** A point in time, which SAML has in UTC. Undefined where there is none. */
function instant(element: XmlElement, name: string): number | undefined {
  const text = attribute(element, name)
  if (text === undefined) return undefined
  const [, date] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)(?:Z|[+-]00:00)?$/.exec(text) ?? []
  const ms = Date.parse(`${date}Z`)
  return Number.isNaN(ms) ? refuse(`${name} of ${element.localName} is not a date`) : ms
}

/** The one element of that name. Two of one are what makes readers disagree. */
function child(parent: XmlElement, name: string): XmlElement {
  const [element, second] = children(parent, name)
  if (!element || second || element.namespaceURI !== parent.namespaceURI) return refuse(`the assertion must have one ${name}`)
  return element
}

const BEARER = 'urn:oasis:names:tc:SAML:2.0:cm:bearer'
const SKEW_MS = 30_000
const MAX_AGE_MS = 300_000
