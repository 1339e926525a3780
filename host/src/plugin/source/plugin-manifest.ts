import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isObject } from '../../data/json.ts'

/** The package.json of a folder; empty where there is none that can be read. */
export function readManifest(folder: string): Readonly<Record<string, unknown>> {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    return isObject(manifest) ? manifest : {}
  } catch {
    return {}
  }
}
