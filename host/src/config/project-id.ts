import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'

/**
 * Names the project of this config file without saying where it is: 16 digits of the SHA-256 of the file's real path. The same for every
 * way to the file on one machine; elsewhere it means nothing.
 */
export function projectId(file: string): string {
  return createHash('sha256').update(realPath(file)).digest('hex').slice(0, 16)
}

function realPath(file: string): string {
  try {
    return realpathSync(file)
  } catch {
    return file
  }
}
