import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { requestOf } from './wire.ts'

export type ServerName = 'raw' | 'raw-piped' | 'mcp-v1' | 'mcp-v2' | 'alone' | 'bare-relay' | 'patchbay' | 'patchbay-isolated'
/** Those of most comparisons. */
export const SERVERS: readonly ServerName[] = ['raw', 'mcp-v2', 'patchbay']

export interface Setting {
  /** Tools besides echo. */
  readonly fillers?: number
  /** Over how many plugins they are spread; the others have none. */
  readonly plugins?: number
  /** Where Patchbay keeps what it knows of its plugins, for the next start. Default: nowhere. */
  readonly cache?: string
  /** In place of the config of these comparisons. */
  readonly config?: string
  readonly env?: Readonly<Record<string, string>>
  /** An API key, of a host that asks for one. */
  readonly key?: string
}

/** How a tool is called here: only Patchbay puts the service's name before it. */
export const echoOf = (name: ServerName): string => (isPatchbay(name) ? 'bench_echo' : 'echo')

const isPatchbay = (name: ServerName) => name === 'patchbay' || name === 'patchbay-isolated'

export interface Command {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

export function commandOf(name: ServerName, { fillers = 10, plugins = 1, cache, config, env }: Setting, port?: number): Command {
  const folder = join(import.meta.dirname, '../servers')
  const stdio = port === undefined
  const argv = isPatchbay(name)
    ? [
        join(folder, '../../host/bin/patchbay.mjs'),
        'start',
        '--config',
        config ?? join(folder, 'patchbay/mcp.config.ts'),
        // That config reads its ports from the environment.
        ...(config && !stdio ? ['--port', String(port), '--management-port', '0'] : []),
        ...(stdio ? ['--transport', 'stdio'] : []),
      ]
    : [join(folder, `${name}.ts`)]
  return {
    argv: [...pinned(SERVER_CORE), process.execPath, ...argv],
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? tmpdir(),
      FILLERS: String(fillers),
      PLUGINS: String(plugins),
      ...(name === 'patchbay-isolated' && { ISOLATION: 'process' }),
      ...(cache && { CACHE: cache }),
      ...(stdio ? { TRANSPORT: 'stdio' } : { PORT: String(port) }),
      ...env,
    },
  }
}

/** A server on a core of its own, over HTTP. */
export class Server implements AsyncDisposable {
  readonly name: ServerName
  readonly port: number
  readonly #child: ChildProcess
  readonly #startedAt = performance.now()
  /** From the spawn to the first good `tools/list`. */
  readyMs = Number.NaN

  private constructor(name: ServerName, port: number, { argv, env }: Command) {
    this.name = name
    this.port = port
    this.#child = spawn(argv[0] ?? '', argv.slice(1), { env, stdio: 'ignore' })
  }

  static async start(name: ServerName, setting: Setting = {}): Promise<Server> {
    const port = await freePort()
    const server = new Server(name, port, commandOf(name, setting, port))
    await server.#ready(setting.key)
    return server
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get address(): { readonly port: number; readonly pid: number } {
    return { port: this.port, pid: this.pid }
  }

  get rssMb(): number {
    return rssMb(this.pid)
  }

  /** Ends it as an operator does: what it keeps for the next start is kept. */
  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    await exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit')
  }

  async #ready(key: string | undefined): Promise<void> {
    // The SDK's v1 knows no list without a session, and is only asked whether it is there.
    const list = this.name === 'mcp-v1' ? undefined : requestOf({ method: 'tools/list', params: {} })
    for (;;) {
      if (this.#child.exitCode !== null) throw new Error(`${this.name} ended with ${this.#child.exitCode}`)
      const url = `http://127.0.0.1:${this.port}/mcp`
      const answer = await fetch(
        url,
        list && { method: 'POST', body: list.body, headers: { ...list.headers, ...(key && { authorization: `Bearer ${key}` }) } },
      ).catch(() => undefined)
      if (answer && (!list || (answer.ok && (await answer.text()).includes('"tools":[{')))) break
      await new Promise((resolve) => setTimeout(resolve, 3))
    }
    this.readyMs = performance.now() - this.#startedAt
  }
}

export const SERVER_CORE = '0'
export const LOAD_CORE = '1'

const hasTaskset = spawnSync('taskset', ['-c', LOAD_CORE, 'true']).status === 0

/** Server and load on separate cores, where the system can. */
export function pinned(core: string): readonly string[] {
  return hasTaskset ? ['taskset', '-c', core] : []
}

/** Memory that a process holds. */
export function rssMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1024
}

/** CPU time that a process and its children have used, in microseconds. */
export function cpuUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const own = (Number(fields[11]) + Number(fields[12])) * 10_000
  return childrenOf(pid).reduce((sum, child) => sum + cpuUs(child), own)
}

/** CPU time that a process has used on all its threads, without its children, in ms. */
export function cpuMs(pid: number): number {
  const used = readdirSync(`/proc/${pid}/task`).map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1'))
  return used.reduce((sum, text) => sum + Number(text.split(' ', 1)[0]) / 1e6, 0)
}

export function childrenOf(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim()
  return children === '' ? [] : children.split(' ').map(Number)
}

/** A port that nothing has yet. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address ? address.port : 0
}
