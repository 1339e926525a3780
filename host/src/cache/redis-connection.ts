import type { RedisClientType as RedisClient } from '@keyv/redis'
import { hostError } from '../errors.ts'
import type { CacheClock } from './guard.ts'

/** A way to one Redis: connects when it is asked to, again when the connection is lost, and says so when it cannot. */
export interface RedisConnection {
  /** The URL without its password. */
  readonly name: string
  /** The number of its database. */
  readonly database: number
  /** A client that is connected. Rejects with `CACHE_REDIS`, and with `CACHE_REDIS_MISSING` where the package is not installed. */
  client(): Promise<RedisClient>
  /** Gives up a connection on which nothing comes back; what waits on it rejects. */
  reset(): void
  /** Ends it for good. */
  close(): Promise<void>
}

export interface RedisConnectionOptions {
  readonly url: string
  readonly clock: CacheClock
  /** How long connecting may take, the password's check included. */
  readonly connectMs?: number
}

/** What is sent and not answered yet, at most: a Redis that stalls must not fill the memory. */
const MAX_QUEUED = 10_000

export function createRedisConnection({ url, clock, connectMs = 2_000 }: RedisConnectionOptions): RedisConnection {
  const { name, database } = describeUrl(url)
  let connecting: Promise<RedisClient> | undefined
  let current: RedisClient | undefined
  let closed = false

  async function connect(): Promise<RedisClient> {
    const { createClient } = await loadAdapter(name)
    const client: RedisClient = createClient({
      url,
      // Connecting again is for the next call, which the guard lets through only now and then; nothing runs in between.
      socket: { reconnectStrategy: false, connectTimeout: connectMs },
      disableOfflineQueue: true,
      commandsQueueMaxLength: MAX_QUEUED,
      // Nothing is asked that an older Redis, or a proxy that speaks for one, would not know.
      disableClientInfo: true,
      maintNotifications: 'disabled',
    })
    const { promise: failed, reject } = Promise.withResolvers<never>()
    failed.catch(() => {}) // also when the connection is lost later: the commands on their way reject, and the next call connects
    client.on('error', reject)
    const cancel = clock.schedule(connectMs, () => reject(new Error(`no connection within ${connectMs} ms`)))
    try {
      await Promise.race([client.connect(), failed])
      if (closed) throw new Error('the host is closing')
      current = client
      return client
    } catch (error) {
      destroy(client)
      throw hostError('CACHE_REDIS', { store: name, problem: problemOf(error) }, error)
    } finally {
      cancel()
    }
  }

  return {
    name,
    database,
    async client() {
      if (current?.isReady) return current
      connecting ??= connect().finally(() => (connecting = undefined))
      return connecting
    },
    reset() {
      if (current) destroy(current)
      current = undefined
    },
    async close() {
      closed = true
      await connecting?.catch(() => {})
      if (current) destroy(current)
    },
  }
}

/** Loaded when a config names a Redis: the package is optional. */
export async function loadAdapter(store: string) {
  try {
    return await import('@keyv/redis')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')
      throw hostError('CACHE_REDIS_MISSING', { store }, error)
    throw error
  }
}

function describeUrl(text: string): { name: string; database: number } {
  const url = URL.parse(text)
  if (!url) throw hostError('CACHE_REDIS', { store: 'of cache.store', problem: 'it is not a URL like redis://host:6379' })
  url.password = ''
  url.username = ''
  return { name: url.href, database: Number(/^\/(\d+)$/.exec(url.pathname)?.[1] ?? 0) }
}

/** An AggregateError of addresses that were tried has no message of its own. */
function problemOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(problemOf).join('; ')
  return error instanceof Error ? error.message || error.name : String(error)
}

function destroy(client: RedisClient): void {
  if (client.isOpen) client.destroy()
}
