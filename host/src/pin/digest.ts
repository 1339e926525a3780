import { hash } from 'node:crypto'
import { canonicalJson } from '../data/canonical-json.ts'

/**
 * `sha256-` and 64 lower-case hex digits. Hex, not base64: it can be checked with `sha256sum`, and stays distinct as a file name
 * where the file system ignores case.
 */
export type Digest = `sha256-${string}`

/** What {@link Digest} looks like, as a JSON Schema pattern. */
export const digestPattern = '^sha256-[0-9a-f]{64}$'

/** The digest of a JSON value, whatever the order of its keys. Throws `PIN_NOT_JSON`. */
export function digestJson(value: unknown): Digest {
  return `sha256-${hash('sha256', canonicalJson(value))}`
}
