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
      fix: "Send the request through `http`, or declare the capability credentials: 'raw' and have it granted in the config file",
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
