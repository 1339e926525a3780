import { hostError } from '../../errors.ts'
import type { Admit } from '../../modules/types.ts'
import { filesByLocation, type Tree } from '../../pin/tree/tree.ts'

/** Which bytes a frozen host may run: those of the trees that were compared with the lock and are in use. */
export interface ApprovedFiles {
  /**
   * Lets the files of `tree` run until the returned function is called. Throws `MODULE_RESTART_REQUIRED` when Node holds another
   * version of one of them, which it never reads again.
   */
  approve(tree: Tree): () => void
  /** Throws `PIN_FILE` for any other file, and for other bytes of one of them. */
  readonly admit: Admit
  /** What Node loaded for plugins and keeps for good, by real path: packages outside their roots, with the digest of what it read. */
  readonly held: ReadonlyMap<string, string>
}

/** `isFrozen` is asked for each file: while it says no, every file is admitted. */
export function createApprovedFiles(isFrozen: () => boolean): ApprovedFiles {
  const approvals = new Set<ReadonlyMap<string, { readonly sha256: string }>>()
  const held = new Map<string, string>()
  return {
    held,
    approve(tree) {
      const files = filesByLocation(tree)
      for (const [file, { sha256 }] of files) {
        const running = held.get(file)
        if (running !== undefined && running !== sha256) throw hostError('MODULE_RESTART_REQUIRED', { file, changed: 'its code' })
      }
      approvals.add(files)
      return () => void approvals.delete(files)
    },
    admit({ file, digest, once }) {
      if (isFrozen()) {
        const pinned = [...approvals].flatMap((files) => files.get(file) ?? [])
        if (pinned.length === 0) throw hostError('PIN_FILE', { file, problem: 'mcp.lock.json does not cover it' })
        if (!pinned.some(({ sha256 }) => sha256 === digest))
          throw hostError('PIN_FILE', { file, problem: 'it changed after it was compared with mcp.lock.json' })
      }
      if (once) held.set(file, digest)
    },
  }
}
