import { unwatchFile, watchFile, type StatsListener } from 'node:fs'

/** Looks at some files again and again. */
export interface FilePoll extends Disposable {
  /** The files from now on, by absolute path. They need not exist. */
  follow(files: Iterable<string>): void
}

/**
 * Tells of files that may hold something else, at most `intervalMs` later. For mounted secrets: what is mounted is a link through a
 * link that is pointed elsewhere, often on a file system without events, and nothing that watches the file itself hears of it.
 */
export function pollFiles(onChange: (file: string) => void, intervalMs = 1_000): FilePoll {
  const followed = new Map<string, StatsListener>()
  const drop = (file: string, listener: StatsListener): void => {
    unwatchFile(file, listener)
    followed.delete(file)
  }
  return {
    follow(files) {
      const wanted = new Set(files)
      for (const [file, listener] of followed) if (!wanted.has(file)) drop(file, listener)
      for (const file of wanted) {
        if (followed.has(file)) continue
        const listener = (): void => onChange(file)
        followed.set(file, listener)
        watchFile(file, { interval: intervalMs, persistent: false }, listener)
      }
    },
    [Symbol.dispose]: () => followed.forEach((listener, file) => drop(file, listener)),
  }
}
