import { createRequire } from 'node:module'
import type * as Undici from 'undici'

/** undici, read when the first plugin sends its first request: it is 110 files, and most starts list tools first. */
export function undici(): typeof Undici {
  return (loaded ??= createRequire(import.meta.url)('undici') as typeof Undici)
}

let loaded: typeof Undici | undefined
