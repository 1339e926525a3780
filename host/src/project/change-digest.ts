import { lockEntry } from '../pin/verdict/approve.ts'
import { digestJson, type Digest } from '../pin/digest.ts'
import type { InspectedPlugin } from './inspect.ts'

/**
 * Names what an approval of this plugin would write. Who read a difference says it back: what changed after that is not approved. It is of
 * the whole plugin, also where one tool is approved.
 */
export function changeDigest({ name, install, observed }: Pick<InspectedPlugin, 'name' | 'install' | 'observed'>): Digest {
  return digestJson({ name, ...lockEntry(install, observed) })
}
