import { createRedisConnection } from '../../cache/stores/redis-connection.ts'
import { cacheClock } from '../../cache/stores/store-guard.ts'
import type { ResolvedConfig } from '../../config/schema/schema.ts'
import { HostError } from '../../errors.ts'
import type { Finding } from './finding.ts'

/** A Redis of the config that does not answer, refuses its password, or whose package is not installed. */
export async function storeFindings({ cache, auth }: ResolvedConfig, projectDir: string): Promise<readonly Finding[]> {
  const { store } = cache
  if (!/^rediss?:/.test(store)) return []
  const connection = createRedisConnection({ url: store, projectDir, clock: cacheClock })
  try {
    await (await connection.client()).ping()
    return []
  } catch (error) {
    const { message, fix } = error instanceof HostError ? error : { message: `${connection.name}: ${String(error)}`, fix: [] }
    return [
      {
        about: 'cache',
        problem: message,
        cause: `nothing is kept or shared between replicas meanwhile${auth.accounts?.store === 'cache' ? ', and calls with linked accounts fail' : ''}`,
        fix: fix.length > 0 ? fix : ['Start it, or correct cache.store'],
      },
    ]
  } finally {
    connection.close()
  }
}
