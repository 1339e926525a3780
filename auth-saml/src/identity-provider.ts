import { X509Certificate } from 'node:crypto'
import { attribute, children, elementsOf, parseXml, textOf, type XmlElement } from './xml.ts'

/** What the server has to know of the SAML identity provider. */
export interface IdentityProvider {
  readonly entityId: string
  /** Its single sign-on service for the HTTP-Redirect binding. */
  readonly ssoUrl: string
  /** Those that it signs with, in PEM: more than one while it changes them. Each counts only between its dates. */
  readonly certificates: readonly string[]
}

/**
 * Reads SAML metadata, which is where all three stand. Only text that you trust: a signature on it is not looked at. Rejects what is no
 * metadata of one identity provider, or is past its `validUntil`.
 */
export async function readIdentityProvider(metadata: string, { now = Date.now } = {}): Promise<IdentityProvider> {
  const fault = (problem: string): never => {
    throw new Error(`The SAML metadata of the identity provider cannot be used: ${problem}`)
  }
  const root = await parseXml(metadata).catch((error: unknown) => fault(error instanceof Error ? error.message : String(error)))
  const only = (values: readonly (string | undefined)[], what: string): string => {
    const [value] = values
    return values.length === 1 && value ? value : fault(`it has ${values.length} of ${what} and must have one`)
  }
  const entities = root.localName === 'EntityDescriptor' && attribute(root, 'entityID') !== undefined ? [root] : []
  const roles = entities.flatMap((entity) => children(entity, 'IDPSSODescriptor'))
  const until = [...entities, ...roles].flatMap((one) => attribute(one, 'validUntil') ?? [])
  if (until.some((date) => !(Date.parse(date) > now()))) fault('it is past its validUntil; fetch it again')
  return {
    entityId: only(
      entities.map((one) => attribute(one, 'entityID')),
      'EntityDescriptor with an entityID',
    ),
    ssoUrl: only(
      roles
        .flatMap((role) => children(role, 'SingleSignOnService'))
        .filter((one) => attribute(one, 'Binding') === REDIRECT)
        .map((one) => attribute(one, 'Location')),
      'SingleSignOnService with the HTTP-Redirect binding',
    ),
    certificates: roles
      .flatMap((role) => children(role, 'KeyDescriptor'))
      .filter((key) => (attribute(key, 'use') ?? 'signing') === 'signing')
      .flatMap(certificatesIn)
      .map(toPem),
  }
}

function certificatesIn(key: XmlElement): readonly string[] {
  return [...elementsOf(key)].filter(({ localName }) => localName === 'X509Certificate').map((one) => textOf(one) ?? '')
}

/** What is wrong with it, each a sentence. */
export function identityProviderFaults({ entityId, ssoUrl, certificates }: IdentityProvider, now: number): readonly string[] {
  const faults: string[] = []
  if (entityId === '') faults.push('identityProvider.entityId is empty')
  if (!/^https?:$/.test(URL.parse(ssoUrl)?.protocol ?? '')) faults.push('identityProvider.ssoUrl must be an http or https URL')
  certificates.forEach((pem, index) => {
    const problem = certificateProblem(pem)
    if (problem) faults.push(`identityProvider.certificates[${index}] ${problem}`)
  })
  if (faults.length === 0 && validCertificates(certificates, now).length === 0)
    faults.push('identityProvider.certificates has none that is valid today: fetch the metadata of the identity provider again')
  return faults
}

/** Those between their dates. A signature by any other is as good as none. */
export function validCertificates(certificates: readonly string[], now: number): readonly string[] {
  return certificates.filter((pem) => {
    const { validFrom, validTo } = new X509Certificate(pem)
    return Date.parse(validFrom) <= now && now < Date.parse(validTo)
  })
}

function certificateProblem(pem: string): string | undefined {
  try {
    const { publicKey } = new X509Certificate(pem)
    if (publicKey.asymmetricKeyType !== 'rsa') return 'is not for RSA, which is all that can be verified'
    return (publicKey.asymmetricKeyDetails?.modulusLength ?? 0) < 2048 ? 'has a key of less than 2048 bits' : undefined
  } catch {
    return 'is no certificate in PEM'
  }
}

function toPem(text: string): string {
  const lines = text.replaceAll(/\s/g, '').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}

const REDIRECT = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect'
