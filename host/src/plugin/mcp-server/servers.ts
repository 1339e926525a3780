import { createHash } from 'node:crypto'
import { basename, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Cache, Logger } from '@mcp-patchbay/plugin-api'
import packageJson from '../../../package.json' with { type: 'json' }
import type { PluginEntry } from '../../config/schema/schema.ts'
import { serverOf } from '../../config/schema/server/server-specifier.ts'
import type { HostMetrics } from '../../observability/metrics.ts'
import type { Capabilities } from '../../pin/capabilities.ts'
import { createMemoryWatch, memoryOf } from '../isolate/memory-watch.ts'
import { createReaper, type Reaper } from '../isolate/reaper.ts'
import type { ProcessLimits } from '../isolate/types.ts'
import type { LoadedPlugin } from '../run/load-plugin.ts'
import type { OpenedTransport } from './connect/server-connection.ts'
import { PipeTransport } from './process/pipe-transport.ts'
import { execCommand, npmCommand, type ServerFiles } from './process/server-command.ts'
import { startServer, type ServerCommand, type ServerProcess } from './process/server-process.ts'
import { createWaitingCalls, type WaitingCalls } from './relay/waiting-calls.ts'
import { serverPlugin, type PoolUse } from './server-plugin.ts'
import { createServerPool, type KeptOffer, type ServerPool } from './share/server-pool.ts'
import { FOR_ALL, FOR_LISTING, type Share } from './share/who-shares.ts'

/** Runs MCP servers of entries with `use: 'mcp:…'`. One for a host; disposing it ends what is left of them. */
export interface Servers extends AsyncDisposable {
  /** Prepares the server of an entry to be run as a plugin; it is started when it is asked for what it offers. */
  load(entry: PluginEntry, options: ServerOptions): LoadedPlugin
}

export interface ServerOptions {
  readonly instance: string
  /** Of an npm server, where it is installed. */
  readonly files: ServerFiles | undefined
  readonly version: string | undefined
  readonly capabilities: Capabilities
  readonly configDir: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly limits: ProcessLimits
  readonly timeoutMs: number
  /** Whether what an earlier start learned may stand for the server until it is called. */
  readonly mayBeKept: boolean
  readonly onChanged: (instance: string) => void
  readonly onResourceChanged: (instance: string, uri: string) => void
  readonly onFailed: () => void
}

export interface ServersDeps {
  readonly log: Logger
  readonly now: () => number
  readonly random: () => number
  readonly metrics?: Pick<HostMetrics, 'processRestarted' | 'processes'>
  /** Where what servers offer is kept for the next start; undefined keeps nothing. */
  readonly records?: Cache | undefined
}

const DEFAULT_MAX = 8
/** A process that callers share is worth keeping longer than that of one caller. */
const SHARED_IDLE_MS = 10 * 60_000
const OWN_IDLE_MS = 5 * 60_000
const KEPT_MS = 30 * 24 * 3_600_000

export function createServers({ log, now, random, metrics, records }: ServersDeps): Servers {
  const resources = new DisposableStack()
  const memory = resources.use(createMemoryWatch())
  const running = new Map<ServerProcess, string>()
  const pools = new Map<string, { readonly pool: ServerPool; uses: number }>()
  const waiting = new Map<string, WaitingCalls>()
  let reaper: Reaper | undefined

  function start(instance: string, command: ServerCommand, memoryMb: number): OpenedTransport {
    const own = log.child({ plugin: instance })
    reaper ??= resources.use(createReaper(log))
    const process = startServer(command, { log: own, now, reaper })
    running.set(process, instance)
    void process.exited.then(() => running.delete(process))
    memory.watch(process, memoryMb)
    return { transport: new PipeTransport(process, now), exited: process.exited, tail: () => process.tail() }
  }

  function take(key: string, make: () => ServerPool): PoolUse {
    const found = pools.get(key)
    // One that gave up is no use to the version that is to replace it.
    const held = found && !found.pool.failure ? found : { pool: make(), uses: 0 }
    pools.set(key, held)
    held.uses += 1
    let isReleased = false
    return {
      pool: held.pool,
      isLast: () => held.uses === 1,
      async release() {
        if (isReleased) return
        isReleased = true
        held.uses -= 1
        if (held.uses > 0) return
        if (pools.get(key) === held) pools.delete(key)
        await held.pool[Symbol.asyncDispose]()
      },
    }
  }

  metrics?.processes?.(() => [...running].map(([{ pid }, plugin]) => ({ plugin, memoryMb: memoryOf(pid) })))

  return {
    load(entry, options) {
      const { instance, files, configDir, limits } = options
      const share: Share = entry.share ?? 'all'
      const isShared = share === 'all'
      const server = serverOf(entry.use)
      if (server === undefined || (server.kind === 'npm' && !files)) throw new Error(`${instance} is not an MCP server`)
      const waitingOf = waiting.get(instance) ?? createWaitingCalls(instance)
      waiting.set(instance, waitingOf)

      const commandWith = (config: Readonly<Record<string, unknown>>): ServerCommand => {
        const of = { ...options, entry, config, heapMb: limits.heapMb }
        return files ? npmCommand(files, of) : execCommand(of)
      }
      return serverPlugin({
        instance,
        entry,
        waiting: waitingOf,
        digests: new Map(),
        async take(config) {
          const command = commandWith(config)
          const roots = entry.roots?.map((path) => rootOf(resolve(configDir, path)))
          const { version, maxProcesses } = entry
          const key = digest([
            packageJson.version,
            instance,
            entry.use,
            version,
            command,
            share,
            roots,
            maxProcesses,
            limits.memoryMb,
          ])
          const kept = options.mayBeKept ? await records?.get<KeptOffer>(key) : undefined
          return take(key, () =>
            createServerPool({
              instance,
              isShared,
              isRemote: false,
              open: () => start(instance, command, limits.memoryMb),
              listingAs: isShared ? FOR_ALL : FOR_LISTING,
              roots,
              max: isShared ? 1 : (maxProcesses ?? DEFAULT_MAX),
              idleMs: () => (isShared ? SHARED_IDLE_MS : OWN_IDLE_MS),
              timeoutMs: options.timeoutMs,
              log: log.child({ plugin: instance }),
              now,
              random,
              kept,
              onKnown: (next) => void records?.set(key, next, { ttlMs: KEPT_MS }),
              onChanged: () => options.onChanged(instance),
              onResourceChanged: (uri) => options.onResourceChanged(instance, uri),
              onRestarted: () => metrics?.processRestarted(instance),
              onFailed: options.onFailed,
            }),
          )
        },
      })
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...pools.values()].map(({ pool }) => pool[Symbol.asyncDispose]()))
      for (const process of running.keys()) process.kill('the host is closed')
      resources.dispose()
    },
  }
}

function rootOf(path: string): { readonly uri: string; readonly name: string } {
  return { uri: pathToFileURL(path).href, name: basename(path) }
}

function digest(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}
