import type { CacheStats } from '../../cache/cache.ts'
import { count, type Paint } from './paint.ts'

/** How often the cache had what was asked for, and whether its store is down; nothing where it was not used and all is well. */
export function cacheLines({ kinds, state, store }: CacheStats, paint: Paint): readonly string[] {
  const all = Object.values(kinds)
  const misses = all.reduce((sum, { miss }) => sum + miss, 0)
  const looks = all.reduce((sum, { hit, miss, stale, joined }) => sum + hit + miss + stale + joined, 0)
  return [
    ...(looks > 0 ? [paint('gray', `  cache · ${Math.floor((1 - misses / looks) * 100)} % of ${count(looks, 'look')} hit`)] : []),
    ...(state === 'down' ? [paint('yellow', `  cache · ${store} does not answer; calls go on without it`)] : []),
  ]
}
