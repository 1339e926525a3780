/**
 * The process that holds the database. SQLite cannot be interrupted from JavaScript: a query without end would stop the host, and a
 * worker thread that runs one cannot be terminated either (tried). A process can be killed, and SQLite rolls back what it left.
 *
 * Started as `engine.ts <file>`; answers each {@link EngineRequest} with one {@link EngineAnswer}, in order.
 */
import { constants, DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite'

export interface EngineRequest {
  readonly access: 'read' | 'write'
  readonly sql: string
  readonly parameters: readonly Cell[]
  readonly maxRows: number
}

/** A value of a row: integers beyond doubles are text, and bytes are told by their length. */
export type Cell = string | number | boolean | null

export interface Rows {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
  /** There are more rows than requested, or than fit. */
  readonly truncated: boolean
  /** Rows inserted, updated or deleted by the statement itself. */
  readonly changes: number
}

export type EngineAnswer =
  | ({ readonly ok: true } & Rows)
  | {
      readonly ok: false
      readonly message: string
      /** SQLite's primary result code; undefined where SQLite was not asked. */
      readonly sqlite: number | undefined
      /** What the statement tried and may not, in SQL's words. */
      readonly refused: string | undefined
    }

/** The size at which rows stop being collected, as JSON: about what a model can still read. */
const MAX_BYTES = 262_144
/** How long to wait for another writer. */
const BUSY_MS = 2_000

/** Nothing but white space, semicolons and comments; written so that it matches in one way only and takes linear time. */
const BLANK = /^(?:[\s;]|--[^\n]*(?:\n|$)|\/\*(?:[^*]|\*(?!\/))*\*\/)*$/

const [, , file = ''] = process.argv
const open: Partial<Record<EngineRequest['access'], DatabaseSync>> = {}
let refused: string | undefined

process.on('message', (request: EngineRequest) => process.send?.(answer(request)))
process.on('disconnect', () => process.exit())

function answer(request: EngineRequest): EngineAnswer {
  refused = undefined
  try {
    return { ok: true, ...run(request) }
  } catch (error) {
    const { message = String(error), errcode }: { message?: string; errcode?: number } = Object(error)
    return { ok: false, message, sqlite: errcode === undefined ? undefined : errcode & 0xff, refused }
  }
}

function run({ access, sql, parameters, maxRows }: EngineRequest): Rows {
  if (BLANK.test(sql)) throw new Error('There is no statement in it')
  const database = (open[access] ??= openFor(access))
  const statement = database.prepare(sql)
  // prepare compiles the first statement and drops the rest without a word.
  if (!BLANK.test(sql.slice(statement.sourceSQL.length))) throw new Error('Only one statement can be run at a time')
  const columns = statement.columns().map(({ name }) => name)
  if (access === 'read' && columns.length === 0) throw new Error('This statement gives no rows to read')

  const { total } = counters(database)
  const collected = collect(statement, parameters, maxRows)
  const after = counters(database)
  // changes() keeps its last value through a CREATE or DROP, which total_changes() tells apart.
  return { columns, ...collected, changes: after.total === total ? 0 : after.changes }
}

function collect(statement: StatementSync, parameters: readonly Cell[], maxRows: number): Pick<Rows, 'rows' | 'truncated'> {
  statement.setReadBigInts(true)
  statement.setReturnArrays(true) // two columns may have one name
  const rows: Cell[][] = []
  let bytes = 0
  for (const row of statement.iterate(...parameters.map(bound))) {
    const cells = Object.values(row).map(shown)
    bytes += JSON.stringify(cells).length
    if (rows.length === maxRows || (bytes > MAX_BYTES && rows.length > 0)) return { rows, truncated: true }
    rows.push(cells)
  }
  return { rows, truncated: false }
}

/** Two connections: the one that reads could not write even if a statement got past the authorizer. */
function openFor(access: EngineRequest['access']): DatabaseSync {
  const database = new DatabaseSync(file, {
    readOnly: access === 'read',
    timeout: BUSY_MS,
    allowExtension: false,
    defensive: true,
    limits: { attach: 0, length: 10_000_000, sqlLength: 100_000 },
  })
  database.setAuthorizer((action, first, second) => {
    const what = refusal(access, action, first, second)
    if (what === undefined) return constants.SQLITE_OK
    refused ??= what
    return constants.SQLITE_DENY
  })
  return database
}

/** PRAGMAs that only describe the schema. */
const DESCRIBING = new Set([
  'foreign_key_list',
  'index_info',
  'index_list',
  'index_xinfo',
  'table_info',
  'table_list',
  'table_xinfo',
])

const READING: ReadonlySet<number> = new Set([
  constants.SQLITE_SELECT,
  constants.SQLITE_READ,
  constants.SQLITE_FUNCTION,
  constants.SQLITE_RECURSIVE,
])

/** Attaching reaches other files, which `VACUUM INTO` does too; an open transaction would outlive its call. */
const NEVER: ReadonlyMap<number, string> = new Map([
  [constants.SQLITE_ATTACH, 'ATTACH or VACUUM'],
  [constants.SQLITE_DETACH, 'DETACH'],
  [constants.SQLITE_TRANSACTION, 'a transaction of its own'],
  [constants.SQLITE_SAVEPOINT, 'a savepoint'],
])

function refusal(
  access: EngineRequest['access'],
  action: number,
  first: string | null,
  second: string | null,
): string | undefined {
  if (action === constants.SQLITE_PRAGMA) return DESCRIBING.has(first ?? '') ? undefined : `PRAGMA ${first}`
  if (action === constants.SQLITE_FUNCTION && second === 'load_extension') return 'load_extension()'
  const never = NEVER.get(action)
  if (never !== undefined) return never
  return access === 'write' || READING.has(action) ? undefined : 'changing the database'
}

function counters(database: DatabaseSync): { total: number; changes: number } {
  const row = database.prepare('SELECT total_changes() AS total, changes() AS changes').get()
  return { total: Number(row?.['total']), changes: Number(row?.['changes']) }
}

function bound(value: Cell): SQLInputValue {
  return typeof value === 'boolean' ? Number(value) : value
}

function shown(value: SQLOutputValue): Cell {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  return value instanceof Uint8Array ? `[${value.length} bytes]` : value
}
