import type * as Prometheus from 'prom-client'
import type { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { MetricLabels } from '@mcp-patchbay/plugin-api'
import { METRIC_LIMITS, type OnMetricLimit, type PluginRecord } from './plugin-records.ts'

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
