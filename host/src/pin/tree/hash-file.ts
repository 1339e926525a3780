import { createHash } from 'node:crypto'
import { constants, open } from 'node:fs/promises'
import path from 'node:path'
import { HostError, hostError } from '../../errors.ts'

/** A file's content and whether its owner may execute it. */
export interface HashedFile {
  readonly executable: boolean
  /** 64 lower-case hex digits. */
  readonly sha256: string
}

const chunk = 128 * 1024
// Not through a link that has replaced the file since it was listed, and not waiting for the writer of a pipe.
const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** Hashes the regular file `relative` in `folder`, a chunk at a time. Throws `PIN_UNREADABLE`, `PIN_SPECIAL_FILE` or `PIN_SYMLINK`. */
export async function hashFile(folder: string, relative: string): Promise<HashedFile> {
  try {
    await using file = await open(path.join(folder, relative), flags)
    const stats = await file.stat()
    if (!stats.isFile()) throw hostError('PIN_SPECIAL_FILE', { folder, path: relative })
    const digest = createHash('sha256')
    const buffer = Buffer.allocUnsafe(Math.min(chunk, stats.size + 1))
    // A read that does not fill the buffer has met the end.
    for (let read = buffer.length; read === buffer.length;) {
      read = (await file.read(buffer, 0, buffer.length)).bytesRead
      digest.update(buffer.subarray(0, read))
    }
    return { executable: (stats.mode & 0o100) !== 0, sha256: digest.digest('hex') }
  } catch (error) {
    if (error instanceof HostError || !(error instanceof Error)) throw error
    const replaced = 'code' in error && error.code === 'ELOOP'
    if (replaced) throw hostError('PIN_SYMLINK', { folder, path: relative, problem: 'took the place of a file meanwhile' }, error)
    throw hostError('PIN_UNREADABLE', { folder, path: relative, problem: error.message }, error)
  }
}
