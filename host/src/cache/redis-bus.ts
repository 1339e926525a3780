import type { Logger } from '@mcp-patchbay/plugin-api'
import type { Bus } from './bus.ts'
import type { CacheClock } from './stores/store-guard.ts'
import type { RedisConnection } from './stores/redis-connection.ts'
import { REDIS_PREFIX } from './stores/redis-store.ts'

export interface RedisBusOptions {
  readonly connection: RedisConnection
  readonly log: Logger
  readonly clock: CacheClock
}

/** The pause before listening is tried again. */
const RETRY_MS = 1_000

/**
 * Events over Redis' publish and subscribe: what is published goes over the client that the cache has, and listening has one of its own,
 * which connects at once and again whenever it is lost. The connection's `close` ends both.
 */
export function createRedisBus({ connection, log, clock }: RedisBusOptions): Bus {
  const channel = `${REDIS_PREFIX}:events:${connection.database}`
  const sender = crypto.randomUUID()
  const listeners = new Map<string, Set<(data: unknown) => void>>()
  const first = Promise.withResolvers<void>()
  let cancelRetry = () => {}
  let closed = false
  let isSaid = false

  async function listen(): Promise<void> {
    try {
      const subscriber = await connection.connect(lost)
      await subscriber.subscribe(channel, receive)
      if (isSaid) log.info('cache_bus_recovered', { store: connection.name })
      isSaid = false
      first.resolve()
    } catch (error) {
      lost(error)
    }
  }

  /** May come twice of one loss: when the connection ends while it subscribes. */
  function lost(error: unknown): void {
    if (closed) return
    if (!isSaid) log.warn('cache_bus_lost', { store: connection.name, error })
    isSaid = true
    cancelRetry()
    cancelRetry = clock.schedule(RETRY_MS, () => void listen())
  }

  function receive(text: string): void {
    const message = parse(text)
    if (!message || message.from === sender) return
    for (const listener of listeners.get(message.topic) ?? []) {
      try {
        listener(message.data)
      } catch (error) {
        log.error('listener_failed', { topic: message.topic, error })
      }
    }
  }

  void listen()
  return {
    ready: first.promise,
    publish(topic, data) {
      connection
        .client()
        .then((client) => client.publish(channel, JSON.stringify({ from: sender, topic, data })))
        .catch((error: unknown) => log.debug('cache_bus_send_failed', { topic, error }))
    },
    on(topic, listener) {
      const known = listeners.get(topic) ?? new Set()
      listeners.set(topic, known.add(listener))
      return () => known.delete(listener)
    },
    async [Symbol.asyncDispose]() {
      closed = true
      cancelRetry()
      listeners.clear()
    },
  }
}

/** The message in a text of the channel; undefined for a text that no host of ours sends. */
function parse(text: string): { readonly from: string; readonly topic: string; readonly data: unknown } | undefined {
  try {
    const message: unknown = JSON.parse(text)
    if (typeof message !== 'object' || message === null || !('from' in message && 'topic' in message && 'data' in message))
      return undefined
    const { from, topic, data } = message
    return typeof from === 'string' && typeof topic === 'string' ? { from, topic, data } : undefined
  } catch {
    return undefined
  }
}
