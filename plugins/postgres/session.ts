import { ServiceError } from '@mcp-patchbay/plugin-api'
import type { FieldDef, PoolClient, QueryArrayResult } from 'pg'
import { cell, type Cell } from './cells.ts'
import { CURSOR, type Guarded } from './guard.ts'
import { isConnectionError } from './server-error.ts'

export interface Rows {
  readonly columns: readonly { readonly name: string; readonly type: number }[]
  readonly rows: readonly (readonly Cell[])[]
  /** There are more than were asked for, or more than fits. */
  readonly truncated: boolean
  /** Rows inserted, updated or deleted by the statement itself. */
  readonly changes: number
}

/** The size at which rows stop being collected, as JSON: about what a model can still read. */
const MAX_BYTES = 262_144
/** What one statement may send before its connection is cut, in bytes: a value arrives whole, and may have a gigabyte. */
const MAX_RECEIVED = 16_777_216
/** How long after the server's own time limit the connection is cut. */
const GRACE_MS = 1_000

/** What is known of a connection for as long as it is open. */
export interface Connection {
  readonly backend: Backend
  /** Bytes of the statement that runs now. */
  received: number
  /** Called when they are too many. */
  onFlood: () => void
  used: boolean
}

/** A process of the server, told apart from a later one with its number. */
export interface Backend {
  readonly pid: number
  readonly since: string
}

/** Counts what comes over a connection, from now on. */
export function watchConnection(client: PoolClient, backend: Backend): Connection {
  const connection: Connection = { backend, received: 0, onFlood: () => {}, used: false }
  client.connection.stream.on('data', (chunk: Uint8Array) => {
    connection.received += chunk.length
    if (connection.received > MAX_RECEIVED) connection.onFlood()
  })
  return connection
}

export interface SessionOptions {
  readonly access: 'read' | 'write'
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** Ends what the server still does for a connection that was cut. */
  readonly cancel: (backend: Backend) => void
}

/** One transaction on one connection, within a time limit. */
export class Session {
  readonly #client: PoolClient
  readonly #connection: Connection
  readonly #options: SessionOptions
  readonly #timer: NodeJS.Timeout
  /** Why the connection was cut. */
  #cut: { readonly reason: unknown } | undefined
  #isCommitting = false

  constructor(client: PoolClient, connection: Connection, options: SessionOptions) {
    this.#client = client
    this.#connection = connection
    this.#options = options
    const { timeoutMs, signal } = options
    connection.received = 0
    connection.onFlood = () => this.#stop(tooLarge())
    this.#timer = setTimeout(() => this.#stop(tooSlow(timeoutMs)), timeoutMs + GRACE_MS)
    signal.addEventListener('abort', this.#onAbort)
  }

  /** Begins the transaction. A query in it gives a snapshot, after which no transaction becomes read-write. */
  async begin(): Promise<void> {
    const { access, timeoutMs } = this.#options
    await this.#run(() =>
      this.#client.query(
        [
          access === 'read' ? 'BEGIN TRANSACTION READ ONLY' : 'BEGIN',
          `SET LOCAL statement_timeout = ${timeoutMs}`,
          `SET LOCAL idle_in_transaction_session_timeout = ${timeoutMs + 10 * GRACE_MS}`,
          'SET LOCAL standard_conforming_strings = on',
          "SET LOCAL DateStyle = 'ISO, YMD'",
          "SET LOCAL IntervalStyle = 'postgres'",
          "SET LOCAL bytea_output = 'hex'",
          'SET LOCAL extra_float_digits = 1',
          'SELECT 1',
        ].join('; '),
      ),
    )
    this.#connection.used = true
  }

  /** The rows of a statement that {@link guardRead} let through. */
  async read({ text, isCursor, isQuery }: Guarded, parameters: readonly Cell[], maxRows: number): Promise<Rows> {
    if (isQuery !== undefined) await this.#query(isQuery, parameters)
    const first = await this.#query(text, parameters)
    const rows = new Collected(maxRows)
    if (!isCursor) return rows.with(first)
    for (let size = Math.min(FIRST_ROWS, maxRows + 1); ; size = rows.nextSize()) {
      const batch = await this.#query(`FETCH FORWARD ${size} FROM ${CURSOR}`, [])
      rows.add(batch)
      if (rows.isFull || batch.rows.length < size) return rows.rows(0)
    }
  }

  /** Runs a statement that {@link guardWrite} let through, and commits it. */
  async write({ text }: Guarded, parameters: readonly Cell[], maxRows: number): Promise<Rows> {
    const result = await this.#query(text, parameters)
    this.#isCommitting = true
    await this.#run(() => this.#client.query('COMMIT'))
    this.#isCommitting = false
    return new Collected(maxRows).with(result)
  }

  /** Returns the connection as if it had not been used: no transaction, lock, setting, cursor or temporary table is left. */
  async end(): Promise<void> {
    try {
      if (this.#cut === undefined) {
        this.#connection.received = 0
        if (this.#client.getTransactionStatus() !== 'I') await this.#client.query('ROLLBACK')
        await this.#client.query('DISCARD ALL')
      }
      this.#client.release(this.#cut !== undefined)
    } catch {
      this.#client.release(true) // what it is in is not known
    } finally {
      clearTimeout(this.#timer)
      this.#options.signal.removeEventListener('abort', this.#onAbort)
      this.#connection.onFlood = () => {}
    }
  }

  /** By the extended protocol, which takes one statement and no more. */
  #query(text: string, values: readonly Cell[]): Promise<Answer> {
    const query = { text, values: [...values], rowMode: 'array' as const, queryMode: 'extended' }
    return this.#run(() => this.#client.query<(string | null)[]>(query))
  }

  async #run<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      if (this.#cut) throw this.#cut.reason
      return await work()
    } catch (error) {
      if (this.#isCommitting && (this.#cut !== undefined || isConnectionError(error))) throw inDoubt(error)
      throw this.#cut ? this.#cut.reason : error
    }
  }

  readonly #onAbort = () => this.#stop(this.#options.signal.reason)

  #stop(reason: unknown): void {
    if (this.#cut) return
    this.#cut = { reason }
    this.#client.connection.stream.destroy()
    this.#options.cancel(this.#connection.backend)
  }
}

/** Rows of the first FETCH: wide ones must fit into what a statement may send. */
const FIRST_ROWS = 20
const MOST_ROWS = 1_000

type Answer = QueryArrayResult<(string | null)[]>

/** Rows as they come in, up to a number and a size. */
class Collected {
  readonly #maxRows: number
  readonly #rows: (readonly Cell[])[] = []
  #fields: readonly FieldDef[] = []
  #bytes = 0
  isFull = false

  constructor(maxRows: number) {
    this.#maxRows = maxRows
  }

  add({ fields, rows }: Pick<Answer, 'fields' | 'rows'>): void {
    this.#fields = fields
    for (const row of rows) {
      const cells = row.map((text, index) => cell(text, fields[index]?.dataTypeID ?? 0))
      this.#bytes += Buffer.byteLength(JSON.stringify(cells))
      this.isFull = this.#rows.length === this.#maxRows || (this.#bytes > MAX_BYTES && this.#rows.length > 0)
      if (this.isFull) return
      this.#rows.push(cells)
    }
  }

  /** How many rows are fetched next: about as many as fit. */
  nextSize(): number {
    const each = Math.max(1, this.#bytes / this.#rows.length)
    return Math.max(
      1,
      Math.min(MOST_ROWS, this.#maxRows - this.#rows.length + 1, Math.ceil((MAX_BYTES - this.#bytes) / each) + 1),
    )
  }

  rows(changes: number): Rows {
    return {
      columns: this.#fields.map(({ name, dataTypeID }) => ({ name, type: dataTypeID })),
      rows: this.#rows,
      truncated: this.isFull,
      changes,
    }
  }

  /** All of one answer. */
  with(answer: Answer): Rows {
    this.add(answer)
    return this.rows(CHANGING.has(answer.command) ? (answer.rowCount ?? 0) : 0)
  }
}

const CHANGING: ReadonlySet<string> = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE'])

function tooSlow(timeoutMs: number): ServiceError {
  return new ServiceError('TIMEOUT', `The statement ran longer than ${timeoutMs} ms and was stopped`, {
    fix: 'Narrow it with WHERE, read fewer tables at once, or have queryTimeoutMs raised',
  })
}

function tooLarge(): ServiceError {
  return new ServiceError('INVALID_INPUT', 'The statement gives more than 16 MB at once and was stopped', {
    fix: 'Select fewer columns, or cut large values: left(text, 1000). Leave out RETURNING where rows are large',
  })
}

function inDoubt(cause: unknown): ServiceError {
  return new ServiceError(
    'UPSTREAM_FAILED',
    'The connection to the database was lost while the change was committed: it may or may not have been made',
    { fix: 'Read the rows before you send it again', cause },
  )
}

/** `57014` is the server's word for its own time limit and for a cancelled statement alike. */
export function timedOut(error: unknown, timeoutMs: number): unknown {
  const { code }: { code?: unknown } = Object(error)
  return code === '57014' || code === '25P03' ? tooSlow(timeoutMs) : error
}
