import { ServiceError } from '@mcp-patchbay/plugin-api'
import type { EngineAnswer, EngineRequest } from './engine.ts'

/** The error a caller gets for a statement that failed: SQLite's message, and what to do about it. */
export function serviceError(
  { message, sqlite, refused }: Extract<EngineAnswer, { ok: false }>,
  access: EngineRequest['access'],
): ServiceError {
  if (refused !== undefined || sqlite === READONLY)
    return new ServiceError('PERMISSION_DENIED', `Not allowed here: ${refused ?? 'changing the database'}`, {
      fix:
        access === 'read' ? 'Only SELECT, VALUES, WITH and EXPLAIN are read; use statement_execute for changes' : 'Leave it out',
    })
  if (sqlite !== undefined && UNAVAILABLE.has(sqlite))
    return new ServiceError('UPSTREAM_FAILED', `The database cannot be used: ${message}`, { fix: UNAVAILABLE.get(sqlite) ?? '' })
  return new ServiceError('INVALID_INPUT', message, { fix: fixFor(message) })
}

const READONLY = 8

/** Result codes that are no fault of the statement. */
const UNAVAILABLE: ReadonlyMap<number, string> = new Map([
  [5, 'Another connection is writing: try again in a moment'],
  [6, 'Another connection is writing: try again in a moment'],
  [7, 'Ask for less at once'],
  [10, 'Look at the disk and the permissions of the file'],
  [11, 'Restore the file from a backup, or run .recover in the sqlite3 shell'],
  [13, 'Make room on the disk'],
  [14, "Check the plugin's `database` setting: the file must exist, and its folder must be readable"],
  [26, "Check the plugin's `database` setting: the file is not a SQLite database"],
])

function fixFor(message: string): string {
  if (message.startsWith('no such table')) return 'Call tables_list for the tables there are'
  if (message.startsWith('no such column')) return 'Call tables_describe for the columns of a table'
  if (message.startsWith('Only one statement')) return 'Send each statement in a call of its own'
  if (message.includes('constraint failed')) return 'Call tables_describe for what the table asks of its rows'
  return 'Correct the statement; this is SQLite, not another dialect'
}
