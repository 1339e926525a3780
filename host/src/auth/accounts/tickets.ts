import { hash, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { SharedScripts } from '../../cache/shared-scripts.ts'
import { nameOf, type Account } from './account.ts'
import type { Seal } from './store/sealed.ts'

/** Random texts that are valid once, for ten minutes. Hosts that share a store accept the tickets of each other. */
export interface Tickets {
  /** A random text. A person who has it may link this account with it, after logging in. */
  issue(account: Account): Promise<string>
  /** What it is for; undefined for one that was not issued, is too old, or was used. Rejects when the store cannot say. */
  read(ticket: string): Promise<Account | undefined>
  /** As `read`, for the first that asks; undefined afterwards. */
  take(ticket: string): Promise<Account | undefined>
  /** True for the first who uses this id. Rejects when the store cannot say. */
  useOnce(id: string): Promise<boolean>
}

export interface TicketOptions {
  readonly seal: Seal
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly scripts?: SharedScripts | undefined
}

export const TICKET_MS = 600_000
const MAX_KEPT = 100_000
const MAX_ISSUED = 10_000
/** How long the same ticket is given again: it stays good for nine minutes at least. */
const SAME_MS = 60_000

export function createTickets({ seal, now, scripts }: TicketOptions): Tickets {
  const store = scripts ? sharedPlace(scripts) : ownPlace(now)
  /** A client that calls again and again gets the same one: neither memory nor Redis fills with what is opened by no one. */
  const issued = new LRUCache<string, { readonly ticket: string; readonly until: number }>({ max: MAX_ISSUED })
  /** Who reads the store cannot use what is in it. */
  const keyOf = (ticket: string) => hash('sha256', `ticket ${ticket}`)

  async function open(ticket: string, text: string | undefined): Promise<Account | undefined> {
    if (text === undefined) return undefined
    const { value } = await seal.open(keyOf(ticket), text)
    return value as Account
  }

  return {
    async issue({ principal: { tenant, kind, id }, instance }) {
      const name = nameOf({ principal: { tenant, kind, id }, instance })
      const before = issued.get(name)
      if (before && now() < before.until && (await store.get(keyOf(before.ticket))) !== undefined) return before.ticket
      // Letters and digits only: it stands in texts that are Markdown.
      const ticket = randomBytes(24).toString('hex')
      const account: Account = { principal: { tenant, kind, id }, instance }
      await store.put(keyOf(ticket), await seal.seal(keyOf(ticket), account))
      issued.set(name, { ticket, until: now() + SAME_MS })
      return ticket
    },
    read: async (ticket) => open(ticket, await store.get(keyOf(ticket))),
    take: async (ticket) => open(ticket, await store.take(keyOf(ticket))),
    useOnce: (id) => store.put(hash('sha256', `used ${id}`), '1'),
  }
}

interface Place {
  /** False when there is one of that key. */
  put(key: string, text: string): Promise<boolean>
  get(key: string): Promise<string | undefined>
  take(key: string): Promise<string | undefined>
}

function ownPlace(now: () => number): Place {
  const kept = new LRUCache<string, { readonly text: string; readonly until: number }>({ max: MAX_KEPT })
  const get = (key: string) => {
    const found = kept.get(key)
    return found && now() < found.until ? found.text : undefined
  }
  return {
    async put(key, text) {
      if (get(key) !== undefined) return false
      kept.set(key, { text, until: now() + TICKET_MS })
      return true
    },
    get: async (key) => get(key),
    async take(key) {
      const found = get(key)
      kept.delete(key)
      return found
    },
  }
}

function sharedPlace(scripts: SharedScripts): Place {
  const run = (script: string, key: string, ...args: string[]) =>
    scripts.eval(script, { keys: [`patchbay-accounts1:ticket:${key}`], arguments: args })
  const text = (answer: unknown) => (typeof answer === 'string' ? answer : undefined)
  return {
    put: async (key, value) => (await run(PUT, key, value, String(TICKET_MS))) === 'OK',
    get: async (key) => text(await run(GET, key)),
    take: async (key) => text(await run(TAKE, key)),
  }
}

const PUT = "return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])"
const GET = "return redis.call('GET', KEYS[1])"
const TAKE = "local found = redis.call('GET', KEYS[1]) redis.call('DEL', KEYS[1]) return found"
