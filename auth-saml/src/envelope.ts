import { refuse } from './refusal.ts'
import { parseXml } from './xml.ts'

/** The longest response that is read, in bytes of base64. */
export const MAX_RESPONSE_BYTES = 262_144

/**
 * Checks the outside of a base64 SAML response, which is all that can be checked before its request is known, and returns the id of that
 * request. Throws `LoginRefused`. That the response goes to this server, and that SHA-1 is not good enough, @node-saml/node-saml leaves
 * to us; nor does it look at the status once there is an assertion.
 */
export async function openEnvelope(
  response: string,
  { acsUrl, entityId }: { acsUrl: string; entityId: string },
): Promise<string> {
  const xml = await parseXml(Buffer.from(response, 'base64').toString('utf8')).catch((error: unknown) =>
    refuse(`the response cannot be read: ${error instanceof Error ? error.message : String(error)}`),
  )
  const at = (path: string) => xml.values(`${RESPONSE}${path}`)
  const [status] = at(`/*[local-name()='Status']/*[local-name()='StatusCode']/@Value`)
  if (status !== SUCCESS) refuse(`the identity provider says ${status ?? 'nothing that is a SAML response'}`)
  const [destination] = at('/@Destination')
  if (destination !== acsUrl) refuse(`the response is meant for ${destination ?? 'nobody by name'}`)
  const [issuer = entityId] = xml.texts(`${RESPONSE}/*[local-name()='Issuer']`)
  if (issuer.trim() !== entityId) refuse(`the response is of ${issuer}`)
  if (xml.texts("//*[local-name()='EncryptedAssertion']").length > 0)
    refuse('the assertion is encrypted: have it sent signed and not encrypted; the connection is TLS')
  const weak = xml
    .values("//*[local-name()='SignatureMethod' or local-name()='DigestMethod']/@Algorithm")
    .find((algorithm) => !ALGORITHMS.has(algorithm))
  if (weak !== undefined) refuse(`it is signed with ${weak}: have SHA-256 used`)
  const [inResponseTo] = at('/@InResponseTo')
  return inResponseTo ? inResponseTo : refuse('nobody here asked for it: logins that the identity provider begins are not taken')
}

const RESPONSE = "/*[local-name()='Response'][namespace-uri()='urn:oasis:names:tc:SAML:2.0:protocol']"
const SUCCESS = 'urn:oasis:names:tc:SAML:2.0:status:Success'
const ALGORITHMS = new Set([
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
  'http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1',
  'http://www.w3.org/2001/04/xmlenc#sha256',
  'http://www.w3.org/2001/04/xmlenc#sha512',
])
