import { chmodSync, closeSync, constants, mkdirSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { hostError } from '../../errors.ts'

/** `PbC1`: says that the file is a cache of ours, which may be emptied, and not another program's database. */
const APPLICATION_ID = 0x50624331
const SCHEMA_VERSION = 1
const PAGE_BYTES = 4_096
/** For another process that writes; below the deadline of a cache call, since waiting blocks this process. */
const BUSY_MS = 50
const FOLDER_MODE = 0o700
const FILE_MODE = 0o600

/**
 * Opens the file of a cache, for this user only, and makes it and its folder where they are missing. A file that is damaged is moved
 * aside. Throws `CACHE_FILE` and, for another program's database, `CACHE_FILE_FOREIGN`.
 */
export function openCacheFile(file: string, { log, maxBytes }: { log: Logger; maxBytes: number }): DatabaseSync {
  try {
    createPrivately(file)
    return openDatabase(file, maxBytes)
  } catch (error) {
    if (!isDamaged(error)) throw asFileError(file, error)
  }
  try {
    moveAside(file, log)
    createPrivately(file)
    return openDatabase(file, maxBytes)
  } catch (error) {
    throw asFileError(file, error)
  }
}

/** Renames a damaged file, so that a person can look at it; the cache starts empty. */
export function moveAside(file: string, log: Logger): void {
  const aside = `${file}.damaged`
  renameSync(file, aside)
  // The log of a file that is gone would be applied to the next one.
  for (const suffix of ['-wal', '-shm']) rmSync(file + suffix, { force: true })
  log.error('cache_file_damaged', { file, movedTo: aside })
}

/** Whether what the file holds is wrong, as against a file that cannot be read or written now. */
export function isDamaged(error: unknown): boolean {
  const code = sqliteCode(error)
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB
}

/** Whether the file may not grow any more, be it by our bound or by the disk's. */
export function isFull(error: unknown): boolean {
  return sqliteCode(error) === SQLITE_FULL
}

/** The error for a person, with the cause in it. */
export function asFileError(file: string, error: unknown): Error {
  if (error instanceof Error && 'fix' in error) return error
  return hostError('CACHE_FILE', { file, problem: error instanceof Error ? error.message : String(error) }, error)
}

const SQLITE_CORRUPT = 11
const SQLITE_FULL = 13
const SQLITE_NOTADB = 26

/** Without the part that only details it. */
function sqliteCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : undefined
}

function createPrivately(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: FOLDER_MODE })
  closeSync(openSync(file, constants.O_RDWR | constants.O_CREAT, FILE_MODE))
}

function openDatabase(file: string, maxBytes: number): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: BUSY_MS })
  try {
    const id = pragma(database, 'application_id')
    if (id !== APPLICATION_ID && (id !== 0 || !isEmpty(database))) throw hostError('CACHE_FILE_FOREIGN', { file })
    // Before the log files are made, to which SQLite gives the mode of the database.
    chmodSync(file, FILE_MODE)
    database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      PRAGMA trusted_schema = OFF;
      PRAGMA journal_size_limit = 8388608;
      PRAGMA max_page_count = ${Math.floor(maxBytes / PAGE_BYTES)};
    `)
    if (pragma(database, 'user_version') !== SCHEMA_VERSION || id !== APPLICATION_ID)
      database.exec(`
        BEGIN IMMEDIATE;
        DROP TABLE IF EXISTS entries;
        CREATE TABLE entries (key TEXT NOT NULL PRIMARY KEY, expires INTEGER NOT NULL, value TEXT NOT NULL) STRICT;
        CREATE INDEX entries_by_expiry ON entries (expires);
        PRAGMA application_id = ${APPLICATION_ID};
        PRAGMA user_version = ${SCHEMA_VERSION};
        COMMIT;
      `)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function isEmpty(database: DatabaseSync): boolean {
  return database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined
}

function pragma(database: DatabaseSync, name: string): unknown {
  return database.prepare(`PRAGMA ${name}`).get()?.[name]
}
