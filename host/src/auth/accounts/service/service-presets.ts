/** What a service does otherwise than the standards say, as data. */
export interface ServicePreset {
  readonly issuer: string
  readonly authorizationUrl: string
  readonly tokenUrl: string
  readonly deviceUrl?: string
  readonly revocation?: Revocation
  /** The parameter that asks for scopes. Default: `scope`. */
  readonly scopeParameter?: string
  /** What is between two scopes, when they are asked for. Default: a space. */
  readonly scopeSeparator?: string
  /** The object of the answer that has the token; it says a token type of its own. Default: the answer itself. */
  readonly tokenIn?: string
  /** What the service says in place of `invalid_grant`. */
  readonly refusals?: readonly string[]
  /** How the client proves itself. Default: `basic`. */
  readonly clientAuthentication?: 'basic' | 'post'
}

/** How tokens are taken back: RFC 7009, or what the service has in its place. `{clientId}` stands for the client's id. */
export interface Revocation {
  readonly url: string
  readonly method: 'POST' | 'DELETE'
  /** `json`: the token in a JSON object, the client proves itself. `bearer`: the token proves itself. */
  readonly as: 'json' | 'bearer'
}

/** By the name of the plugin. */
export const SERVICE_PRESETS: Readonly<Record<string, ServicePreset>> = Object.freeze({
  // https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
  github: {
    issuer: 'https://github.com/login/oauth',
    authorizationUrl: 'https://github.com/login/oauth/authorize',
    tokenUrl: 'https://github.com/login/oauth/access_token',
    deviceUrl: 'https://github.com/login/device/code',
    revocation: { url: 'https://api.github.com/applications/{clientId}/token', method: 'DELETE', as: 'json' },
    refusals: ['bad_refresh_token'],
    clientAuthentication: 'post',
  },
  // https://docs.slack.dev/authentication/installing-with-oauth: tokens of users, not of the app's bot
  slack: {
    issuer: 'https://slack.com',
    authorizationUrl: 'https://slack.com/oauth/v2/authorize',
    tokenUrl: 'https://slack.com/api/oauth.v2.access',
    revocation: { url: 'https://slack.com/api/auth.revoke', method: 'POST', as: 'bearer' },
    scopeParameter: 'user_scope',
    scopeSeparator: ',',
    tokenIn: 'authed_user',
    refusals: ['invalid_refresh_token', 'token_expired', 'token_revoked'],
  },
})
