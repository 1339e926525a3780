/** The config keys that make up each credential, highest precedence first. */
export const CREDENTIAL_KEYS: readonly (readonly string[])[] = [
  ['oauthClientId', 'oauthClientSecret'],
  ['personalToken'],
  ['apiToken'],
  ['apiKey'],
  ['username', 'password'],
]
