/** What one plugin's requests may take; times in milliseconds, sizes in bytes. */
export interface NetworkLimits {
  /** Until the connection stands, TLS included. */
  readonly connectMs: number
  /** From the moment a request is dispatched until its headers are here. */
  readonly headersMs: number
  /** From the headers until the last byte: a body that drips does not count as progress. */
  readonly bodyMs: number
  /** How long the service may take none of a large request. */
  readonly writeMs: number
  /** Connections to one origin. */
  readonly connections: number
  /** How many connections stay open when idle. */
  readonly idleConnections: number
  readonly keepAliveMs: number
  /** Of a body, as it comes and unpacked. */
  readonly responseBytes: number
  /** Requests of the plugin that are on their way at once, and how many more may wait. */
  readonly inFlight: number
  readonly queued: number
  readonly retries: number
  /** A longer `Retry-After` is not waited for but told. */
  readonly retryAfterMs: number
  /** So many failures in a row, and the service is left alone for so long. */
  readonly breakerFailures: number
  readonly breakerMs: number
}

export const DEFAULT_LIMITS: NetworkLimits = Object.freeze({
  connectMs: 5_000,
  headersMs: 30_000,
  bodyMs: 60_000,
  writeMs: 10_000,
  connections: 100,
  idleConnections: 20,
  keepAliveMs: 20_000,
  responseBytes: 10_485_760,
  inFlight: 100,
  queued: 1_000,
  retries: 2,
  retryAfterMs: 30_000,
  breakerFailures: 5,
  breakerMs: 30_000,
})
