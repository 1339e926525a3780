/** Structured log of one plugin: a stable event name, then fields. Lines carry the plugin, tenant and call by themselves. */
export interface Logger {
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
  child(fields: LogFields): Logger
}

export type LogFields = Readonly<Record<string, unknown>>

/** Counts what is the plugin's own; the host times every call already. Names are `snake_case`; the host adds plugin and tool. */
export interface Metrics {
  /** Adds to a counter; `value` defaults to 1 and is never negative. */
  count(name: string, value?: number, labels?: MetricLabels): void
  /** Sets a gauge. */
  gauge(name: string, value: number, labels?: MetricLabels): void
  /** Records one observation of a histogram, in the unit the name ends in (`_ms`, `_bytes`). */
  observe(name: string, value: number, labels?: MetricLabels): void
}

export type MetricLabels = Readonly<Record<string, string>>
