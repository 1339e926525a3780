import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { createClient } from 'redis'
import { hostError, type HostError } from '../../errors.ts'
import type { CacheClock } from './store-guard.ts'

export type RedisClient = ReturnType<typeof createClient>

/** A way to one Redis: connects when it is asked to, again when the connection is lost, and says so when it cannot. */
export interface RedisConnection {
  /** The URL without its password. */
  readonly name: string
  /** The number of its database. */
  readonly database: number
  /** The client that everybody shares, connected. Rejects with `CACHE_REDIS`, and with `CACHE_REDIS_MISSING` where the package is not installed. */
  client(): Promise<RedisClient>
  /** Another client, connected, for who listens on it. Rejects as `client` does. It never connects again: `lost` is called then, once. */
  connect(lost: (error: unknown) => void): Promise<RedisClient>
  /** Gives up the shared client, on which nothing comes back; what waits on it rejects. */
  reset(): void
  /** Ends every client, connected or not. */
  close(): void
}

export interface RedisConnectionOptions {
  readonly url: string
  /** The folder of the project, where its package `redis` may be installed. */
  readonly projectDir: string
  readonly clock: CacheClock
  /** How long connecting may take, the password's check included. */
  readonly connectMs?: number
}

/** What is sent and not answered yet, at most: a Redis that stalls must not fill the memory. */
const MAX_QUEUED = 10_000

export function createRedisConnection({ url, projectDir, clock, connectMs = 2_000 }: RedisConnectionOptions): RedisConnection {
  const { name, database } = describeUrl(url)
  const clients = new Map<RedisClient, (reason: Error) => void>()
  let connecting: Promise<RedisClient> | undefined
  let shared: RedisClient | undefined
  let closed = false

  async function connect(lost: (error: unknown) => void): Promise<RedisClient> {
    const { createClient } = await loadClient(name, projectDir)
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
    failed.catch(() => {}) // a client that is lost later: who waits on it hears of it by `lost`
    let isConnected = false
    const end = (error: unknown) => {
      reject(error)
      if (clients.delete(client) && isConnected) lost(error)
      // Also after an answer that cannot be read: what still waits would wait forever.
      if (client.isOpen) client.destroy()
    }
    client.on('error', end)
    clients.set(client, end)
    const cancel = clock.schedule(connectMs, () => end(new Error(`no connection within ${connectMs} ms`)))
    try {
      if (closed) throw new Error('the host is closing')
      await Promise.race([client.connect(), failed])
      isConnected = true
      return client
    } catch (error) {
      end(error)
      throw hostError('CACHE_REDIS', { store: name, problem: problemOf(error) }, error)
    } finally {
      cancel()
    }
  }

  async function connectShared(): Promise<RedisClient> {
    const client = await connect(() => (shared = shared === client ? undefined : shared))
    shared = client
    return client
  }

  return {
    name,
    database,
    connect,
    async client() {
      if (shared) return shared
      connecting ??= connectShared().finally(() => (connecting = undefined))
      return connecting
    },
    reset() {
      if (shared) clients.get(shared)?.(new Error('nothing came back'))
    },
    close() {
      closed = true
      for (const end of clients.values()) end(new Error('the host is closing'))
    },
  }
}

/** Why no connection can ever be made: the package that speaks to Redis is an optional peer. */
export function missingClient(store: string, projectDir: string): HostError | undefined {
  try {
    findClient(projectDir)
    return undefined
  } catch (error) {
    return hostError('CACHE_REDIS_MISSING', { store: describeUrl(store).name }, error)
  }
}

/** Loaded when a config names a Redis, from beside the host or, for a host that is installed elsewhere, from the project. */
async function loadClient(store: string, projectDir: string): Promise<{ readonly createClient: typeof createClient }> {
  const missing = missingClient(store, projectDir)
  if (missing) throw missing
  return import(pathToFileURL(findClient(projectDir)).href)
}

function findClient(projectDir: string): string {
  try {
    return createRequire(import.meta.url).resolve('redis')
  } catch {
    return createRequire(join(projectDir, 'mcp.config.ts')).resolve('redis')
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
