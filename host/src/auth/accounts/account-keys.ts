import { hash, hkdfSync } from 'node:crypto'
import { HostError, hostError } from '../../errors.ts'
import { secretVariable, type SecretSource } from '../outbound/secret-variable.ts'

/** A key of 32 bytes, and the name by which what it sealed finds it again. */
export interface AccountKeyPart {
  readonly id: string
  readonly bytes: Uint8Array
}

/** The keys for one purpose. The first seals, each of them opens. */
export type KeyRing = readonly [AccountKeyPart, ...AccountKeyPart[]]

/** Makes the keys for a purpose: what is sealed for one purpose opens for no other. */
export type KeyRings = (purpose: string) => KeyRing

/**
 * Reads `auth.accounts.keyVariable`: one variable, or several of which the first is in use and the others are on their way out. Throws
 * `ACCOUNT_KEY` for one that is not set, or not 32 bytes in Base64.
 */
export function readAccountKeys(keyVariable: string | readonly string[], source: SecretSource): KeyRings {
  const [first, ...others] = [keyVariable].flat().map((variable) => readKey(variable, source))
  if (!first) throw hostError('ACCOUNT_KEY', { variable: 'auth.accounts.keyVariable', isSet: false })
  const derive = (secret: Uint8Array, purpose: string): AccountKeyPart => ({
    id: hash('sha256', Buffer.from(hkdfSync('sha256', secret, '', 'patchbay key name', KEY_BYTES))).slice(0, 16),
    bytes: new Uint8Array(hkdfSync('sha256', secret, '', `patchbay ${purpose}`, KEY_BYTES)),
  })
  return (purpose) => [derive(first, purpose), ...others.map((secret) => derive(secret, purpose))]
}

const KEY_BYTES = 32

function readKey(variable: string, source: SecretSource): Uint8Array {
  const text = textOf(variable, source)
  const bytes = Buffer.from(text ?? '', 'base64')
  if (bytes.length !== KEY_BYTES) throw hostError('ACCOUNT_KEY', { variable, isSet: Boolean(text) })
  return bytes
}

/** Undefined for what is not set at all. A file that cannot be read says so itself. */
function textOf(variable: string, source: SecretSource): string | undefined {
  if (!source.env[variable] && !source.env[`${variable}_FILE`]) return undefined
  try {
    return secretVariable(variable, 'The key of auth.accounts', source)
  } catch (error) {
    if (error instanceof HostError && source.env[`${variable}_FILE`]) throw error
    return undefined
  }
}
