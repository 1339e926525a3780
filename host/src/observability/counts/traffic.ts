import { STATUS_CODES } from 'node:http'

/** What is open at one listener now. */
export interface OpenNow {
  readonly sessions: number
  readonly streams: number
  /** Calls that are not answered yet. */
  readonly calls: number
}

/** What comes in, what is refused and what goes on to services: plain numbers, which are read when /metrics is asked for. */
export interface Traffic {
  /** One answered HTTP request; without a status its client went before there was an answer. */
  readonly request: (status: number | undefined) => void
  /** One call that its caller may not make, by the rule that refused. */
  readonly denied: (kind: string, reason: string) => void
  /** One request to the service of a plugin: the status of the answer, or the code of the error that there was instead. */
  upstream(plugin: string, status: number | string): void
  /** Has `look` say what is open whenever /metrics is asked for; the result ends that. */
  readonly watchOpen: (look: () => OpenNow) => () => void
  forget(plugin: string): void
  /** Puts the numbers as they are now into the meters. */
  write(meters: TrafficMeters): void
}

/** Bounded, whatever comes: statuses have three digits, kinds, rules and codes are the host's own words. */
export function createTraffic(): Traffic {
  const requests = new Map<number | undefined, number>()
  const denials = new Map<string, Map<string, number>>()
  const upstream = new Map<string, Map<string | number, number>>()
  const looks = new Set<() => OpenNow>()
  return {
    request: (status) => countIn(requests, status),
    denied: (kind, reason) => countIn(withinOf(denials, kind), reason),
    upstream: (plugin, status) => countIn(withinOf(upstream, plugin), isOwnStatus(status) ? OTHER : status),
    watchOpen(look) {
      looks.add(look)
      return () => void looks.delete(look)
    },
    forget: (plugin) => void upstream.delete(plugin),
    write(meters) {
      meters.requests.reset()
      for (const [status, times] of requests) meters.requests.inc({ status: status ?? NO_ANSWER }, times)
      meters.denied.reset()
      for (const [kind, reasons] of denials) for (const [reason, times] of reasons) meters.denied.inc({ kind, reason }, times)
      meters.upstream.reset()
      for (const [plugin, statuses] of upstream)
        for (const [status, times] of statuses) meters.upstream.inc({ plugin, status }, times)
      const open = [...looks].map((look) => look())
      meters.sessions.set(open.reduce((sum, { sessions }) => sum + sessions, 0))
      meters.streams.set(open.reduce((sum, { streams }) => sum + streams, 0))
      meters.inFlight.set(open.reduce((sum, { calls }) => sum + calls, 0))
    },
  }
}

const NO_ANSWER = 'none'
/** A status that no standard knows: a service may have any, and each would be a series. */
const OTHER = 'other'

function isOwnStatus(status: number | string): boolean {
  return typeof status === 'number' && STATUS_CODES[status] === undefined
}

function countIn<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function withinOf<Key, Inner>(outer: Map<Key, Map<Inner, number>>, key: Key): Map<Inner, number> {
  const known = outer.get(key)
  if (known) return known
  const made = new Map<Inner, number>()
  outer.set(key, made)
  return made
}

/** What the numbers are written into. Its types are our own, since the public types of the host may name no bundled library. */
export interface TrafficMeters {
  readonly requests: LabelledCounter<'status'>
  readonly denied: LabelledCounter<'kind' | 'reason'>
  readonly upstream: LabelledCounter<'plugin' | 'status'>
  readonly sessions: LevelMeter
  readonly streams: LevelMeter
  readonly inFlight: LevelMeter
}

interface LabelledCounter<Label extends string> {
  reset(): void
  inc(labels: Readonly<Record<Label, string | number>>, times: number): void
}

interface LevelMeter {
  set(value: number): void
}
