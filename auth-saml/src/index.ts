/** An authorization server for Patchbay whose login is that of a SAML identity provider. */
export type { ClaimAttributes } from './account.ts'
export { readIdentityProvider, type IdentityProvider } from './identity-provider.ts'
export type { LoginClient, LoginLog, SamlAuthorizationServerOptions } from './options.ts'
export { readLoginSecrets, type LoginSecrets, type SigningKey } from './secrets.ts'
export { createSamlAuthorizationServer, type Listening, type SamlAuthorizationServer } from './server.ts'
export type { LoginStore } from './store.ts'
