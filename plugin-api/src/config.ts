import { Type, type TSchemaOptions, type TUnsafe } from 'typebox'
import { ServiceError } from './errors.ts'

/**
 * A secret of a plugin's config. It prints as `[secret]` wherever it is printed. The host puts it on requests itself, so a plugin
 * normally only asks whether it is set; `reveal()` works when the plugin declares the capability `credentials: 'raw'` and was granted it.
 */
export class SecretValue {
  readonly #reveal: (() => string) | undefined

  /** The host makes these. Without `reveal` the value stays with the host. */
  constructor(reveal?: () => string) {
    this.#reveal = reveal
  }

  /** The secret itself. Throws `PERMISSION_DENIED` unless the plugin was granted `credentials: 'raw'`. */
  reveal(): string {
    if (this.#reveal) return this.#reveal()
    throw new ServiceError('PERMISSION_DENIED', 'This secret stays with the host, which puts it on requests itself', {
      fix: "Send the request through `http`, or declare the capability credentials: 'raw' and have it granted in mcp.config.ts",
    })
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]'
  }
}

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

/** The config keys that make up each credential, highest precedence first. */
export const CREDENTIAL_KEYS: readonly (readonly string[])[] = [
  ['oauthClientId', 'oauthClientSecret'],
  ['personalToken'],
  ['apiKey'],
  ['username', 'password'],
]
