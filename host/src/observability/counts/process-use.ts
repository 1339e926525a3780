import { readdir, readFile } from 'node:fs/promises'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import type * as Prometheus from 'prom-client'

/** What the host's own process holds and how well its event loop turns. */
export interface ProcessUse extends Disposable {
  /** Puts it into the meters. The delay of the event loop is of the time since the last time; it is measured from the first time on. */
  write(meters: ProcessMeters): Promise<void>
}

export function createProcessUse(): ProcessUse {
  let delay: ReturnType<typeof monitorEventLoopDelay> | undefined
  return {
    async write(meters) {
      if (!delay) {
        delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
        delay.enable()
      }
      const [open, most] = await Promise.all([openDescriptors(), mostDescriptors()])
      if (open !== undefined) meters.openFds.set(open)
      if (most !== undefined) meters.maxFds.set(most)
      // Nothing was measured yet: the mean is no number.
      meters.lagMean.set(delay.count === 0 ? 0 : secondsOf(delay.mean))
      meters.lagP99.set(delay.count === 0 ? 0 : secondsOf(delay.percentile(99)))
      meters.lagMax.set(delay.count === 0 ? 0 : secondsOf(delay.max))
      delay.reset()
      const { rss, heapUsed, external } = process.memoryUsage()
      meters.resident.set(rss)
      meters.heapUsed.set(heapUsed)
      meters.heapLimit.set(getHeapStatistics().heap_size_limit)
      meters.external.set(external)
      const { user, system } = process.cpuUsage()
      meters.cpu.reset()
      meters.cpu.inc((user + system) / 1_000_000)
      meters.started.set(Math.round(Date.now() / 1_000 - process.uptime()))
    },
    [Symbol.dispose]() {
      delay?.disable()
    },
  }
}

/** A timer fires so often; what it is late is the delay. */
const RESOLUTION_MS = 20

/** In seconds, without the time that the timer waits anyway. */
function secondsOf(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1e3)
}

/** On Linux; undefined elsewhere. */
async function openDescriptors(): Promise<number | undefined> {
  // The one that reads the folder is not counted.
  return readdir('/proc/self/fd').then(
    (found) => found.length - 1,
    () => undefined,
  )
}

async function mostDescriptors(): Promise<number | undefined> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '')
  const [, most] = /^Max open files\s+(\d+)/m.exec(limits) ?? []
  return most === undefined ? undefined : Number(most)
}

export type ProcessMeters = ReturnType<typeof createProcessMeters>

/** With the names that Prometheus' own libraries give them: dashboards for Node know them. */
export function createProcessMeters({ Counter, Gauge }: typeof Prometheus, registers: Prometheus.Registry[]) {
  return {
    cpu: new Counter({ name: 'process_cpu_seconds_total', help: 'Processor time of the host', registers }),
    started: new Gauge({ name: 'process_start_time_seconds', help: 'When the host started, since 1970', registers }),
    resident: new Gauge({ name: 'process_resident_memory_bytes', help: 'Memory that the host holds', registers }),
    openFds: new Gauge({ name: 'process_open_fds', help: 'Open file descriptors, on Linux', registers }),
    maxFds: new Gauge({ name: 'process_max_fds', help: 'File descriptors that may be open, on Linux', registers }),
    heapUsed: new Gauge({ name: 'nodejs_heap_size_used_bytes', help: 'Heap in use', registers }),
    heapLimit: new Gauge({ name: 'nodejs_heap_size_limit_bytes', help: 'Heap at which the host ends', registers }),
    external: new Gauge({ name: 'nodejs_external_memory_bytes', help: 'Memory of buffers outside the heap', registers }),
    lagMean: new Gauge({
      name: 'nodejs_eventloop_lag_mean_seconds',
      help: 'Delay of the event loop since the last scrape, mean',
      registers,
    }),
    lagP99: new Gauge({
      name: 'nodejs_eventloop_lag_p99_seconds',
      help: 'Delay of the event loop since the last scrape, 99th percentile',
      registers,
    }),
    lagMax: new Gauge({
      name: 'nodejs_eventloop_lag_max_seconds',
      help: 'Longest delay of the event loop since the last scrape',
      registers,
    }),
  }
}
