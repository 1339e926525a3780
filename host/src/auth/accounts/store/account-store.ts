import type { AccountKey } from '../account.ts'

/**
 * Keeps sealed texts by account. A store that cannot be asked rejects: that is never the same as an account that is not there.
 */
export interface AccountStore {
  read(key: AccountKey): Promise<string | undefined>
  /** Written whole or not at all. */
  write(key: AccountKey, text: string): Promise<void>
  /** Writes only where `before` still is: what changed meanwhile, or was taken away, stays as it is. Whether it wrote. */
  replace(key: AccountKey, before: string, text: string): Promise<boolean>
  /** Whether there was one. */
  remove(key: AccountKey): Promise<boolean>
  /** The texts of all accounts of one person. */
  list(person: string): Promise<readonly { readonly account: string; readonly text: string }[]>
  /**
   * Runs `work` while no other host that uses the same store runs work for this account. Undefined when another one has the turn now; the
   * caller looks again a moment later. A turn ends by itself after `TURN_MS`.
   */
  inTurn<Result>(key: AccountKey, work: () => Promise<Result>): Promise<{ readonly result: Result } | undefined>
}

/** How long the work of one turn may take. A host that ends in the middle of it blocks the others no longer than this. */
export const TURN_MS = 30_000
