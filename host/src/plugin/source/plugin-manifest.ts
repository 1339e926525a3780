import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isObject } from '../../data/json.ts'
import { MAX_PACKAGE_BYTES } from '../../modules/package-scope.ts'

/** The package.json of a folder; empty where there is none that can be read. */
export function readManifest(folder: string): Readonly<Record<string, unknown>> {
  const file = join(folder, 'package.json')
  try {
    const stats = statSync(file)
    if (!stats.isFile() || stats.size > MAX_PACKAGE_BYTES) return {}
    const manifest: unknown = JSON.parse(readFileSync(file, 'utf8'))
    return isObject(manifest) ? manifest : {}
  } catch {
    return {}
  }
}
