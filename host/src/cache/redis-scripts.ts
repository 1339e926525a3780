import type { Logger } from '@mcp-patchbay/plugin-api'
import { createGuard, type CacheClock } from './guard.ts'
import type { RedisConnection } from './redis-connection.ts'

/** Runs small scripts in the Redis of the cache, whatever became of its connection meanwhile. */
export interface SharedScripts {
  /** Rejects after a tenth of a second, and at once while the store is left alone. */
  eval(script: string, options: { readonly keys: string[]; readonly arguments: string[] }): Promise<unknown>
}

/** The longest that a script is waited for. */
const DEADLINE_MS = 100
const FAILURES = 3
const DOWN_MS = 2_000

/** A guard of its own: one that fails for scripts says nothing about the cache. */
export function createRedisScripts({
  connection,
  log,
  clock,
}: {
  readonly connection: RedisConnection
  readonly log: Logger
  readonly clock: CacheClock
}): SharedScripts {
  const guard = createGuard({
    store: connection.name,
    clock,
    deadlineMs: DEADLINE_MS,
    failures: FAILURES,
    openMs: DOWN_MS,
    onFailure: (error) => log.debug('cache_script_failed', { store: connection.name, error }),
    onChange: (state) => log.warn('cache_scripts', { store: connection.name, state }),
  })
  return {
    eval: (script, options) => guard.run(async () => (await connection.client()).eval(script, options)),
  }
}
