import { readFileSync, statSync } from 'node:fs'

/** What a file holds, or why it gives nothing. */
export type TextFile = { readonly text: string } | { readonly problem: string; readonly missing?: true }

/** Reads a UTF-8 file of at most 1 MiB, whole. A pipe or a device could wait forever, and is refused. */
export function readTextFile(path: string): TextFile {
  try {
    const stats = statSync(path)
    if (!stats.isFile()) return { problem: stats.isDirectory() ? 'it is a folder' : 'it is a pipe or a device, not a file' }
    if (stats.size > MAX_BYTES) return { problem: `it has ${stats.size} bytes, more than the ${MAX_BYTES} it may have` }
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path)) }
  } catch (error) {
    return explain(error)
  }
}

const MAX_BYTES = 1_048_576

function explain(error: unknown): TextFile {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT' || code === 'ENOTDIR') return { problem: 'there is no such file', missing: true }
  if (code === 'EACCES' || code === 'EPERM') return { problem: 'the user who runs the host may not read it' }
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return { problem: 'it is not UTF-8 text' }
  return { problem: error instanceof Error ? error.message : String(error) }
}
