import { ServiceError, type Logger } from '@mcp-patchbay/plugin-api'
import pg, { type ClientBase, type ClientConfig, type Pool, type PoolClient } from 'pg'
import { connectionOptions, readAddress } from './address.ts'
import type { Cell } from './cells.ts'
import type { PostgresConfig } from './config.ts'
import { guardRead, guardWrite, type Guarded } from './guard.ts'
import { PRIVILEGES, privilegedRole } from './role.ts'
import { connectError, isConnectionError, serviceError } from './server-error.ts'
import { Session, timedOut, watchConnection, type Backend, type Connection, type Rows } from './session.ts'

/** One database as one role: a pool of connections of its own, opened when they are needed and closed when idle. */
export class Database implements AsyncDisposable {
  readonly #pool: Pool
  readonly #options: ClientConfig
  readonly #config: Readonly<PostgresConfig>
  readonly #log: Logger
  readonly #connections = new WeakMap<ClientBase, Connection>()

  constructor(options: ClientConfig, config: Readonly<PostgresConfig>, log: Logger) {
    this.#config = config
    this.#log = log
    this.#options = { ...options, types: { getTypeParser: () => (text: string) => text } }
    this.#pool = new pg.Pool({
      ...this.#options,
      max: config.maxConnections,
      idleTimeoutMillis: IDLE_MS,
      allowExitOnIdle: true, // the database does not keep the host alive
      verify: (client, done) => void this.#admit(client).then(() => done(), done),
    })
    // Without a listener the end of an idle connection would end the host; the pool replaces it.
    this.#pool.on('error', (error) => log.debug('postgres_connection_ended', { error: error.message }))
    this.#pool.on('connect', (client) => client.on('error', () => {}))
  }

  /**
   * The rows of one statement that reads. Throws a `ServiceError`: `PERMISSION_DENIED` for one that does more, `TIMEOUT`, `INVALID_INPUT`.
   */
  read(
    sql: string,
    parameters: readonly Cell[],
    { limit = this.#config.maxRows, signal }: { limit?: number; signal: AbortSignal },
  ): Promise<Rows> {
    const guarded = guardRead(sql)
    return this.#inSession('read', signal, (session) => session.read(guarded, parameters, Math.min(limit, this.#config.maxRows)))
  }

  /**
   * Runs one statement that may write, and commits it. Rows it returns are capped; what it changed is counted whole. Errors as for `read`.
   */
  write(sql: string, parameters: readonly Cell[], { signal }: { signal: AbortSignal }): Promise<Rows> {
    const guarded: Guarded = guardWrite(sql)
    return this.#inSession('write', signal, (session) => session.write(guarded, parameters, this.#config.maxRows))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end()
  }

  async #inSession(access: 'read' | 'write', signal: AbortSignal, work: (session: Session) => Promise<Rows>): Promise<Rows> {
    const session = await this.#begin(access, signal)
    try {
      return await work(session)
    } catch (error) {
      if (signal.aborted) throw signal.reason
      throw serviceError(timedOut(error, this.#config.queryTimeoutMs), access)
    } finally {
      await session.end()
    }
  }

  /** A transaction on a connection that works: one that the server ended while it was idle is given up for the next. */
  async #begin(access: 'read' | 'write', signal: AbortSignal): Promise<Session> {
    for (;;) {
      const client = await this.#connect(signal)
      const connection = this.#connections.get(client)
      if (!connection) throw new Error('A connection of the pool was not admitted')
      const { used } = connection
      const cancel = (backend: Backend) => void this.#cancel(backend)
      const session = new Session(client, connection, { access, timeoutMs: this.#config.queryTimeoutMs, signal, cancel })
      try {
        await session.begin()
        return session
      } catch (error) {
        await session.end()
        if (signal.aborted) throw signal.reason
        if (!used || !isConnectionError(error)) throw isConnectionError(error) ? connectError(error) : serviceError(error, access)
      }
    }
  }

  async #connect(signal: AbortSignal): Promise<PoolClient> {
    signal.throwIfAborted()
    const connecting = this.#pool.connect()
    const aborted = Promise.withResolvers<never>()
    const onAbort = () => aborted.reject(signal.reason)
    signal.addEventListener('abort', onAbort)
    try {
      return await Promise.race([connecting, aborted.promise])
    } catch (error) {
      if (signal.aborted) {
        connecting.then((client) => client.release()).catch(() => {}) // its caller no longer waits
        throw signal.reason
      }
      throw error instanceof Error && error.message.startsWith('timeout exceeded') ? this.#busy() : connectError(error)
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  #busy(): ServiceError {
    return new ServiceError('RATE_LIMITED', `All ${this.#config.maxConnections} connections to the database are in use`, {
      fix: 'Try again in a moment, or have maxConnections raised',
    })
  }

  /** Looks at a new connection before it is used: whose it is, and what that role can do. */
  async #admit(client: PoolClient): Promise<void> {
    const { rows } = await client.query<{ pid: string; since: string }>(BACKEND)
    const [backend] = rows
    if (!backend) throw new Error('The server does not say which process serves the connection')
    if (!this.#config.allowPrivilegedRole) {
      const rights = await client.query<string[]>({ text: PRIVILEGES, rowMode: 'array' })
      if (rights.rows.length > 0) throw privilegedRole(rights.rows.flat())
    }
    this.#connections.set(client, watchConnection(client, { pid: Number(backend.pid), since: backend.since }))
  }

  /** The server runs a statement to its end, or to its time limit, though its connection is gone; this ends it now. */
  async #cancel({ pid, since }: Backend): Promise<void> {
    const client = new pg.Client(this.#options)
    client.on('error', () => {})
    try {
      await client.connect()
      await client.query(CANCEL, [pid, since])
    } catch (error) {
      this.#log.debug('postgres_cancel_failed', { error: error instanceof Error ? error.message : String(error) })
    } finally {
      await client.end().catch(() => {})
    }
  }
}

/** The database of a config. Throws a `ServiceError` for a connection string or a certificate file that cannot be used. */
export function openDatabase(config: Readonly<PostgresConfig>, log: Logger): Database {
  return new Database(connectionOptions(readAddress(revealed(config)), config.caFile), config, log)
}

function revealed({ connectionString }: Readonly<PostgresConfig>): string {
  try {
    return connectionString?.reveal() ?? ''
  } catch (cause) {
    throw new ServiceError('PERMISSION_DENIED', 'The plugin was not granted its connectionString', {
      fix: "Grant it in the entry of the plugin in the config file: isolation: 'inline', capabilities: { credentials: 'raw' }",
      cause,
    })
  }
}

const IDLE_MS = 30_000

const BACKEND =
  'SELECT pid, backend_start::text AS since FROM pg_catalog.pg_stat_activity WHERE pid = pg_catalog.pg_backend_pid()'
const CANCEL =
  'SELECT pg_catalog.pg_cancel_backend(pid) FROM pg_catalog.pg_stat_activity WHERE pid = $1 AND backend_start::text = $2'
