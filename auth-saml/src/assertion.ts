import type { Profile } from '@node-saml/node-saml'
import { refuse } from './refusal.ts'

/** What a verified assertion says of a person. */
export interface Assertion {
  readonly nameId: string
  readonly nameIdFormat: string | undefined
  readonly attributes: ReadonlyMap<string, readonly string[]>
}

export interface AssertionFor {
  readonly requestId: string
  readonly acsUrl: string
  readonly entityId: string
}

/**
 * Reads an assertion out of the bytes that were signed, after @node-saml/node-saml found signature, audience and dates right. Who issued
 * it, to whom it goes, and for which request, that library does not insist on. Throws `LoginRefused`.
 */
export function readAssertion(profile: Profile, { requestId, acsUrl, entityId }: AssertionFor): Assertion {
  const assertion = child(profile.getAssertion?.() ?? {}, 'Assertion')
  const issuer = text(child(assertion, 'Issuer'))
  if (issuer !== entityId) refuse(`the assertion is of ${issuer}`)
  const subject = child(assertion, 'Subject')
  const confirmation = child(subject, 'SubjectConfirmation')
  const how = attribute(confirmation, 'Method')
  if (how !== BEARER) refuse(`the assertion is confirmed by ${how ?? 'nothing'}, not by who bears it`)
  const data = child(confirmation, 'SubjectConfirmationData')
  const recipient = attribute(data, 'Recipient')
  if (recipient !== acsUrl) refuse(`the assertion is for the recipient ${recipient ?? 'nobody'}`)
  if (attribute(data, 'InResponseTo') !== requestId) refuse('the assertion answers another request')
  if (attribute(data, 'NotOnOrAfter') === undefined) refuse('the assertion never expires')
  if (attribute(data, 'NotBefore') !== undefined) refuse('the confirmation has a NotBefore, which SAML forbids')
  child(assertion, 'Conditions')
  child(assertion, 'AuthnStatement')
  const nameId = child(subject, 'NameID')
  return { nameId: text(nameId), nameIdFormat: attribute(nameId, 'Format'), attributes: attributesOf(profile) }
}

/** The one element of that name, as xml2js gives it. Two of one are what makes readers disagree. */
function child(parent: Readonly<Record<string, unknown>>, name: string): Readonly<Record<string, unknown>> {
  const found = parent[name]
  const elements = Array.isArray(found) ? (found as readonly unknown[]) : [found]
  const [element] = elements
  return elements.length === 1 && isRecord(element) ? element : refuse(`the assertion must have one ${name}`)
}

function attribute(element: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const attributes = element['$']
  const value = isRecord(attributes) ? attributes[name] : undefined
  return typeof value === 'string' ? value : undefined
}

function text(element: Readonly<Record<string, unknown>>): string {
  const { _: value } = element
  return typeof value === 'string' ? value.trim() : ''
}

function attributesOf(profile: Profile): ReadonlyMap<string, readonly string[]> {
  const attributes = isRecord(profile['attributes']) ? profile['attributes'] : {}
  return new Map(
    Object.entries(attributes).map(([name, value]) => [name, [value].flat().filter((item) => typeof item === 'string')]),
  )
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const BEARER = 'urn:oasis:names:tc:SAML:2.0:cm:bearer'
