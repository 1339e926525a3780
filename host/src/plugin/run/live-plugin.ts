import { ActiveSet, type Membership } from '../../data/active-set.ts'
import type { PluginSurface } from '../source/describe-surface.ts'
import type { RunningPlugin } from './running.ts'

/**
 * One version of one plugin while it serves: it counts the calls in it, so that it can be drained. A call enters the version that it
 * began with and stays in it, whatever is published meanwhile.
 */
export class LivePlugin {
  readonly instance: string
  readonly running: RunningPlugin
  readonly #calls = new ActiveSet<Cancellable>(() => this.#idle?.())
  #idle: (() => void) | undefined
  #drained: Promise<DrainReport> | undefined
  #isDisposed = false

  constructor(instance: string, running: RunningPlugin) {
    this.instance = instance
    this.running = running
  }

  get surface(): PluginSurface {
    return this.running.surface
  }

  get inFlight(): number {
    return this.#calls.size
  }

  /**
   * Enters a call, which a drain that takes too long cancels. Returns the way out. Throws when the version is gone: read the snapshot and
   * enter in one step, with nothing awaited between.
   */
  enter(call: Cancellable): Membership {
    if (this.#isDisposed) throw new Error(`A call came to a version of plugin "${this.instance}" that is disposed`)
    return this.#calls.add(call)
  }

  /**
   * Waits for the calls in this version, cancels what is left after `drainMs`, then disposes the plugin. To be called once it is no
   * longer published; later calls get the same promise. Never rejects: what disposing threw is in the report.
   */
  drain({ drainMs, reason }: { drainMs: number; reason: () => Error }): Promise<DrainReport> {
    this.#drained ??= this.#drain(drainMs, reason)
    return this.#drained
  }

  async #drain(drainMs: number, reason: () => Error): Promise<DrainReport> {
    const finished = this.#calls.size
    const until = performance.now() + drainMs
    let cancelled = 0
    if (finished > 0) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#idle = resolve
      const timer = setTimeout(() => {
        cancelled = this.#calls.size
        for (const call of this.#calls) call.cancel(reason())
      }, drainMs)
      await promise
      clearTimeout(timer)
    }
    await this.running.settled?.(Math.max(0, until - performance.now()))
    this.#isDisposed = true
    try {
      await this.running[Symbol.asyncDispose]()
      return { finished: finished - cancelled, cancelled }
    } catch (error) {
      return { finished: finished - cancelled, cancelled, error }
    }
  }
}

/** What can be ended before its time. */
export interface Cancellable {
  cancel(reason: Error): void
}

/** How the calls of a drained version ended. */
export interface DrainReport {
  readonly finished: number
  readonly cancelled: number
  /** What the plugin threw while it was disposed. */
  readonly error?: unknown
}
