import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { fault } from '../../observability/faults.ts'
import { asFileError, isDamaged, isFull, moveAside, openCacheFile } from './sqlite-file.ts'
import type { CacheStore, StoreContents } from './store.ts'

export interface SqliteStoreOptions {
  readonly file: string
  /** The file grows to about this; then what expires soonest goes. */
  readonly maxBytes: number
  readonly log: Logger
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** Writes between two removals of what has expired. */
const SWEEP_EVERY = 1_000
/** How much of the entries goes at once when the file is full. */
const EVICTED_SHARE = 0.1
const NEVER = Number.MAX_SAFE_INTEGER

/**
 * Keeps entries in one file, which several processes may share. The file is opened with the first call and, when that fails, tried
 * again with the next; a damaged one is moved aside, and an empty one takes its place.
 */
export function createSqliteStore({ file: name, maxBytes, log, now }: SqliteStoreOptions): CacheStore {
  const file = resolve(name)
  let open: OpenFile | undefined
  let writes = 0

  /** Runs `work` on the open file. The call that finds it damaged fails; the next one starts with an empty file. */
  async function on<Result>(work: (file: OpenFile) => Result): Promise<Result> {
    try {
      open ??= prepare(openCacheFile(file, { log, maxBytes }))
      return work(open)
    } catch (error) {
      if (isDamaged(error)) discard()
      throw asFileError(file, error)
    }
  }

  function discard(): void {
    closeFile()
    try {
      moveAside(file, log)
    } catch (error) {
      throw asFileError(file, error)
    }
  }

  function closeFile(): void {
    open?.database.close()
    open = undefined
  }

  function write(to: OpenFile, key: string, value: unknown, expires = NEVER): boolean {
    writes += 1
    if (writes % SWEEP_EVERY === 0) to.sweep.run(now())
    const put = () => to.put.run(key, Math.min(expires, NEVER), String(value))
    try {
      put()
    } catch (error) {
      if (!isFull(error)) throw error
      to.sweep.run(now())
      to.evict.run(EVICTED_SHARE)
      put()
    }
    return true
  }

  const read = ({ get }: OpenFile, key: string) => get.get(key, now())?.['value'] ?? undefined
  const remove = ({ remove: statement }: OpenFile, key: string) => statement.run(key).changes === 1
  return {
    name: `sqlite:${file}`,
    holds: 'text',
    adapter: {
      capabilities: { expires: true },
      get: (key) => on((from) => read(from, key)),
      getMany: (keys) => on((from) => keys.map((key) => read(from, key))),
      async set(key, value, expires) {
        await fault('cache.write')
        return on((to) => write(to, key, value, expires))
      },
      setMany: (entries) => on((to) => entries.map(({ key, value, expires }) => write(to, key, value, expires))),
      delete: (key) => on((from) => remove(from, key)),
      deleteMany: (keys) => on((from) => keys.map((key) => remove(from, key))),
      has: (key) => on((from) => read(from, key) !== undefined),
      clear: () => on(({ database }) => database.exec('DELETE FROM entries')),
    },
    async inspect() {
      // Who only looks makes no file.
      if (!open && !existsSync(file)) return { entries: 0, bytes: 0, kinds: {} }
      return on(({ database }) => contents(database))
    },
    async close() {
      closeFile()
    },
  }
}

interface OpenFile {
  readonly database: DatabaseSync
  readonly get: StatementSync
  readonly put: StatementSync
  readonly remove: StatementSync
  readonly sweep: StatementSync
  readonly evict: StatementSync
}

function prepare(database: DatabaseSync): OpenFile {
  return {
    database,
    get: database.prepare('SELECT value FROM entries WHERE key = ? AND expires > ?'),
    put: database.prepare('INSERT OR REPLACE INTO entries (key, expires, value) VALUES (?, ?, ?)'),
    remove: database.prepare('DELETE FROM entries WHERE key = ?'),
    sweep: database.prepare('DELETE FROM entries WHERE expires <= ?'),
    evict: database.prepare(`
      DELETE FROM entries WHERE rowid IN
        (SELECT rowid FROM entries ORDER BY expires LIMIT max(1, (SELECT CAST(count(*) * ? AS INTEGER) FROM entries)))
    `),
  }
}

function contents(database: DatabaseSync): StoreContents {
  const rows = database
    .prepare("SELECT substr(key, 1, instr(key, ':') - 1) AS kind, count(*) AS entries FROM entries GROUP BY 1")
    .all()
  const kinds = Object.fromEntries(rows.map(({ kind, entries }) => [String(kind), Number(entries)]))
  const pages = database.prepare('PRAGMA page_count').get()?.['page_count']
  const size = database.prepare('PRAGMA page_size').get()?.['page_size']
  return {
    entries: Object.values(kinds).reduce((sum, count) => sum + count, 0),
    bytes: Number(pages) * Number(size),
    kinds,
  }
}
