import { Type, type TSchemaOptions, type TUnsafe } from 'typebox'
import { CREDENTIAL_KEYS } from './credential-keys.ts'
import type { SecretValue } from './secret-value.ts'

/** A config value that must never be seen: a string in the environment, a {@link SecretValue} for the plugin. */
export function Secret(options: TSchemaOptions = {}): TUnsafe<SecretValue> {
  return Type.Unsafe<SecretValue>({ ...options, type: 'string', writeOnly: true })
}

/**
 * True when the config holds a whole credential, by the config keys the host knows: `personalToken`; `apiKey`; `username` with
 * `password`; `oauthClientId` with `oauthClientSecret`. The usual answer to `isAuthConfigured`.
 */
export function hasCredential(config: Readonly<Record<string, unknown>>): boolean {
  return CREDENTIAL_KEYS.some((keys) => keys.every((key) => config[key] !== undefined && config[key] !== ''))
}
