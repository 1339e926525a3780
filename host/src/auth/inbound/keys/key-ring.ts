import { hash } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { stat } from 'node:fs/promises'
import type { Logger, Principal } from '@mcp-patchbay/plugin-api'
import { isKey, keyId, type KeyRecord } from './api-key.ts'
import type { Authenticated } from '../authentication.ts'
import { readKeyFile } from './key-file.ts'

export interface KeyRingOptions {
  readonly file: string
  /** Those of the config, as it is now. */
  readonly configured: () => readonly KeyRecord[]
  readonly log: Logger
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** How often the file is looked at, in milliseconds. */
  readonly pollMs?: number
}

/** The API keys that open the host, in step with their file and the config. */
export interface KeyRing extends Disposable {
  /** Whose key it is, or why it opens nothing. */
  find(key: string): Authenticated | { readonly refused: KeyProblem }
  /** Whether the key of this id and proof still opens the host: one that was revoked, replaced, or is over does not. */
  opens(id: string, proof: string): boolean
}

/** Identifies the key that a caller presented, and cannot be used as a key. */
export function proofOfKey(keyHash: Buffer): string {
  return hash('sha256', Buffer.concat([Buffer.from('page '), keyHash]), 'base64url')
}

export type KeyProblem = 'key_malformed' | 'key_unknown' | 'key_expired'

/**
 * Reads the keys. A file that changes counts within a second: a key that is no longer in it, or revoked, or changed, opens nothing, and
 * the streams that it opened end. A file that cannot be read any more changes nothing. Throws `AUTH_KEYS_FILE` for the first reading.
 */
export async function openKeyRing({ file, configured, log, now, pollMs = 1_000 }: KeyRingOptions): Promise<KeyRing> {
  let seen = await signatureOf(file)
  let refused: string | undefined
  let stored = await usableKeys(file)
  let inConfig = configured()
  let held: ReadonlyMap<string, HeldKey> = new Map()
  hold()
  if (held.size === 0) log.warn('api_keys_missing', { file, fix: 'npx mcp-patchbay keys create' })

  function hold(): void {
    const next = new Map<string, HeldKey>()
    for (const record of [...inConfig, ...stored]) {
      if (next.has(record.id)) log.warn('api_key_ignored', { key: record.id, file, reason: 'the config has a key of this id' })
      else next.set(record.id, keepOrMake(record, held.get(record.id)))
    }
    const before = held
    held = next
    for (const [id, key] of before) if (next.get(id) !== key) key.revoke()
  }

  async function look(): Promise<void> {
    const signature = await signatureOf(file)
    const isChanged = signature !== seen
    if (!isChanged && configured() === inConfig) return
    try {
      if (isChanged) stored = await usableKeys(file)
    } catch (error) {
      // Read again at every look, since the reason may be gone without a change of the file; said once.
      if (signature !== refused) log.error('api_keys_kept', { file, error })
      refused = signature
      return
    }
    seen = signature
    log.info('api_keys_loaded', { file, keys: stored.length })
    inConfig = configured()
    hold()
  }

  let looking = false
  const timer = setInterval(() => {
    if (looking) return
    looking = true
    look()
      .catch((error: unknown) => log.error('api_keys_kept', { file, error }))
      .finally(() => (looking = false))
  }, pollMs).unref()

  return {
    find(key) {
      if (configured() !== inConfig) {
        inConfig = configured()
        hold()
      }
      const id = keyId(key)
      const found = id === undefined ? undefined : held.get(id)
      if (!isKey(key, found?.hash) || !found) return { refused: id === undefined ? 'key_malformed' : 'key_unknown' }
      const { expiresAt } = found.authenticated
      return expiresAt !== undefined && now() >= expiresAt ? { refused: 'key_expired' } : found.authenticated
    },
    opens(id, proof) {
      if (configured() !== inConfig) {
        inConfig = configured()
        hold()
      }
      const found = held.get(id)
      const { expiresAt } = found?.authenticated ?? {}
      return found !== undefined && proofOfKey(found.hash) === proof && (expiresAt === undefined || now() < expiresAt)
    },
    [Symbol.dispose]() {
      clearInterval(timer)
    },
  }
}

interface HeldKey {
  readonly record: string
  readonly hash: Buffer
  readonly authenticated: Authenticated
  readonly revoke: () => void
}

/** The same object for the same record: what it opened goes on. */
function keepOrMake(record: KeyRecord, before: HeldKey | undefined): HeldKey {
  const text = JSON.stringify([record.id, record.hash, record.scopes, record.tenant, record.notAfter])
  if (before?.record === text) return before
  const revoked = new AbortController()
  setMaxListeners(0, revoked.signal)
  const principal: Principal = Object.freeze({
    id: `key:${record.id}`,
    tenant: record.tenant,
    permissions: Object.freeze([...record.scopes]),
    kind: 'apiKey',
  })
  // A leap second is a date-time that no Date can hold: what cannot be compared is over.
  const expiresAt = record.notAfter === undefined ? undefined : Date.parse(record.notAfter) || 0
  return {
    record: text,
    hash: Buffer.from(record.hash.replace(/^sha256:/, ''), 'hex'),
    authenticated: Object.freeze({ principal, expiresAt, revoked: revoked.signal }),
    revoke: () => revoked.abort(),
  }
}

async function usableKeys(file: string): Promise<readonly KeyRecord[]> {
  return (await readKeyFile(file)).filter(({ revokedAt }) => revokedAt === undefined)
}

/** Changes with the content, also where the file is a link that is pointed elsewhere, as Kubernetes does with secrets. */
async function signatureOf(file: string): Promise<string> {
  const stats = await stat(file, { bigint: true }).catch(() => undefined)
  return stats ? [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join() : 'none'
}
