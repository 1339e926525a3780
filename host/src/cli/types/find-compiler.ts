import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { isObject } from '../../data/json.ts'

/** The script of `tsc` that a project has installed; undefined where it has none. */
export function findCompiler(configDir: string): string | undefined {
  try {
    const manifest = createRequire(join(configDir, 'package.json')).resolve('typescript/package.json')
    const { bin }: { bin?: unknown } = JSON.parse(readFileSync(manifest, 'utf8')) as object
    const script = isObject(bin) ? bin['tsc'] : undefined
    return typeof script === 'string' ? join(dirname(manifest), script) : undefined
  } catch {
    return undefined
  }
}
