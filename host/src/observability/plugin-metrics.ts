import type * as Prometheus from 'prom-client'
import type { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { MetricLabels, Metrics } from '@mcp-patchbay/plugin-api'

/** What one plugin may put into `/metrics`: lines of it, and how long each may be. A histogram has a line for each bucket. */
export const METRIC_LIMITS = Object.freeze({ series: 1_000, names: 100, labels: 8, characters: 120 })

/** Told once a plugin, when what it counts becomes part of the series `other`. */
export type OnMetricLimit = (plugin: string, name: string) => void

/** One value of a plugin's own, bounded before it waits anywhere. */
export interface PluginRecord {
  readonly kind: keyof Metrics
  readonly name: string
  readonly value: number
  readonly labels: MetricLabels
}

/** The metrics that a plugin gets: what it says is cut to {@link METRIC_LIMITS} here, whether it comes by a call or over a channel. */
export function boundedMetrics(record: (one: PluginRecord) => void): Metrics {
  const pass = (kind: keyof Metrics, name: unknown, value: unknown, labels: unknown) => {
    try {
      record({ kind, name: shorten(name), value: Number(value), labels: shortLabels(labels) })
    } catch {
      // A label whose reading throws: a plugin's metric is never worth a failed call.
    }
  }
  return {
    count: (name, value = 1, labels = {}) => pass('count', name, value, labels),
    gauge: (name, value, labels = {}) => pass('gauge', name, value, labels),
    observe: (name, value, labels = {}) => pass('observe', name, value, labels),
  }
}

function shortLabels(labels: unknown): MetricLabels {
  if (typeof labels !== 'object' || labels === null) return {}
  const entries: [string, string][] = []
  for (const key in labels) {
    if (entries.length === METRIC_LIMITS.labels) break
    if (Object.hasOwn(labels, key)) entries.push([shorten(key), shorten(Reflect.get(labels, key))])
  }
  return Object.fromEntries(entries)
}

function shorten(value: unknown): string {
  const text =
    typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? `${value}` : typeof value
  return text.length > METRIC_LIMITS.characters ? `${text.slice(0, METRIC_LIMITS.characters - 1)}…` : text
}

type Kinds = Counter | Gauge | Histogram

/** What plugins count for themselves. */
export interface PluginMeters {
  write(plugin: string, record: PluginRecord): void
  /** Drops the series of a plugin that is gone. */
  forget(plugin: string): void
}

/**
 * A name's kind and labels are those of its first use; a later use that differs is ignored rather than an error in a call. Beyond its
 * limit a plugin's new labels are counted as `other`, and its new names not at all.
 */
export function createPluginMeters(
  { Counter, Gauge, Histogram }: typeof Prometheus,
  registry: Registry,
  onLimit: OnMetricLimit,
): PluginMeters {
  const known = new Map<string, Kinds>()
  const plugins = new Map<string, Series>()
  const makers = { count: Counter, gauge: Gauge, observe: Histogram }

  function metricOf(plugin: string, { kind, name, labels }: PluginRecord): Kinds | undefined {
    const full = `patchbay_plugin_${name.replace(/[^a-z0-9_]/g, '_')}`
    const found = known.get(full)
    if (found) return found instanceof makers[kind] ? found : undefined
    const options = {
      name: full,
      help: `Counted by plugin ${plugin}`,
      labelNames: ['plugin', ...Object.keys(labels)],
      registers: [registry],
    }
    const made: Kinds = kind === 'count' ? new Counter(options) : kind === 'gauge' ? new Gauge(options) : new Histogram(options)
    known.set(full, made)
    return made
  }

  function write(plugin: string, record: PluginRecord): void {
    const series = plugins.get(plugin) ?? { lines: 0, names: new Set(), written: new Map(), isTold: false }
    plugins.set(plugin, series)
    const tell = () => {
      if (!series.isTold) onLimit(plugin, record.name)
      series.isTold = true
    }
    if (!series.names.has(record.name) && series.names.size >= METRIC_LIMITS.names) return tell()
    series.names.add(record.name)
    const metric = metricOf(plugin, record)
    if (!metric) return
    let labels: MetricLabels = { plugin, ...record.labels }
    let key = JSON.stringify([record.name, labels])
    const lines = record.kind === 'observe' ? HISTOGRAM_LINES : 1
    if (!series.written.has(key) && series.lines + lines > METRIC_LIMITS.series) {
      tell()
      labels = { plugin, ...Object.fromEntries(Object.keys(record.labels).map((name) => [name, 'other'])) }
      key = JSON.stringify([record.name, labels])
    } else if (!series.written.has(key)) series.lines += lines
    put(metric, labels, record.value)
    series.written.set(key, { metric, labels })
  }

  return {
    write(plugin, record) {
      try {
        write(plugin, record)
      } catch {
        // prom-client throws on a label it was not told of; a plugin's metric is never worth a failed call
      }
    },
    forget(plugin) {
      for (const { metric, labels } of plugins.get(plugin)?.written.values() ?? []) metric.remove(labels)
      plugins.delete(plugin)
    },
  }

  function put(metric: Kinds, labels: MetricLabels, value: number): void {
    if (metric instanceof Counter) metric.inc(labels, value)
    else if (metric instanceof Gauge) metric.set(labels, value)
    else metric.observe(labels, value)
  }
}

interface Series {
  lines: number
  readonly names: Set<string>
  readonly written: Map<string, { readonly metric: Kinds; readonly labels: MetricLabels }>
  isTold: boolean
}

/** prom-client's eleven buckets, the one for all, sum and count. */
const HISTOGRAM_LINES = 14
