import { SAML, ValidateInResponseTo, type CacheProvider } from '@node-saml/node-saml'
import { readAssertion, type Assertion } from './assertion.ts'
import { openEnvelope } from './envelope.ts'
import { validCertificates, type IdentityProvider } from './identity-provider.ts'
import { LoginRefused, refuse } from './refusal.ts'

/** A request for a login that was sent to the identity provider. */
export interface LoginRequest {
  readonly id: string
  /** ISO 8601. */
  readonly issuedAt: string
  /** The interaction of the browser that it was sent from. */
  readonly uid: string
}

/** This server as SAML knows it. */
export interface ServiceProvider {
  /** Where a browser goes to log in; `force`: even if the identity provider knows it already. */
  loginUrl(request: LoginRequest, options: { readonly force: boolean }): Promise<string>
  /**
   * What a response says, and the request that it answers. `takeRequest` gives a request to the first response that names it, so no
   * response counts twice. Rejects with `LoginRefused`.
   */
  verify(
    response: string,
    takeRequest: (id: string) => Promise<LoginRequest | undefined>,
  ): Promise<{ assertion: Assertion; request: LoginRequest }>
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
  const { entityId, ssoUrl, certificates } = identityProvider

  /** The library binds its options to an object, and ours differ by request. */
  const saml = (request: LoginRequest | undefined, options: { forceAuthn?: boolean; idpCert?: readonly string[] } = {}) =>
    new SAML({
      issuer: `${issuer}/saml/metadata`,
      audience: `${issuer}/saml/metadata`,
      callbackUrl: acsUrl,
      entryPoint: ssoUrl,
      idpIssuer: entityId,
      idpCert: [...(options.idpCert ?? certificates)],
      forceAuthn: options.forceAuthn ?? false,
      wantAssertionsSigned: true,
      wantAuthnResponseSigned: false,
      validateInResponseTo: ValidateInResponseTo.always,
      cacheProvider: knows(request),
      requestIdExpirationPeriodMs: REQUEST_MS,
      acceptedClockSkewMs: 30_000,
      maxAssertionAgeMs: 300_000,
      // How a person logs in is the identity provider's decision, and asking for a password refuses those with a passkey.
      disableRequestedAuthnContext: true,
      identifierFormat: null,
      signatureAlgorithm: 'sha256',
      digestAlgorithm: 'sha256',
      generateUniqueId: () => request?.id ?? '',
    })

  return {
    loginUrl: (request, { force }) => saml(request, { forceAuthn: force }).getAuthorizeUrlAsync('', undefined, {}),
    async verify(response, takeRequest) {
      const id = await openEnvelope(response, { acsUrl, entityId })
      const request = (await takeRequest(id)) ?? refuse('it answers no request of this server, or one that was answered')
      const idpCert = validCertificates(certificates, now())
      if (idpCert.length === 0) refuse('no certificate of the identity provider is valid any more: fetch its metadata anew')
      const { profile } = await saml(request, { idpCert })
        .validatePostResponseAsync({ SAMLResponse: response })
        .catch((error: unknown) => {
          throw new LoginRefused(error instanceof Error ? error.message : String(error), { cause: error })
        })
      if (!profile) return refuse('it has no assertion')
      return { assertion: readAssertion(profile, { requestId: request.id, acsUrl, entityId }), request }
    },
    metadata: () => saml(undefined).generateServiceProviderMetadata(null, null),
  }
}

/** How long a person has for logging in at the identity provider. Milliseconds. */
export const REQUEST_MS = 600_000

/** Knows one request: which one may be answered is decided before, once and for all servers. */
function knows(request: LoginRequest | undefined): CacheProvider {
  return {
    saveAsync: async (_key, value) => ({ value, createdAt: 0 }),
    getAsync: async (key) => (request && key === request.id ? request.issuedAt : null),
    removeAsync: async (key) => key,
  }
}
