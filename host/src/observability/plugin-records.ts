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
