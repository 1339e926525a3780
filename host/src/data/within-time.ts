import { setTimeout as delay } from 'node:timers/promises'

/** Waits for `done`, but no longer than `ms`. */
export async function atMost(ms: number, done: Promise<unknown>): Promise<void> {
  const stop = new AbortController()
  await Promise.race([done, delay(ms, undefined, { signal: stop.signal }).catch(() => undefined)])
  stop.abort()
}
