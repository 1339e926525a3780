import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

/** What a key does, in the order of the help. */
export interface Keys {
  readonly [key: string]: { readonly says: string; readonly does: () => void }
}

/**
 * Does what a person asks for by a key and Enter. Whole lines, and not single keys: the terminal stays as it is, Ctrl+C and Ctrl+Z do what
 * they always do, and whatever ends the process leaves nothing behind. Only where the terminal is this process's own: one in the background
 * is stopped by the system when it reads.
 */
export function readKeys(
  keys: Keys,
  { input = process.stdin }: { readonly input?: NodeJS.ReadStream } = {},
): Disposable | undefined {
  if (!input.isTTY || !process.stderr.isTTY || isInBackground()) return undefined
  const lines = createInterface({ input })
  lines.on('line', (line) => {
    const key = line.trim().toLowerCase()
    if (Object.hasOwn(keys, key)) keys[key]?.does()
  })
  // A terminal that is gone is told by SIGHUP.
  input.on('error', () => lines.close())
  return { [Symbol.dispose]: () => lines.close() }
}

/** `o opens the page · r reads the config again` */
export function keysLine(keys: Keys): string {
  return `${Object.entries(keys)
    .map(([key, { says }]) => `${key} ${says}`)
    .join(' · ')} (and Enter)`
}

/** Whether another process group has the terminal. Only Linux tells. */
function isInBackground(): boolean {
  try {
    // The name of the process is in parentheses, and may hold anything.
    const fields = readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1)?.split(' ') ?? []
    const [, , group, , , foreground] = fields
    return group !== foreground
  } catch {
    return false
  }
}
