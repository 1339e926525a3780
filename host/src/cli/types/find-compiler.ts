import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { isObject } from '../../data/json.ts'

/** The TypeScript of a project. */
export interface Compiler {
  /** Of `tsc`. */
  readonly script: string
  /** Where it may keep what it knows between two runs: no version control sees it there. */
  readonly cacheDir: string
}

/** What the project has installed; undefined where it has none. */
export function findCompiler(configDir: string): Compiler | undefined {
  try {
    const manifest = createRequire(join(configDir, 'package.json')).resolve('typescript/package.json')
    const { bin }: { bin?: unknown } = JSON.parse(readFileSync(manifest, 'utf8')) as object
    const script = isObject(bin) ? bin['tsc'] : undefined
    if (typeof script !== 'string') return undefined
    const folder = dirname(manifest)
    return { script: join(folder, script), cacheDir: join(dirname(folder), '.cache', 'patchbay') }
  } catch {
    return undefined
  }
}
