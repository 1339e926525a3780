import type * as Prometheus from 'prom-client'
import type { TrafficMeters } from './traffic.ts'

/** The meters of what comes in, what is refused and what goes on to services. */
export function createTrafficMeters({ Counter, Gauge }: typeof Prometheus, registers: Prometheus.Registry[]): TrafficMeters {
  return {
    requests: new Counter({
      name: 'patchbay_http_requests_total',
      help: 'Answered HTTP requests of MCP clients by status; none: the client went before there was an answer',
      labelNames: ['status'],
      registers,
    }),
    denied: new Counter({
      name: 'patchbay_denied_calls_total',
      help: 'Calls that their callers may not make, by kind and by the rule that refused',
      labelNames: ['kind', 'reason'],
      registers,
    }),
    upstream: new Counter({
      name: 'patchbay_upstream_requests_total',
      help: 'Requests to services by plugin and status, or the code of the error',
      labelNames: ['plugin', 'status'],
      registers,
    }),
    sessions: new Gauge({ name: 'patchbay_sessions', help: 'Open sessions of MCP clients over HTTP', registers }),
    streams: new Gauge({ name: 'patchbay_streams', help: 'Open streams that wait for changes', registers }),
    inFlight: new Gauge({ name: 'patchbay_calls_in_flight', help: 'Calls that are not answered yet', registers }),
  }
}
