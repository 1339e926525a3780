import { hash } from 'node:crypto'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What was read of a folder by code that runs here, with the file system of Node. */
export interface Reads {
  /** The files with the digest of each, and the folders that were listed. */
  readonly files: ReadonlyMap<string, string>
  readonly folders: ReadonlySet<string>
  /** Nothing more is noted. */
  stop(): void
}

const MOST = 2_000
const MAX_BYTES = 4 * 1_048_576

/** Notes what is read below `root`, without packages, until it is stopped: what a plugin is built from is more than its modules. */
export function noteReads(root: string): Reads {
  const files = new Map<string, string>()
  const folders = new Set<string>()
  const { readFileSync, statSync } = fs
  let isNoting = true

  function below(path: unknown): string | undefined {
    const text = path instanceof URL && path.protocol === 'file:' ? fileURLToPath(path) : path
    const absolute = typeof text === 'string' ? resolve(text) : ''
    const isBelow = absolute === root || absolute.startsWith(`${root}${sep}`)
    return isBelow && !absolute.includes(`${sep}node_modules${sep}`) ? absolute : undefined
  }

  function noteFile(path: unknown): void {
    const file = below(path)
    if (file === undefined || files.has(file) || files.size >= MOST) return
    try {
      if (statSync(file).size <= MAX_BYTES) files.set(file, hash('sha256', readFileSync(file)))
    } catch {
      // who reads it hears of that
    }
  }

  function noteFolder(path: unknown): void {
    const folder = below(path)
    if (folder !== undefined && folders.size < MOST) folders.add(folder)
  }

  const wraps = [
    ...['readFileSync', 'readFile', 'createReadStream'].map((name) => wrap(fs, name, noteFile)),
    ...['readdirSync', 'readdir', 'opendirSync', 'opendir'].map((name) => wrap(fs, name, noteFolder)),
    wrap(fs.promises, 'readFile', noteFile),
    wrap(fs.promises, 'readdir', noteFolder),
    wrap(fs.promises, 'opendir', noteFolder),
  ]

  function wrap(target: object, name: string, note: (path: unknown) => void): () => void {
    const original: unknown = Reflect.get(target, name)
    if (typeof original !== 'function') return () => {}
    const noting = function (this: unknown, ...args: unknown[]): unknown {
      if (isNoting) note(args[0])
      return Reflect.apply(original, this, args)
    }
    Reflect.set(target, name, Object.assign(noting, original))
    return () => Reflect.set(target, name, original)
  }

  syncBuiltinESMExports()
  return {
    files,
    folders,
    stop() {
      if (!isNoting) return
      isNoting = false
      for (const unwrap of wraps) unwrap()
      syncBuiltinESMExports()
    },
  }
}
