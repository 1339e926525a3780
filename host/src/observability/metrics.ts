import type * as Prometheus from 'prom-client'
import type { Metrics } from '@mcp-patchbay/plugin-api'
import { createProcessMeters, createProcessUse } from './counts/process-use.ts'
import { createTrafficMeters } from './counts/traffic-meters.ts'
import { createTraffic, type Traffic } from './counts/traffic.ts'
import { createPluginMeters } from './plugin-metrics.ts'
import { boundedMetrics, type OnMetricLimit } from './plugin-records.ts'
import { PLUGIN_STATES, type PluginState } from './plugin-states.ts'

/** What the host measures, and the text of `/metrics`. Names follow OpenTelemetry's MCP conventions, in Prometheus form. */
export interface HostMetrics extends Pick<Traffic, 'request' | 'denied' | 'watchOpen'>, Disposable {
  /** One finished tools/call. `outcome` is `ok`, `error`, `timeout`, `cancelled`, `refused` or `limited`. */
  call(labels: { plugin: string; tool: string; outcome: string }, ms: number): void
  /** One request to the service of a plugin: the status of the answer, or the code of the error that there was instead. */
  upstream(plugin: string, status: number | string, ms: number): void
  reload(labels: { plugin: string; outcome: 'published' | 'failed' }, ms: number): void
  generation(generation: number, tools: number): void
  pluginState(plugin: string, state: PluginState): void
  /** Reads prom-client before there is a reason to. Never rejects: the next use reads it again. */
  prepare(): Promise<void>
  /** A plugin in its own process was started again after that process had died. */
  processRestarted(plugin: string): void
  /** Has `look` say what the processes of plugins are whenever /metrics is asked for; '' is the name of one without a plugin in it yet. */
  processes(look: () => readonly PluginProcessUse[]): void
  /** Calls `look` at each scrape: it gives how many calls of MCP servers wait for an answer of their callers, by plugin. */
  waitingCalls(look: () => ReadonlyMap<string, number>): void
  /** One look into the cache. `outcome` is `hit`, `miss`, `stale` or `joined`. */
  cache(kind: string, outcome: string): void
  /** Whether the store of the cache answers. */
  cacheState(state: 'up' | 'down'): void
  /** What one plugin counts for itself: `patchbay_plugin_<name>` with its label. */
  forPlugin(plugin: string): Metrics
  /** Drops the series of a plugin that is gone. */
  forget(plugin: string): void
  /** Prometheus text exposition format. */
  render(): Promise<string>
}

/** A process of a plugin, and the memory it holds where that can be known. */
export interface PluginProcessUse {
  readonly plugin: string
  readonly memoryMb: number | undefined
}

const DURATION_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** How many records may wait before prom-client is loaded. A request for /metrics loads it too. */
const MAX_WAITING = 500
/** How many records are kept when prom-client cannot be loaded; later ones are lost. */
const MAX_KEPT = 50_000

export interface MetricsOptions {
  /** How many lines the log dropped so far. Default: a log that is not ours, of which that is not known. */
  readonly logLinesDropped?: (() => number) | undefined
  /** Told once a plugin. Default: it is not told. */
  readonly onLimit?: OnMetricLimit
}

export function createMetrics({ logLinesDropped, onLimit = () => {} }: MetricsOptions = {}): HostMetrics {
  const waiting: ((meters: Meters) => void)[] = []
  let meters: Meters | undefined
  let opening: Promise<Meters> | undefined
  const looks: (() => readonly PluginProcessUse[])[] = []
  const waits: (() => ReadonlyMap<string, number>)[] = []
  const traffic = createTraffic()
  const use = createProcessUse()

  async function open(): Promise<Meters> {
    try {
      const made = createMeters(await import('prom-client'), onLimit)
      for (const write of waiting.splice(0)) write(made)
      return (meters = made)
    } finally {
      opening = undefined
    }
  }
  function record(write: (meters: Meters) => void): void {
    if (meters) return write(meters)
    if (waiting.length < MAX_KEPT) waiting.push(write)
    if (waiting.length <= MAX_WAITING || opening) return
    opening = open()
    // No file may be opened just now, say: what is recorded waits, and the next record tries again.
    opening.catch(() => {})
  }

  return {
    async prepare() {
      if (!meters) await (opening ??= open()).catch(() => {})
    },
    call(labels, ms) {
      if (meters) meters.calls.observe(labels, ms / 1000)
      else record(({ calls }) => calls.observe(labels, ms / 1000))
    },
    request: traffic.request,
    denied: traffic.denied,
    watchOpen: traffic.watchOpen,
    upstream(plugin, status, ms) {
      traffic.upstream(plugin, status)
      record(({ upstreamTimes }) => upstreamTimes.observe({ plugin }, ms / 1000))
    },
    reload: (labels, ms) => record(({ reloads }) => reloads.observe(labels, ms / 1000)),
    generation(number, count) {
      record(({ generation, tools }) => {
        generation.set(number)
        tools.set(count)
      })
    },
    pluginState(plugin, state) {
      record(({ states }) => {
        for (const name of PLUGIN_STATES) states.set({ plugin, state: name }, name === state ? 1 : 0)
      })
    },
    processRestarted: (plugin) => record(({ restarts }) => restarts.inc({ plugin })),
    processes: (how) => void looks.push(how),
    waitingCalls: (how) => void waits.push(how),
    cache: (kind, outcome) => record(({ cacheLooks }) => cacheLooks.inc({ kind, outcome })),
    cacheState: (state) => record(({ cacheUp }) => cacheUp.set(state === 'up' ? 1 : 0)),
    forPlugin: (plugin) => boundedMetrics((one) => record(({ own }) => own.write(plugin, one))),
    forget(plugin) {
      traffic.forget(plugin)
      record(({ states, restarts, upstreamTimes, own }) => {
        upstreamTimes.remove({ plugin })
        for (const name of PLUGIN_STATES) states.remove({ plugin, state: name })
        restarts.remove({ plugin })
        own.forget(plugin)
      })
    },
    async render() {
      const opened = meters ?? (await (opening ??= open()))
      const { registry, logDropped, processes, memory, waiting } = opened
      traffic.write(opened.traffic)
      await use.write(opened.process)
      if (logLinesDropped) {
        logDropped.reset()
        logDropped.inc(logLinesDropped())
      }
      processes.reset()
      memory.reset()
      for (const { plugin, memoryMb } of looks.flatMap((look) => look())) {
        processes.inc({ plugin })
        if (memoryMb !== undefined) memory.inc({ plugin }, memoryMb * 1_048_576)
      }
      waiting.reset()
      for (const [plugin, count] of waits.flatMap((look) => [...look()])) waiting.inc({ plugin }, count)
      return registry.metrics()
    },
    [Symbol.dispose]: () => use[Symbol.dispose](),
  }
}

type Meters = ReturnType<typeof createMeters>

function createMeters(prometheus: typeof Prometheus, onLimit: OnMetricLimit) {
  const { Counter, Gauge, Histogram, Registry } = prometheus
  const registry = new Registry()
  const registers = [registry]
  return {
    registry,
    calls: new Histogram({
      name: 'mcp_server_operation_duration_seconds',
      help: 'Duration of tools/call by plugin, tool and outcome',
      labelNames: ['plugin', 'tool', 'outcome'],
      buckets: DURATION_SECONDS,
      registers,
    }),
    upstreamTimes: new Histogram({
      name: 'patchbay_upstream_request_duration_seconds',
      help: 'Duration of requests to services by plugin',
      labelNames: ['plugin'],
      buckets: DURATION_SECONDS,
      registers,
    }),
    reloads: new Histogram({
      name: 'patchbay_reload_duration_seconds',
      help: 'From the settled change to the published generation',
      labelNames: ['plugin', 'outcome'],
      buckets: DURATION_SECONDS,
      registers,
    }),
    generation: new Gauge({ name: 'patchbay_generation', help: 'The generation that is served', registers }),
    tools: new Gauge({ name: 'patchbay_tools', help: 'Tools in the current generation, hidden ones included', registers }),
    states: new Gauge({
      name: 'patchbay_plugin_state',
      help: '1 for the state the plugin is in',
      labelNames: ['plugin', 'state'],
      registers,
    }),
    restarts: new Counter({
      name: 'patchbay_plugin_process_restarts_total',
      help: 'Starts of a plugin in its own process after that process had died',
      labelNames: ['plugin'],
      registers,
    }),
    processes: new Gauge({
      name: 'patchbay_plugin_processes',
      help: 'Processes by the plugin in them; without a name, those that are loading or kept ready',
      labelNames: ['plugin'],
      registers,
    }),
    memory: new Gauge({
      name: 'patchbay_plugin_process_resident_memory_bytes',
      help: 'Memory that the processes of a plugin hold, on Linux',
      labelNames: ['plugin'],
      registers,
    }),
    waiting: new Gauge({
      name: 'patchbay_server_calls_waiting',
      help: 'Calls of an MCP server that wait until their caller has answered a question',
      labelNames: ['plugin'],
      registers,
    }),
    cacheLooks: new Counter({
      name: 'patchbay_cache_lookups_total',
      help: 'Looks into the cache by kind of entry and outcome: hit, miss, stale, joined',
      labelNames: ['kind', 'outcome'],
      registers,
    }),
    logDropped: new Counter({
      name: 'patchbay_log_lines_dropped_total',
      help: 'Lines of the log that were dropped because nothing read them or the disk was full',
      registers,
    }),
    cacheUp: new Gauge({
      name: 'patchbay_cache_store_up',
      help: '1 while the store of the cache answers, 0 while it is left alone',
      registers,
    }),
    traffic: createTrafficMeters(prometheus, registers),
    process: createProcessMeters(prometheus, registers),
    own: createPluginMeters(prometheus, registry, onLimit),
  }
}
