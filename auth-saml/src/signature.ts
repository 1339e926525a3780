import { constants, createHash, createPublicKey, timingSafeEqual, verify } from 'node:crypto'
import { ExclusiveCanonicalization } from 'xml-crypto'
import { refuse } from './refusal.ts'
import { attribute, children, elementsOf, textOf, type XmlElement } from './xml.ts'

/**
 * Verifies the enveloped signature of an assertion, in the form that SAML asks for (Core 2.0, section 5.4) and in no other: one
 * reference to the assertion by its own id, exclusive canonical XML, RSA with SHA-256 or better. Takes the signature out of the assertion,
 * so that what is read from it afterwards is what was signed. Throws `LoginRefused`. Canonical XML is that of xml-crypto; the
 * rest of that library asks XPath, which takes a second for an assertion with 5,000 values.
 */
export function verifyAssertion(root: XmlElement, assertion: XmlElement, certificates: readonly string[]): void {
  const id = attribute(assertion, 'ID')
  if (id === undefined || !/^[\p{L}_][\p{L}\p{N}._-]*$/u.test(id)) refuse('Invalid signature: the assertion has no usable ID')
  if (countIds(root, id) !== 1) refuse('Invalid signature: more than one element has the ID of the assertion')
  const signature = child(assertion, 'Signature')
  const info = child(signature, 'SignedInfo')
  const reference = child(info, 'Reference')
  if (attribute(reference, 'URI') !== `#${id}`) refuse('Invalid signature: it is of another element than the assertion')

  const transforms = children(child(reference, 'Transforms'), 'Transform')
  const [enveloped, canonical] = transforms
  if (transforms.length !== 2 || !enveloped || !canonical || attribute(enveloped, 'Algorithm') !== ENVELOPED)
    return refuse('Invalid signature: its transforms must be enveloped-signature and exclusive canonicalization')
  const digest = algorithm(child(reference, 'DigestMethod'), DIGESTS)
  const scheme = algorithm(child(info, 'SignatureMethod'), SCHEMES)

  const signed = canonicalXml(info, child(info, 'CanonicalizationMethod'))
  const value = base64(child(signature, 'SignatureValue'))
  const expected = base64(child(reference, 'DigestValue'))
  // SignedInfo is read, so the signature can go: it is not part of what it signs.
  assertion.removeChild(signature)
  const found = createHash(digest).update(canonicalXml(assertion, canonical)).digest()
  if (found.length !== expected.length || !timingSafeEqual(found, expected))
    refuse('Invalid signature: the assertion is not the one that was signed')
  const isGood = certificates.some((certificate) =>
    verify(scheme.hash, Buffer.from(signed), { key: createPublicKey(certificate), ...scheme.padding }, value),
  )
  if (!isGood) refuse('Invalid signature: it was made with another key than those of the identity provider')
}

/** The signed form of an element, by what its method says of it. */
function canonicalXml(element: XmlElement, method: XmlElement): string {
  if (attribute(method, 'Algorithm') !== EXCLUSIVE)
    refuse('Invalid signature: have exclusive XML canonicalization without comments used (xml-exc-c14n#)')
  const [inclusive] = children(method, 'InclusiveNamespaces')
  const prefixes = inclusive ? (attribute(inclusive, 'PrefixList') ?? '').split(/[ \t\r\n]+/).filter(Boolean) : []
  // The library declares the DOM of browsers; it uses what our nodes have.
  const canonicalization: { process(element: unknown, options: object): string } = new ExclusiveCanonicalization()
  return canonicalization.process(element, {
    inclusiveNamespacesPrefixList: prefixes,
    ancestorNamespaces: ancestorNamespaces(element),
  })
}

/** The namespaces that the ancestors of an element declare, of each prefix the nearest. */
function ancestorNamespaces(element: XmlElement): { prefix: string; namespaceURI: string }[] {
  const found = new Map<string, string>()
  const own = (at: XmlElement) => {
    for (let index = 0; index < at.attributes.length; index += 1) {
      const declared = at.attributes.item(index)
      if (declared?.prefix === 'xmlns' && !found.has(declared.localName)) found.set(declared.localName, declared.value)
    }
  }
  for (let at = element.parentNode; at; at = at.parentNode) if (at.nodeType === element.nodeType) own(at as XmlElement)
  return [...found].map(([prefix, namespaceURI]) => ({ prefix, namespaceURI }))
}

/** How many elements have that id, however the attribute is spelt: a reader might take any of them. */
function countIds(root: XmlElement, id: string): number {
  let count = 0
  for (const element of elementsOf(root))
    for (let index = 0; index < element.attributes.length; index += 1) {
      const one = element.attributes.item(index)
      if (one?.value === id && one.localName.toLowerCase() === 'id') count += 1
    }
  return count
}

function child(parent: XmlElement, name: string): XmlElement {
  const [found, second] = children(parent, name)
  if (!found || second || found.namespaceURI !== XMLDSIG) return refuse(`Invalid signature: there must be one ${name}`)
  return found
}

function algorithm<Known>(method: XmlElement, known: ReadonlyMap<string, Known>): Known {
  const name = attribute(method, 'Algorithm') ?? 'nothing'
  return known.get(name) ?? refuse(`Invalid signature: it is made with ${name}, have SHA-256 used`)
}

function base64(element: XmlElement): Buffer {
  const text = (textOf(element) ?? '').replaceAll(/[ \t\r\n]/g, '')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) refuse(`Invalid signature: ${element.localName} is not base64`)
  return Buffer.from(text, 'base64')
}

const XMLDSIG = 'http://www.w3.org/2000/09/xmldsig#'
const ENVELOPED = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature'
const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#'

const DIGESTS: ReadonlyMap<string, string> = new Map([
  ['http://www.w3.org/2001/04/xmlenc#sha256', 'sha256'],
  ['http://www.w3.org/2001/04/xmlenc#sha512', 'sha512'],
])

interface Scheme {
  readonly hash: string
  readonly padding: { readonly padding?: number; readonly saltLength?: number }
}
const SCHEMES: ReadonlyMap<string, Scheme> = new Map([
  ['http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', { hash: 'sha256', padding: {} }],
  ['http://www.w3.org/2001/04/xmldsig-more#rsa-sha512', { hash: 'sha512', padding: {} }],
  [
    'http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1',
    {
      hash: 'sha256',
      padding: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
    },
  ],
])
