import { refuse } from './refusal.ts'
import { attribute, children, elementsOf, parseRootTag, parseXml, textOf, type XmlElement } from './xml.ts'

/** The longest response that is read, in bytes of base64: 5,000 groups with names of a hundred characters fit. */
export const MAX_RESPONSE_BYTES = 1_572_864

/** What a response is checked against before its signature is. */
export interface EnvelopeFor {
  readonly acsUrl: string
  readonly entityId: string
}

/** The XML of a base64 response. Throws `LoginRefused` for one that is too long. */
export function decodeResponse(response: string): string {
  if (response.length > MAX_RESPONSE_BYTES) refuse(`the response is longer than ${MAX_RESPONSE_BYTES} bytes`)
  // Line ends are those of XML, which is how they were signed.
  return Buffer.from(response, 'base64').toString('utf8').replaceAll(/\r\n?/g, '\n')
}

/** The id of the request that a response claims to answer, from its first tag alone. Rejects with `LoginRefused`. */
export async function requestIdOf(xml: string): Promise<string> {
  const root = await parseRootTag(xml).catch(unreadable)
  if (!isResponse(root)) refuse('the identity provider says nothing that is a SAML response')
  return (
    attribute(root, 'InResponseTo') ||
    refuse('it answers no request from here: logins that the identity provider begins are refused')
  )
}

/**
 * Checks the outside of a response and returns its root and its one assertion. Rejects with `LoginRefused`. No step costs more than one
 * look at each element.
 */
export async function openEnvelope(
  xml: string,
  { acsUrl, entityId }: EnvelopeFor,
): Promise<{ readonly root: XmlElement; readonly assertion: XmlElement }> {
  const root = await parseXml(xml).catch(unreadable)
  if (!isResponse(root)) refuse('the identity provider says nothing that is a SAML response')
  const [status] = children(root, 'Status').flatMap((one) => children(one, 'StatusCode'))
  const code = status && attribute(status, 'Value')
  if (code !== SUCCESS) refuse(`the identity provider says ${code ?? 'nothing that is a SAML response'}`)
  const destination = attribute(root, 'Destination')
  if (destination !== acsUrl) refuse(`the response is meant for ${destination ?? 'nobody by name'}`)
  const [issuer] = children(root, 'Issuer')
  if (issuer && textOf(issuer) !== entityId) refuse(`the response is of ${textOf(issuer) ?? 'an issuer that is more than text'}`)

  const assertions: XmlElement[] = []
  for (const element of elementsOf(root)) {
    if (element.localName === 'EncryptedAssertion')
      refuse('the assertion is encrypted: have it sent signed and not encrypted; the connection is TLS')
    if (element.localName === 'Assertion') assertions.push(element)
    if (element.localName !== 'SignatureMethod' && element.localName !== 'DigestMethod') continue
    const algorithm = attribute(element, 'Algorithm') ?? 'nothing'
    if (!ALGORITHMS.has(algorithm)) refuse(`it is signed with ${algorithm}: have SHA-256 used`)
  }
  const [assertion] = assertions
  if (!assertion) return refuse('it has no assertion')
  // Two of one, wherever they stand, are what makes readers disagree.
  if (assertions.length > 1) refuse('it has multiple assertions')
  if (assertion.parentNode !== root || assertion.namespaceURI !== ASSERTION) refuse('its assertion is not where it belongs')
  return { root, assertion }
}

function unreadable(error: unknown): never {
  return refuse(`the response cannot be read: ${error instanceof Error ? error.message : String(error)}`)
}

function isResponse({ localName, namespaceURI }: XmlElement): boolean {
  return localName === 'Response' && namespaceURI === 'urn:oasis:names:tc:SAML:2.0:protocol'
}

const ASSERTION = 'urn:oasis:names:tc:SAML:2.0:assertion'
const SUCCESS = 'urn:oasis:names:tc:SAML:2.0:status:Success'
const ALGORITHMS = new Set([
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
  'http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1',
  'http://www.w3.org/2001/04/xmlenc#sha256',
  'http://www.w3.org/2001/04/xmlenc#sha512',
])
