import type * as Oidc from 'openid-client'

export interface Discovered {
  readonly metadata: Oidc.ServerMetadata
  readonly algorithm: 'oidc' | 'oauth2'
}

/** OpenID Connect Discovery, else RFC 8414. */
export async function discover(oidc: typeof Oidc, issuer: string, fetch: Oidc.CustomFetch): Promise<Discovered> {
  const ask = async (algorithm: 'oidc' | 'oauth2') => {
    const found = await oidc.discovery(new URL(issuer), '-', undefined, oidc.None(), {
      algorithm,
      [oidc.customFetch]: fetch,
      execute: [oidc.allowInsecureRequests],
    })
    return { metadata: found.serverMetadata(), algorithm }
  }
  try {
    return await ask('oidc')
  } catch (error) {
    const isMissing = error instanceof Error && error.cause instanceof Response && error.cause.status === 404
    if (!isMissing) throw error
    return ask('oauth2')
  }
}
