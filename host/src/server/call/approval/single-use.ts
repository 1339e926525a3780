import { randomUUID } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { SharedScripts } from '../../../cache/shared-scripts.ts'

/** Tickets that count once. */
export interface SingleUse {
  issue(): string
  /** True for the first who brings a ticket of this host, or of those that share its store; false for any other and for what cannot be told. */
  use(ticket: string): Promise<boolean>
}

/** Longer than the state of a question is valid. */
const TTL_SECONDS = 660
const MAX_USED = 100_000
const TAKE = "return redis.call('SET', KEYS[1], '1', 'NX', 'EX', ARGV[1])"

/**
 * Without a shared store a ticket counts only in the process that issued it: another one, or this one after a restart, could not know
 * whether it was used. With one, hosts that share it count together, and none counts while it is away.
 */
export function createSingleUse(scripts?: SharedScripts): SingleUse {
  const used = new LRUCache<string, true>({ max: MAX_USED })
  const own = scripts ? 'shared' : randomUUID()
  return {
    issue: () => `${own}.${randomUUID()}`,
    async use(ticket) {
      if (!ticket.startsWith(`${own}.`) || used.has(ticket)) return false
      used.set(ticket, true)
      if (!scripts) return true
      const options = { keys: [`patchbay-ticket:${ticket}`], arguments: [String(TTL_SECONDS)] }
      return scripts.eval(TAKE, options).then(
        (answer) => answer === 'OK',
        () => false,
      )
    },
  }
}
