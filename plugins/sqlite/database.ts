import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { ServiceError, type Logger } from '@mcp-patchbay/plugin-api'
import type { SqliteConfig } from './config.ts'
import type { Cell, EngineAnswer, EngineRequest, Rows } from './engine.ts'
import { createSample } from './sample.ts'
import { serviceError } from './sql-error.ts'

/** One database, reached through a process of its own that is started by the first statement and killed by one that takes too long. */
export class Database implements AsyncDisposable {
  readonly #file: string
  readonly #temporary: string | undefined
  readonly #config: Readonly<SqliteConfig>
  readonly #log: Logger
  #engine: ChildProcess | undefined
  /** The statement before: one runs at a time, so that its time limit is its own. */
  #turn: Promise<unknown> = Promise.resolve()

  /** `temporary` is a folder that goes with the database. */
  constructor({
    file,
    temporary,
    config,
    log,
  }: {
    file: string
    temporary?: string
    config: Readonly<SqliteConfig>
    log: Logger
  }) {
    this.#file = file
    this.#temporary = temporary
    this.#config = config
    this.#log = log
  }

  /** The rows of one statement that reads. Throws `PERMISSION_DENIED` for one that does more, `TIMEOUT`, or `INVALID_INPUT` with SQLite's words. */
  read(
    sql: string,
    parameters: readonly Cell[],
    { limit = this.#config.maxRows, signal }: { limit?: number; signal: AbortSignal },
  ): Promise<Rows> {
    return this.#queue({ access: 'read', sql, parameters, maxRows: Math.min(limit, this.#config.maxRows) }, signal)
  }

  /** Runs one statement that may write. Rows it returns are capped; what it changed is counted whole. Errors as for `read`. */
  write(sql: string, parameters: readonly Cell[], { signal }: { signal: AbortSignal }): Promise<Rows> {
    return this.#queue({ access: 'write', sql, parameters, maxRows: this.#config.maxRows }, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const engine = this.#engine
    if (engine) {
      engine.ref() // or a program with nothing else to do ends before it has cleaned up
      const exited = once(engine, 'exit')
      engine.kill('SIGKILL')
      await exited
    }
    if (this.#temporary !== undefined) await rm(this.#temporary, { recursive: true, force: true })
  }

  async #queue(request: EngineRequest, signal: AbortSignal): Promise<Rows> {
    const before = this.#turn
    const run = (async () => {
      await before.catch(() => {}) // its caller has heard of it
      signal.throwIfAborted()
      return this.#run(request, signal)
    })()
    this.#turn = run
    const answer = await run
    if (answer.ok) return answer
    throw serviceError(answer, request.access)
  }

  #run(request: EngineRequest, signal: AbortSignal): Promise<EngineAnswer> {
    const engine = (this.#engine ??= this.#start())
    const { promise, resolve, reject } = Promise.withResolvers<EngineAnswer>()
    const stop = (reason: unknown) => {
      reject(reason)
      engine.kill('SIGKILL')
      this.#engine = undefined
    }
    const { queryTimeoutMs } = this.#config
    const onTimeout = () =>
      stop(
        new ServiceError('TIMEOUT', `The statement ran longer than ${queryTimeoutMs} ms and was stopped`, {
          fix: 'Narrow it with WHERE, look at fewer tables at once, or have queryTimeoutMs raised',
        }),
      )
    const onAbort = () => stop(signal.reason)
    const onExit = () =>
      stop(new ServiceError('UPSTREAM_FAILED', 'The process that holds the database has ended', { fix: 'Try again' }))

    const timer = setTimeout(onTimeout, queryTimeoutMs)
    signal.addEventListener('abort', onAbort)
    engine.once('message', resolve).once('exit', onExit).once('error', onExit)
    engine.send(request, (error) => error && stop(error))
    return promise.finally(() => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      engine.off('message', resolve).off('exit', onExit).off('error', onExit)
    })
  }

  #start(): ChildProcess {
    const { href } = new URL(import.meta.url)
    const engine = fork(fileURLToPath(new URL(`engine${path.extname(new URL(href).pathname)}`, href)), [this.#file], {
      execArgv: ['--max-old-space-size=256'],
      env: process.env['SystemRoot'] === undefined ? {} : { SystemRoot: process.env['SystemRoot'] }, // Windows starts nothing without
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    // The database is no reason for the host to go on living.
    engine.unref()
    engine.channel?.unref()
    engine.once('exit', () => {
      if (this.#engine === engine) this.#engine = undefined
    })
    engine.on('error', (cause) => this.#log.error('sqlite_process_failed', { error: String(cause) }))
    return engine
  }
}

/** The configured database, or a sample of its own where none is configured. */
export async function openDatabase(config: Readonly<SqliteConfig>, log: Logger): Promise<Database> {
  if (config.database !== undefined) return new Database({ file: path.resolve(config.database), config, log })
  const { file, folder } = await createSample()
  log.info('sqlite_sample_created', { file })
  return new Database({ file, temporary: folder, config, log })
}
