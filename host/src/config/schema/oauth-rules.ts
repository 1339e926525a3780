import type { Fault, PathPart } from './fault.ts'
import type { ResolvedConfig } from './schema.ts'
import { isSafeUrl } from './secure-url.ts'

/** What `auth.inbound.oauth` must not say: every slip in it lets in the wrong callers, or none. */
export function oauthFaults({ auth, listen }: Pick<ResolvedConfig, 'auth' | 'listen'>): readonly Fault[] {
  const { oauth } = auth.inbound
  if (!oauth) return []
  const faults: Fault[] = []
  const fault = (path: readonly PathPart[], problem: string) =>
    void faults.push({ path: ['auth', 'inbound', 'oauth', ...path], problem })
  if (oauth.resource === undefined && listen.http?.publicUrl === undefined)
    fault(['resource'], 'is missing: say how clients address this server, here or as listen.http.publicUrl')
  if (oauth.resource !== undefined && !/^https?:\/\/[^#]+$/i.test(oauth.resource))
    fault(['resource'], 'must be an http or https URL without a fragment')
  oauth.initialScopes?.forEach((scope, index) => {
    if (!oauth.scopes?.includes(scope)) fault(['initialScopes', index], `"${scope}" is not in scopes`)
  })

  const names = oauth.issuers.map(({ issuer }) => issuer)
  oauth.issuers.forEach(({ issuer, jwksUri, introspection }, index) => {
    const at = (key: string, ...more: readonly string[]) => ['issuers', index, key, ...more]
    if (!isSafeUrl(issuer)) fault(at('issuer'), UNSAFE)
    else if (/[?#]/.test(issuer)) fault(at('issuer'), 'has a query or a fragment, which no issuer has')
    if (names.indexOf(issuer) < index) fault(at('issuer'), 'is there twice')
    if (jwksUri !== undefined && !isSafeUrl(jwksUri)) fault(at('jwksUri'), UNSAFE)
    if (introspection && !isSafeUrl(introspection.url)) fault(at('introspection', 'url'), UNSAFE)
  })
  const asking = oauth.issuers.flatMap(({ introspection }, index) => (introspection ? [index] : []))
  if (asking.length > 1)
    fault(['issuers', asking[1] ?? 0, 'introspection'], 'is of a second issuer: a token that is no JWT does not say whose it is')
  return faults
}

/** What lets callers in and shows them nothing. */
export function oauthWarnings({ auth }: Pick<ResolvedConfig, 'auth'>): readonly string[] {
  const { oauth } = auth.inbound
  if (!oauth || oauth.scopes !== undefined || Object.keys(auth.permissions).length === 0) return []
  return ['auth.permissions maps scopes to tools, but auth.inbound.oauth.scopes tells no client which ones to ask for']
}

const UNSAFE = 'must be https, or http on a loopback address, without a user name'
