import { AsyncLocalStorage } from 'node:async_hooks'
import type { ServerEvent, ServerEventBus } from '@modelcontextprotocol/server'
import type { ChangeNotifier } from '../../server/catalog/change-notifier.ts'
import { withoutCredentials, type Caller } from '../../server/catalog/caller.ts'

/**
 * What `subscriptions/listen` streams of 2026-07-28 listen to. The SDK's bus tells every stream everything; this one knows for whom
 * each stream was opened, and tells it what changed for that caller.
 */
export class ListenBus implements ServerEventBus {
  readonly #notifier: ChangeNotifier
  readonly #opening = new AsyncLocalStorage<Caller>()
  readonly #listeners = new Set<(event: ServerEvent) => void>()
  readonly #openOf = new Map<string, number>()

  constructor(notifier: ChangeNotifier) {
    this.#notifier = notifier
  }

  /** Runs `serve`, which makes the SDK subscribe; that subscription is `caller`'s. */
  openFor<Answer>(caller: Caller, serve: () => Answer): Answer {
    return this.#opening.run(caller, serve)
  }

  /** How many streams are open. */
  get size(): number {
    return this.#listeners.size
  }

  /** How many streams a principal has open. */
  openOf(owner: string): number {
    return this.#openOf.get(owner) ?? 0
  }

  publish(event: ServerEvent): void {
    for (const listener of this.#listeners) listener(event)
  }

  subscribe(listener: (event: ServerEvent) => void): () => void {
    const caller = this.#opening.getStore()
    if (!caller) throw new Error('A stream was opened without a caller')
    const owner = ownerOf(caller)
    this.#listeners.add(listener)
    this.#openOf.set(owner, this.openOf(owner) + 1)
    const leave = this.#notifier.add({
      caller: withoutCredentials(caller),
      // The SDK keeps which of them a stream asked for, and passes on those.
      resourceUris: undefined,
      listChanged: (kind) => listener({ kind: `${kind}_list_changed` }),
      resourceUpdated: (uri) => listener({ kind: 'resource_updated', uri }),
    })
    return () => {
      leave()
      if (!this.#listeners.delete(listener)) return
      const left = this.openOf(owner) - 1
      if (left === 0) this.#openOf.delete(owner)
      else this.#openOf.set(owner, left)
    }
  }
}

/** Who opened something: a principal within its tenant. */
export function ownerOf({ principal }: Caller): string {
  return JSON.stringify([principal.tenant ?? null, principal.id])
}
