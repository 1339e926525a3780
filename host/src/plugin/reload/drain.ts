import type { Logger } from '@mcp-patchbay/plugin-api'
import type { Activation } from '../activation.ts'
import type { ReleasedVersion } from './leak-detector.ts'
import type { DrainReport } from '../run/live-plugin.ts'
import type { PluginRecord } from '../run/plugin-record.ts'

/** A version that is gone, and how its calls ended. */
export interface DrainedVersion extends DrainReport {
  readonly instance: string
  /** The generation it was published with; 0 for one that never was. */
  readonly generation: number
}

/** Drains superseded versions, frees their modules, and knows which are still at it. */
export interface Drains {
  start(activation: Activation, generation: number): void
  finished(): Promise<void>
}

export interface DrainOptions {
  readonly log: Logger
  readonly drainMs: () => number
  readonly reason: (plugin: string, drainMs: number) => Error
  readonly onDrained?: (report: DrainedVersion) => void
  /** Called when no call uses the version any more, before its modules are released. */
  readonly onRelease?: (record: PluginRecord) => void
  /** Called when nothing of the host holds the version any more. */
  readonly onReleased?: (version: ReleasedVersion) => void
}

export function createDrains({ log, drainMs, reason, onDrained, onRelease, onReleased }: DrainOptions): Drains {
  const running = new Set<Promise<void>>()

  async function drain(activation: Activation, generation: number): Promise<void> {
    const { live, instance } = activation.record
    if (live) {
      const ms = drainMs()
      const report = await live.drain({ drainMs: ms, reason: () => reason(instance, ms) })
      if (report.error !== undefined) log.warn('plugin_dispose_failed', { plugin: instance, generation, error: report.error })
      if (generation > 0)
        log.debug('plugin_drained', { plugin: instance, generation, finished: report.finished, cancelled: report.cancelled })
      onDrained?.({ ...report, instance, generation })
    }
    onRelease?.(activation.record)
    activation.release()
    // What a handle closes over is no leak.
    if (live && live.running.isHeld !== true) onReleased?.({ instance, generation, traces: activation.traces })
  }

  return {
    start(activation, generation) {
      const draining = drain(activation, generation)
      running.add(draining)
      void draining.finally(() => running.delete(draining))
    },
    async finished() {
      await Promise.all(running)
    },
  }
}
