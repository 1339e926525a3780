import { readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Whether the bundle in `folder` is made of what stands here now: no file it was made of, named from `base`, has another time or size. */
export function isCurrent(folder, base) {
  try {
    /** @type {[file: string, mtimeMs: number, size: number][]} */
    const madeOf = JSON.parse(readFileSync(new URL('made-of.json', folder), 'utf8'))
    const folderOf = fileURLToPath(base)
    return madeOf.every(([file, mtimeMs, size]) => {
      const found = statSync(folderOf + file, { throwIfNoEntry: false })
      return found?.mtimeMs === mtimeMs && found.size === size
    })
  } catch {
    return false // none was made, or not to its end
  }
}
