import { EventEmitter } from 'eventemitter3'
import type { Logger } from '@mcp-patchbay/plugin-api'
import type { Snapshot } from './snapshot.ts'

export interface Published {
  readonly previous: Snapshot
  readonly current: Snapshot
}

/** Holds the current snapshot. `publish` swaps one reference, then tells; whoever began with the old one keeps it. */
export class Registry extends EventEmitter<{ published: (event: Published) => void }> {
  #current: Snapshot
  readonly #log: Logger

  constructor(first: Snapshot, log: Logger) {
    super()
    this.#current = first
    this.#log = log
  }

  get current(): Snapshot {
    return this.#current
  }

  /** Makes `next` current. Throws when its generation is not later: two publishers would undo each other. */
  publish(next: Snapshot): void {
    const previous = this.#current
    if (next.generation <= previous.generation)
      throw new Error(`Generation ${next.generation} cannot follow ${previous.generation}`)
    this.#current = next
    // Listeners only tell others; one that throws must not stop the rest, and the publish has happened.
    for (const listener of this.listeners('published')) {
      try {
        listener({ previous, current: next })
      } catch (error) {
        this.#log.error('listener_failed', { event: 'published', error })
      }
    }
  }
}
