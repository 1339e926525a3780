import { createHash } from 'node:crypto'
import { basename, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Cache, Logger } from '@mcp-patchbay/plugin-api'
import { SecretValue } from '@mcp-patchbay/plugin-api/host'
import packageJson from '../../../package.json' with { type: 'json' }
import type { PluginEntry } from '../../config/schema/schema.ts'
import { variableName } from '../../config/plugin/variables.ts'
import { serverOf } from '../../config/schema/server/server-specifier.ts'
import type { HostMetrics } from '../../observability/metrics.ts'
import type { Capabilities } from '../../pin/capabilities.ts'
import { createMemoryWatch, memoryOf } from '../isolate/memory-watch.ts'
import { createReaper, type Reaper } from '../isolate/reaper.ts'
import type { ProcessLimits } from '../isolate/types.ts'
import type { LoadedPlugin } from '../run/load-plugin.ts'
import { addressOf, openOlder, openRemote, type Way } from './connect/remote-transport.ts'
import type { OpenedTransport, Sdk } from './connect/types.ts'
import { PipeTransport } from './process/pipe-transport.ts'
import { execCommand, npmCommand, type ServerFiles } from './process/server-command.ts'
import { startServer, type ServerCommand, type ServerProcess } from './process/server-process.ts'
import { createWaitingCalls, type WaitingCalls } from './relay/waiting-calls.ts'
import { serverPlugin, type PoolUse } from './server-plugin.ts'
import { createServerPool } from './share/server-pool.ts'
import type { Asking, KeptOffer, ServerPool } from './share/types.ts'
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
  /** Compares its files with the lock, before it is started. Rejects with `PIN_…`. */
  readonly verify: () => Promise<void>
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
  readonly metrics?: Pick<HostMetrics, 'processRestarted' | 'processes' | 'waitingCalls'>
  /** Where what servers offer is kept for the next start; undefined keeps nothing. */
  readonly records?: Cache | undefined
}

interface HeldPool {
  readonly pool: ServerPool
  readonly way: Way
  uses: number
}

const DEFAULT_MAX = 8
/** Connections to a server elsewhere, one a tenant and credential. */
const MOST_REMOTE = 256
const VERIFIED_MS = 10_000
const FIRST_RETRY_MS = 5_000
const LAST_RETRY_MS = 5 * 60_000
/** A process that callers share is worth keeping longer than that of one caller. */
const OWN_IDLE_MS = 5 * 60_000
const KEPT_MS = 30 * 24 * 3_600_000

export function createServers({ log, now, random, metrics, records }: ServersDeps): Servers {
  const resources = new DisposableStack()
  const life = new AbortController()
  const memory = resources.use(createMemoryWatch())
  const running = new Map<ServerProcess, string>()
  const pools = new Map<string, HeldPool>()
  const unreached = new Map<string, { delayMs: number; timer: NodeJS.Timeout | undefined }>()
  const waiting = new Map<string, WaitingCalls>()
  let reaper: Reaper | undefined

  function start(instance: string, command: ServerCommand, memoryMb: number): OpenedTransport {
    const own = log.child({ plugin: instance })
    reaper ??= resources.use(createReaper(log))
    const process = startServer(command, { log: own, now, reaper })
    running.set(process, instance)
    void process.exited.then(() => running.delete(process))
    memory.watch(process, memoryMb)
    const transport = new PipeTransport(process, now)
    return {
      transport,
      exited: process.exited,
      tail: () => process.tail(),
      write: (line, expectsAnswer) => transport.write(line, expectsAnswer),
    }
  }

  /** One that cannot be reached is tried again by itself, less and less often: it is not here that something has to change. */
  function reached(instance: string, isReached: boolean, retry: () => void): void {
    const before = unreached.get(instance)
    clearTimeout(before?.timer)
    unreached.delete(instance)
    if (isReached || life.signal.aborted) return
    const delayMs = Math.min((before?.delayMs ?? FIRST_RETRY_MS / 2) * 2, LAST_RETRY_MS)
    unreached.set(instance, { delayMs, timer: setTimeout(retry, delayMs).unref() })
  }

  function take(key: string, make: (way: Way) => ServerPool): PoolUse {
    const found = pools.get(key)
    // One that gave up is no use to the version that is to replace it.
    const way: Way = { http: undefined }
    const held: HeldPool = found && !found.pool.failure ? found : { pool: make(way), way, uses: 0 }
    pools.set(key, held)
    held.uses += 1
    let isReleased = false
    return {
      pool: held.pool,
      isLast: () => held.uses === 1,
      attach(http) {
        held.way.http ??= http
        return held.way.http === http
      },
      async release() {
        if (isReleased) return
        isReleased = true
        held.uses -= 1
        if (held.uses > 0) return
        if (pools.get(key) === held) pools.delete(key)
        await held.pool[Symbol.asyncDispose]()
        await held.way.http?.[Symbol.asyncDispose]()
      },
    }
  }

  metrics?.waitingCalls(() => new Map([...waiting].map(([plugin, { size }]) => [plugin, size])))
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

      const isRemote = server.kind === 'remote'
      const commandWith = (config: Readonly<Record<string, unknown>>): ServerCommand => {
        const of = { ...options, entry, config, heapMb: limits.heapMb }
        return files ? npmCommand(files, of) : execCommand(of)
      }
      return serverPlugin({
        instance,
        entry,
        waiting: waitingOf,
        digests: new Map(),
        address: isRemote ? server.url : undefined,
        onChanged: () => options.onChanged(instance),
        onReached: (isReached) => isRemote && reached(instance, isReached, () => options.onChanged(instance)),
        async take(config) {
          const place = isRemote ? addressOf(server.url, config) : commandWith(config)
          const ways = isRemote
            ? [entry.http, entry.exchange, entry.serverCredentials, ...valuesOf(instance, config, options.env)]
            : []
          const roots = entry.roots?.map((path) => rootOf(resolve(configDir, path)))
          const { version, maxProcesses } = entry
          const key = digest([
            packageJson.version,
            instance,
            entry.use,
            version,
            place,
            ways,
            share,
            roots,
            maxProcesses,
            limits.memoryMb,
          ])
          const kept = options.mayBeKept ? await records?.get<KeptOffer>(key) : undefined
          return take(key, (way) =>
            createServerPool({
              instance,
              isShared,
              isRemote,
              verify: verifiedNow(options.verify, now),
              open: (_, sdk) =>
                typeof place === 'string' ? openRemote(place, way, sdk) : start(instance, place, limits.memoryMb),
              ...(typeof place === 'string' && { openOlder: (_: Asking, sdk: Sdk) => openOlder(place, way, sdk) }),
              listingAs: isShared ? FOR_ALL : FOR_LISTING,
              roots,
              max: isShared ? (isRemote ? MOST_REMOTE : 1) : (maxProcesses ?? DEFAULT_MAX),
              idleMs: () => entry.idleMs ?? (isShared ? limits.idleMs : Math.min(limits.idleMs, OWN_IDLE_MS)),
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
      life.abort()
      for (const { timer } of unreached.values()) clearTimeout(timer)
      await Promise.all([...pools.values()].map(({ pool }) => pool[Symbol.asyncDispose]()))
      for (const process of running.keys()) process.kill('the host is closed')
      resources.dispose()
    },
  }
}

/** Several processes that start together are one look at the files. */
function verifiedNow(verify: () => Promise<void>, now: () => number): () => Promise<void> {
  let last: { readonly at: number; readonly done: Promise<void> } | undefined
  return () => {
    if (!last || now() - last.at > VERIFIED_MS) last = { at: now(), done: verify() }
    return last.done
  }
}

/** Everything that a way to a server is made of: with another secret it is another way. */
function valuesOf(
  instance: string,
  config: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string | undefined>>,
): readonly unknown[] {
  const prefix = variableName(instance, '')
  return [
    ...Object.entries(config).map(([key, value]) => [key, value instanceof SecretValue ? value.reveal() : value]),
    ...Object.entries(env).filter(([name]) => name.startsWith(prefix)),
  ]
}

function rootOf(path: string): { readonly uri: string; readonly name: string } {
  return { uri: pathToFileURL(path).href, name: basename(path) }
}

function digest(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}
