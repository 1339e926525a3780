import { entry, type Entry } from './error-definition.ts'

/** The release that the tests ran with. */
const REDIS_PACKAGE = 'redis@6.3.1'

/** The cache: all but the first two cost misses and show in the log only. */
export const cacheErrors = {
  CACHE_KEY: entry<{ problem: string }>(
    ({ problem }) => `A key of the cache ${problem}`,
    () => ['Use a short text that contains everything the value depends on'],
  ),
  CACHE_VALUE: entry<{ problem: string }>(
    ({ problem }) => `A value for the cache ${problem}`,
    () => ['Cache plain data: objects, arrays, strings, numbers, booleans and null', 'Give ttlMs as a number of milliseconds'],
  ),
  CACHE_TIMEOUT: entry<{ store: string; ms: number }>(
    ({ store, ms }) => `The cache ${store} did not answer within ${ms} ms`,
    () => ['Check the load of the store and the network to it. Calls continue without it'],
  ),
  CACHE_DOWN: entry<{ store: string }>(
    ({ store }) => `The cache ${store} failed and is not used for a moment`,
    () => ['Search the log for cache_store_failed: it has the cause'],
  ),
  CACHE_REDIS: entry<{ store: string; problem: string }>(
    ({ store, problem }) => `The cache ${store} cannot be reached: ${problem}`,
    () => ['Start Redis, or fix cache.store in the config file. The host reconnects by itself'],
  ),
  CACHE_REDIS_MISSING: entry<{ store: string }>(
    ({ store }) => `The cache ${store} needs the package redis, which is not installed`,
    () => [
      `In the folder of the config: npm install --save-exact ${REDIS_PACKAGE}`,
      'Or choose another cache.store: memory, or sqlite: and a file',
    ],
  ),
  CACHE_FILE_FOREIGN: entry<{ file: string }>(
    ({ file }) => `${file} is an SQLite database of another program and was not changed`,
    () => ['Name another file in cache.store'],
  ),
  CACHE_FILE: entry<{ file: string; problem: string }>(
    ({ file, problem }) => `The cache file ${file} cannot be used: ${problem}`,
    () => ['Make its folder writable by the user of the host and free space on the disk', 'Or name another file in cache.store'],
  ),
} satisfies Record<string, Entry<never>>
