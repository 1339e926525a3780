import { statSync } from 'node:fs'
import { Evaluation } from './evaluation.ts'
import type { Evaluations } from './evaluations.ts'

/**
 * Packages in the node_modules of a plugin. Like any package they are Node's: imported once, kept between the versions of the plugin, with
 * call sites that say their files. Node never reads a file again, so once one of them is another on disk, versions get an evaluation of
 * those packages that is ours, until a file changes again.
 */
export interface OwnPackages {
  /** What `user` takes its packages from; undefined when that is Node. */
  of(user: Evaluation): Evaluation | undefined
  /** Notes a file that Node read for versions of that root, and what was in it. */
  read(root: string, file: string, digest: string): void
}

export function createOwnPackages(evaluations: Evaluations): OwnPackages {
  /** What Node holds, by root, as if it were an evaluation. */
  const held = new Map<string, { readonly native: Evaluation; readonly stamps: Map<string, string> }>()

  function heldOf(root: string) {
    let found = held.get(root)
    if (!found) {
      const native = new Evaluation({ id: 0, graph: 'node', entry: root, root, packagesOnly: true })
      held.set(root, (found = { native, stamps: new Map() }))
    }
    return found
  }

  return {
    of(user) {
      const { root = '' } = user
      const key = `${root}node_modules`
      const { native, stamps } = heldOf(root)
      let chosen = user.uses.get(key)
      if (!chosen) {
        const isCurrent = [...stamps].every(([file, stamp]) => stampOf(file) === stamp)
        chosen = isCurrent ? native : evaluations.sharePackages(key, root)
        user.uses.set(key, chosen)
      }
      return chosen === native ? undefined : chosen
    },
    read(root, file, digest) {
      const { native, stamps } = heldOf(root)
      native.files.add(file)
      native.digests.set(file, digest)
      stamps.set(file, stampOf(file))
    },
  }
}

/** Tells another file, and another content of it, without reading it: a plugin may have thousands. */
function stampOf(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false })
  return found ? `${found.ino} ${found.size} ${found.mtimeMs}` : ''
}
