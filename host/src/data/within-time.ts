import { setTimeout as delay } from 'node:timers/promises'

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
