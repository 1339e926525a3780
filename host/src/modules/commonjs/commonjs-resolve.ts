import Module from 'node:module'
import { dirname, resolve } from 'node:path'
import { isBuiltin } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Evaluation } from '../evaluation.ts'
import { existingFile, isLocal, type Placement } from '../placement.ts'

export interface RequireResolverOptions {
  /** The requiring file. */
  readonly from: string
  readonly native: NodeJS.Require
  readonly evaluation: Evaluation
  readonly placement: Placement
}

/** `require.resolve` for a file of the graph: the host's copy of what it shares, else what Node finds now rather than found before. */
export function requireResolver({ from, native, evaluation, placement }: RequireResolverOptions): RequireResolver {
  return (id, options) => {
    const shared = placement.sharedUrl(id)
    if (shared) return fileURLToPath(shared)
    if (options || isBuiltin(id)) return native.resolve(id, options)
    const path = isLocal(id) ? resolve(dirname(from), id) : undefined
    const file = path && existingFile(path, evaluation)
    if (file) return file
    if (path) evaluation.miss(path)
    else placement.check(id, from, evaluation)
    const found = native.resolve(id)
    return existingFile(found, evaluation) ?? existingFile(native.resolve(forgetPath(found, id)), evaluation) ?? found
  }
}

export type RequireResolver = (id: string, options?: NodeJS.RequireResolveOptions) => string

/** Drops a path that Node remembers but that is gone: `./x` may have been x.js and be x/index.js now. */
function forgetPath(path: string, id: string): string {
  const remembered: Record<string, string> | undefined = Reflect.get(Module, '_pathCache')
  for (const [key, found] of Object.entries(remembered ?? {})) if (found === path) delete remembered?.[key]
  return id
}
