import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { MetricLabels, Metrics } from '@mcp-patchbay/plugin-api'

/** What the host measures, and the text of `/metrics`. Names follow OpenTelemetry's MCP conventions, in Prometheus form. */
export interface HostMetrics {
  /** One finished tools/call. `outcome` is `ok`, `error`, `timeout`, `cancelled` or `refused`. */
  call(labels: { plugin: string; tool: string; outcome: string }, ms: number): void
  reload(labels: { plugin: string; outcome: 'published' | 'failed' }, ms: number): void
  generation(generation: number, tools: number): void
  pluginState(plugin: string, state: string): void
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

const DURATION_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
const STATES = ['loading', 'active', 'unconfigured', 'quarantined', 'failed', 'draining']

export function createMetrics(): HostMetrics {
  const registers = [new Registry()]
  const [registry] = registers as [Registry]
  const calls = new Histogram({
    name: 'mcp_server_operation_duration_seconds',
    help: 'Duration of tools/call by plugin, tool and outcome',
    labelNames: ['plugin', 'tool', 'outcome'],
    buckets: DURATION_SECONDS,
    registers,
  })
  const reloads = new Histogram({
    name: 'patchbay_reload_duration_seconds',
    help: 'From the settled change to the published generation',
    labelNames: ['plugin', 'outcome'],
    buckets: DURATION_SECONDS,
    registers,
  })
  const generation = new Gauge({ name: 'patchbay_generation', help: 'The generation that is served', registers })
  const tools = new Gauge({ name: 'patchbay_tools', help: 'Tools in the current generation, hidden ones included', registers })
  const states = new Gauge({
    name: 'patchbay_plugin_state',
    help: '1 for the state the plugin is in',
    labelNames: ['plugin', 'state'],
    registers,
  })
  const cacheLooks = new Counter({
    name: 'patchbay_cache_lookups_total',
    help: 'Looks into the cache by kind of entry and outcome: hit, miss, stale, joined',
    labelNames: ['kind', 'outcome'],
    registers,
  })
  const cacheUp = new Gauge({
    name: 'patchbay_cache_store_up',
    help: '1 while the store of the cache answers, 0 while it is left alone',
    registers,
  })
  const own = new Map<string, Counter | Gauge | Histogram>()

  return {
    call: (labels, ms) => calls.observe(labels, ms / 1000),
    reload: (labels, ms) => reloads.observe(labels, ms / 1000),
    generation(number, count) {
      generation.set(number)
      tools.set(count)
    },
    pluginState(plugin, state) {
      for (const name of STATES) states.set({ plugin, state: name }, name === state ? 1 : 0)
    },
    cache: (kind, outcome) => cacheLooks.inc({ kind, outcome }),
    cacheState: (state) => cacheUp.set(state === 'up' ? 1 : 0),
    forPlugin: (plugin) => pluginMetrics(plugin, own, registry),
    forget(plugin) {
      for (const name of STATES) states.remove({ plugin, state: name })
    },
    render: () => registry.metrics(),
  }
}

/** A name's kind and labels are those of its first use; a later use that differs is ignored rather than an error in a call. */
function pluginMetrics(plugin: string, own: Map<string, Counter | Gauge | Histogram>, registry: Registry): Metrics {
  const metric = <Kind extends Counter | Gauge | Histogram>(
    make: new (options: { name: string; help: string; labelNames: string[]; registers: Registry[] }) => Kind,
    name: string,
    labels: MetricLabels,
  ): Kind | undefined => {
    const full = `patchbay_plugin_${name.replace(/[^a-z0-9_]/g, '_')}`
    let found = own.get(full)
    if (!found) {
      found = new make({
        name: full,
        help: `Counted by plugin ${plugin}`,
        labelNames: ['plugin', ...Object.keys(labels)],
        registers: [registry],
      })
      own.set(full, found)
    }
    return found instanceof make ? found : undefined
  }
  const safely = (record: () => void) => {
    try {
      record()
    } catch {
      // prom-client throws on a label it was not told of; a plugin's metric is never worth a failed call
    }
  }
  return {
    count: (name, value = 1, labels = {}) => safely(() => metric(Counter, name, labels)?.inc({ plugin, ...labels }, value)),
    gauge: (name, value, labels = {}) => safely(() => metric(Gauge, name, labels)?.set({ plugin, ...labels }, value)),
    observe: (name, value, labels = {}) => safely(() => metric(Histogram, name, labels)?.observe({ plugin, ...labels }, value)),
  }
}
