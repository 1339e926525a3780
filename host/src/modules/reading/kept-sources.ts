import { readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { Evaluation } from '../evaluation.ts'
import { digestOf } from './source-digest.ts'

/** More than this is not kept: lazy imports of a version that was replaced then read what is there. */
const MOST = { files: 500, bytes: 8 * 1_048_576 }
const CODE = new Set(['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs', '.json'])

/**
 * Keeps what the files of a version hold that it has not imported yet, if it may: a call that began before an edit imports the file as its
 * own version had it, not as the next one has it.
 */
export async function keepSources(evaluation: Evaluation): Promise<void> {
  if (!evaluation.importsLater || evaluation.root === undefined) return
  let bytes = 0
  try {
    const found = await readdir(evaluation.root, { recursive: true, withFileTypes: true })
    for (const entry of found) {
      const file = join(entry.parentPath, entry.name)
      if (!entry.isFile() || !CODE.has(extname(file)) || evaluation.digests.has(file) || !evaluation.covers(file)) continue
      const content = await readFile(file)
      bytes += content.length
      if (evaluation.kept.size >= MOST.files || bytes > MOST.bytes) return
      evaluation.kept.set(file, content)
    }
  } catch {
    // What goes while it is read is not kept.
  }
}

/** The bytes of a file for an evaluation: what it kept, once another of its files is not what it was. */
export function readSourceFile(file: string, evaluation: Evaluation): Buffer {
  const kept = evaluation.kept.get(file)
  if (!kept) return readFileSync(file)
  let now: Buffer | undefined
  try {
    now = readFileSync(file)
  } catch {
    return kept
  }
  return now.equals(kept) || !isOutdated(evaluation) ? now : kept
}

/** Whether a file that was already read has changed. If so, files that are read lazily belong to the next version. */
function isOutdated({ digests }: Evaluation): boolean {
  return [...digests].some(([file, digest]) => digest !== '' && digestOf(file) !== digest)
}
