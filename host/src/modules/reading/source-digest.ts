import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** The digest of a file in which nothing is: editors, and `>` of a shell, empty one before they write it. */
export const EMPTY_FILE = hash('sha256', '')

/** The digest of what the file holds now; empty when it cannot be read. */
export function digestOf(file: string): string {
  try {
    return hash('sha256', readFileSync(file))
  } catch {
    return ''
  }
}

/**
 * Whether the file holds something else than it did, or is gone. False while the machine cannot open it, for want of descriptors for
 * example: what it holds is not known then, and whoever builds it again for that would build it again and again.
 */
export function isAnother(file: string, digest: string): boolean {
  try {
    return hash('sha256', readFileSync(file)) !== digest
  } catch (error) {
    return digest !== '' && !(error instanceof Error && 'code' in error && MACHINE.has(error.code))
  }
}

const MACHINE: ReadonlySet<unknown> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EIO', 'EAGAIN'])
