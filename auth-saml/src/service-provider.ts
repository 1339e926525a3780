import { SAML } from '@node-saml/node-saml'
import { readAssertion, type Assertion } from './assertion.ts'
import { decodeResponse, openEnvelope, requestIdOf } from './envelope.ts'
import { validCertificates, type IdentityProvider } from './identity-provider.ts'
import { refuse } from './refusal.ts'
import { verifyAssertion } from './signature.ts'

/** A request for a login that was sent to the identity provider. */
export interface LoginRequest {
  readonly id: string
  /** ISO 8601. */
  readonly issuedAt: string
  /** The interaction of the browser that it was sent from. */
  readonly uid: string
}

/** The requests that were sent and not answered yet. */
export interface WaitingRequests {
  /** Asked before anything costs: who cannot name a request of ours is turned away at the first tag. */
  readonly isWaiting: (id: string) => Promise<boolean>
  /** Gives a request to the first response that names it, so no response counts twice. */
  readonly take: (id: string) => Promise<LoginRequest | undefined>
}

/** This server as SAML knows it. */
export interface ServiceProvider {
  /** Where a browser goes to log in; `force`: even if the identity provider knows it already. */
  loginUrl(request: LoginRequest, options: { readonly force: boolean }): Promise<string>
  /** What a response says, and the request that it answers. Rejects with `LoginRefused`. */
  verify(response: string, requests: WaitingRequests): Promise<{ assertion: Assertion; request: LoginRequest }>
  /** XML, for the administrator of the identity provider. */
  metadata(): string
}

export interface ServiceProviderOptions {
  /** Where the server is reached, without a path. */
  readonly issuer: string
  readonly identityProvider: IdentityProvider
  readonly now: () => number
}

export function createServiceProvider({ issuer, identityProvider, now }: ServiceProviderOptions): ServiceProvider {
  const acsUrl = `${issuer}/saml/acs`
  const audience = `${issuer}/saml/metadata`
  const { entityId, ssoUrl, certificates } = identityProvider

  /** The library binds its options to an object, and ours differ by request. */
  const saml = (request?: LoginRequest, forceAuthn = false) =>
    new SAML({
      issuer: audience,
      audience,
      callbackUrl: acsUrl,
      entryPoint: ssoUrl,
      idpCert: [...certificates],
      forceAuthn,
      // The metadata asks for signed assertions, and no others are taken.
      wantAssertionsSigned: true,
      // How a person logs in is the identity provider's decision, and asking for a password refuses those with a passkey.
      disableRequestedAuthnContext: true,
      identifierFormat: null,
      generateUniqueId: () => request?.id ?? '',
    })

  return {
    loginUrl: (request, { force }) => saml(request, force).getAuthorizeUrlAsync('', undefined, {}),
    async verify(response, { isWaiting, take }) {
      const xml = decodeResponse(response)
      const id = await requestIdOf(xml)
      if (!(await isWaiting(id))) refuse(NO_REQUEST)
      const { root, assertion } = await openEnvelope(xml, { acsUrl, entityId })
      const request = (await take(id)) ?? refuse(NO_REQUEST)
      const trusted = validCertificates(certificates, now())
      if (trusted.length === 0) refuse('no certificate of the identity provider is valid any more: fetch its metadata again')
      verifyAssertion(root, assertion, trusted)
      return { assertion: readAssertion(assertion, { requestId: id, acsUrl, entityId, audience, now: now() }), request }
    },
    metadata: () => saml().generateServiceProviderMetadata(null, null),
  }
}

/** How long a person has for logging in at the identity provider. Milliseconds. */
export const REQUEST_MS = 600_000

const NO_REQUEST = 'it answers no request of this server, or one that was answered'
