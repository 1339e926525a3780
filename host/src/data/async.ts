import { setTimeout as delay } from 'node:timers/promises'

/** Waits, or less long when `signal` aborts. Never rejects. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  if (signal.aborted) return Promise.resolve()
  const timer = setTimeout(resolve, ms)
  signal.addEventListener('abort', () => resolve(), { once: true })
  return promise.finally(() => clearTimeout(timer))
}

/**
 * Whether some of `work` is still going on after `ms` in which none of it ended; while one after the other ends, it waits on, ten times as
 * long at most. Infinity waits for all. Rejects when one of them does before.
 */
export async function standsStill(work: readonly Promise<unknown>[], ms: number): Promise<boolean> {
  const all = Promise.all(work).then(() => false)
  if (ms === Infinity) return all
  const { promise, resolve } = Promise.withResolvers<true>()
  const timer = setTimeout(() => resolve(true), ms)
  const last = setTimeout(() => resolve(true), ms * 10)
  for (const one of work) void one.then(() => timer.refresh()).catch(() => {}) // `all` rejects with it
  try {
    return await Promise.race([all, promise])
  } finally {
    clearTimeout(timer)
    clearTimeout(last)
  }
}

/** Waits for `done`, but no longer than `ms`. */
export async function atMost(ms: number, done: Promise<unknown>): Promise<void> {
  const stop = new AbortController()
  await Promise.race([done, delay(ms, undefined, { signal: stop.signal }).catch(() => undefined)])
  stop.abort()
}

/** What `work` gives, if it does within `ms`. Rejects otherwise, and as `work` does; what comes later is dropped. */
export async function inTime<Result>(ms: number, work: Promise<Result>): Promise<Result> {
  const stop = new AbortController()
  const late = delay(ms, undefined, { signal: stop.signal }).then(() => {
    throw new Error(`There was no answer within ${ms} ms`)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    stop.abort()
    late.catch(() => {})
    work.catch(() => {})
  }
}
