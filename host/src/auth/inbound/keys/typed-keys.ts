import { hashKey, keyId } from './api-key.ts'
import type { Authenticated } from '../authentication.ts'
import { proofOfKey, type KeyRing } from './key-ring.ts'
import type { Throttle } from '../throttle.ts'

/** API keys that people type into a page. */
export interface TypedKeys {
  /** Whose key it is. `bad` is counted like any other bad credential of this address; `later`: there were too many of them. */
  find(key: string, address: string): Promise<KeyHolder | 'bad' | 'later'>
  /** Whether the key that was typed then still opens the host. */
  isGood(key: TypedKey): boolean
}

export interface KeyHolder {
  readonly principal: Authenticated['principal']
  readonly key: TypedKey
}

/** Names a key, and tells one from a later one of the same id; none can be made from it. */
export interface TypedKey {
  readonly id: string
  readonly proof: string
}

export function createTypedKeys(keys: KeyRing, throttle: Throttle): TypedKeys {
  return {
    async find(text, address) {
      if ((await throttle.waitOf(address)) > 0) return 'later'
      const key = text.trim()
      const found = keys.find(key)
      const id = keyId(key)
      if (!('refused' in found) && id !== undefined)
        return { principal: found.principal, key: { id, proof: proofOfKey(hashKey(key)) } }
      await throttle.count(address)
      return 'bad'
    },
    isGood: ({ id, proof }) => keys.opens(id, proof),
  }
}
