import { EventEmitter } from 'eventemitter3'
import type { Logger } from '@mcp-patchbay/plugin-api'
import type { Snapshot } from './snapshot.ts'
import type { ListKind } from './view.ts'

export interface Published {
  readonly previous: Snapshot
  readonly current: Snapshot
}

export interface RegistryEvents {
  published: (event: Published) => void
  /** Lists changed on another replica. */
  elsewhere: (kinds: readonly ListKind[]) => void
}

/** Holds the current snapshot. `publish` swaps one reference, then tells; whoever began with the old one keeps it. */
export class Registry extends EventEmitter<RegistryEvents> {
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
    for (const listener of this.listeners('published')) this.#tell('published', () => listener({ previous, current: next }))
  }

  /** Has those who follow these lists told that they changed on another replica. The snapshot stays. */
  announce(kinds: readonly ListKind[]): void {
    for (const listener of this.listeners('elsewhere')) this.#tell('elsewhere', () => listener(kinds))
  }

  /** Listeners only tell others; one that throws must not stop the rest, and what they hear of has happened. */
  #tell(event: keyof RegistryEvents, tell: () => void): void {
    try {
      tell()
    } catch (error) {
      this.#log.error('listener_failed', { event, error })
    }
  }
}
