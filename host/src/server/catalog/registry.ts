import { EventEmitter } from 'eventemitter3'
import type { Logger } from '@mcp-patchbay/plugin-api'
import type { Snapshot } from './snapshot.ts'
import type { ListKind } from './view.ts'

export interface Published {
  readonly previous: Snapshot
  readonly current: Snapshot
}

export interface ChangedResource {
  readonly instance: string
  readonly uri: string
}

export interface RegistryEvents {
  published: (event: Published) => void
  /** Lists changed on another replica. */
  elsewhere: (kinds: readonly ListKind[]) => void
  /** Resources of these plugins, by the URI that the plugin knows, are not what they were. */
  resources: (changed: readonly ChangedResource[]) => void
}

/** Holds the current snapshot. `publish` swaps one reference, then notifies; a call that began with the old one keeps it. */
export class Registry extends EventEmitter<RegistryEvents> {
  #current: Snapshot
  readonly #log: Logger
  readonly #changed = new Map<string, ChangedResource>()
  #notifying: NodeJS.Timeout | undefined

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
    for (const listener of this.listeners('published')) this.#notify('published', () => listener({ previous, current: next }))
  }

  /** Has those who follow these lists told that they changed on another replica. The snapshot stays. */
  announce(kinds: readonly ListKind[]): void {
    for (const listener of this.listeners('elsewhere')) this.#notify('elsewhere', () => listener(kinds))
  }

  /** Has those who follow a resource told, four times a second at most: what a plugin says more often is one change. */
  resourceChanged(instance: string, uri: string): void {
    if (this.#changed.size >= MAX_CHANGED) return
    this.#changed.set(JSON.stringify([instance, uri]), { instance, uri })
    if (this.#notifying) return
    this.#notifying = setTimeout(() => {
      const changed = [...this.#changed.values()]
      this.#changed.clear()
      this.#notifying = undefined
      for (const listener of this.listeners('resources')) this.#notify('resources', () => listener(changed))
    }, NOTIFY_MS).unref()
  }

  /** Listeners only notify others; one that throws must not stop the rest, and what they hear of has happened. */
  #notify(event: keyof RegistryEvents, notify: () => void): void {
    try {
      notify()
    } catch (error) {
      this.#log.error('listener_failed', { topic: event, error })
    }
  }
}

const NOTIFY_MS = 250
/** Resources within one notification. A plugin that changes more has changed its list. */
const MAX_CHANGED = 1_000
