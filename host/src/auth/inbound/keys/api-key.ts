import { hash, randomBytes, timingSafeEqual } from 'node:crypto'

/** What is kept of an API key: everything but the key. */
export interface KeyRecord {
  readonly id: string
  /** SHA-256 of the key in hex. */
  readonly hash: string
  readonly scopes: readonly string[]
  readonly tenant?: string | undefined
  /** ISO 8601. */
  readonly notAfter?: string | undefined
}

export const KEY_ID = /^[a-z0-9][a-z0-9-]{0,39}$/
/** By which a key is told from any other credential, here and by scanners of leaked secrets. */
export const KEY_PREFIX = 'pbk_'

/** A new key that names its record, `pbk_<id>_<secret>`: 256 bits that cannot be guessed, so that its plain hash gives nothing away. */
export function makeKey(id: string): { readonly key: string; readonly hash: string } {
  const key = `${KEY_PREFIX}${id}_${randomBytes(32).toString('base64url')}`
  return { key, hash: hashKey(key).toString('hex') }
}

/** The id in a key; undefined for a text that is no key. */
export function keyId(text: string): string | undefined {
  return KEY.exec(text)?.[1]
}

/** SHA-256, of the id as well as of the secret: with another id it is another key. */
export function hashKey(key: string): Buffer {
  return hash('sha256', key, 'buffer')
}

/** Takes as long for an unknown key as for one with a wrong secret: it compares in any case. */
export function isKey(presented: string, kept: Buffer | undefined): boolean {
  const isSame = timingSafeEqual(hashKey(presented), kept ?? NOBODYS)
  return isSame && kept !== undefined
}

const KEY = /^pbk_([a-z0-9][a-z0-9-]{0,39})_[A-Za-z0-9_-]{43}$/
const NOBODYS = Buffer.alloc(32)
