import type { Logger } from '@mcp-patchbay/plugin-api'
import type { SharedScripts } from '../shared-scripts.ts'
import { createGuard, type CacheClock } from './store-guard.ts'
import type { RedisConnection } from './redis-connection.ts'

const FAILURES = 3
const DOWN_MS = 2_000

export interface RedisScriptsOptions {
  readonly connection: RedisConnection
  readonly log: Logger
  readonly clock: CacheClock
  /** The longest that a script is waited for. */
  readonly patienceMs?: number | undefined
}

/** A guard of its own: one that fails for scripts says nothing about the cache. */
export function createRedisScripts({ connection, log, clock, patienceMs = 100 }: RedisScriptsOptions): SharedScripts {
  const guard = createGuard({
    store: connection.name,
    clock,
    deadlineMs: patienceMs,
    failures: FAILURES,
    openMs: DOWN_MS,
    onFailure: (error) => log.debug('cache_script_failed', { store: connection.name, error }),
    onChange: (state) => log.warn('cache_scripts', { store: connection.name, state }),
  })
  return {
    eval: (script, options) => guard.run(async () => (await connection.client()).eval(script, options)),
  }
}
