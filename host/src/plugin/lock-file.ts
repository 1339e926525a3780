import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { describeError } from '../errors.ts'
import { lockedPlugin, type Lock } from '../pin/lock/lock.ts'
import { readLock } from '../pin/lock/read-lock.ts'
import type { PluginReason, PluginRecord } from './run/plugin-record.ts'
import { reasonOf } from './run/reason.ts'

/** The lock that a host runs by. */
export interface LockFile {
  readonly current: Lock | undefined
  /** What `sha256sum mcp.lock.json` prints, of the file that it was read from; undefined where there is none. */
  readonly sha256: string | undefined
  /** Why the file on disk is not used; undefined where it is, and where there is none. */
  readonly problem: PluginReason | undefined
  /**
   * Reads the file again. Gives which plugins it now says something else of, and so have to be judged again. A file that cannot be used
   * goes to the log and changes nothing.
   */
  reread(now: Deployment): Promise<(record: PluginRecord) => boolean>
}

interface Deployment {
  readonly deployment: string
  readonly frozen: boolean
}

/** Where the lock of a config is. */
export function lockPath(configDir: string): string {
  return join(configDir, 'mcp.lock.json')
}

/**
 * Reads mcp.lock.json beside the config. Frozen, a lock that is torn, foreign or newer throws `LOCK_…`; otherwise that goes to the log
 * and to `problem`, and the plugins run unpinned, as without a lock.
 */
export async function openLock({ configDir, log }: { configDir: string; log: Logger }, start: Deployment): Promise<LockFile> {
  const file = lockPath(configDir)
  let problem: PluginReason | undefined
  const refused = (error: unknown, kept: string) => {
    problem = reasonOf(error)
    log.error('lock_refused', { file, reason: describeError(error), kept })
  }
  const bytesDigest = async () => {
    const bytes = await readFile(file).catch(() => undefined)
    return bytes && createHash('sha256').update(bytes).digest('hex')
  }
  let current = await readLock(file).catch((error: unknown) => {
    if (start.frozen) throw error
    refused(error, 'none')
    return undefined
  })
  let sha256 = current && (await bytesDigest())
  return {
    get current() {
      return current
    },
    get sha256() {
      return sha256
    },
    get problem() {
      return problem
    },
    async reread({ deployment }) {
      const before = current
      try {
        current = await readLock(file)
        sha256 = current && (await bytesDigest())
        problem = undefined
      } catch (error) {
        refused(error, 'the lock before')
      }
      const after = current
      if (isDeepStrictEqual(before, after)) return () => false
      // One that was refused may have been so for the lock of a name it does not have.
      return ({ instance, state }) =>
        state === 'failed' ||
        state === 'quarantined' ||
        !isDeepStrictEqual(lockedPlugin(before, deployment, instance), lockedPlugin(after, deployment, instance))
    },
  }
}
