import type { Logger } from '@mcp-patchbay/plugin-api'
import { findResource, type Snapshot } from './snapshot.ts'
import type { Caller } from './caller.ts'
import { refusal } from './visibility.ts'
import type { ChangedResource, Published, Registry } from './registry.ts'
import { changedKinds, viewOf, type ListKind } from './view.ts'

/** A client that stays connected and wants to hear of changes: a session, a stream, the client on stdio. */
export interface Subscriber {
  /** Whose lists count. For a connection that is the caller of its last request. */
  readonly caller: Caller
  /** The resources it wants to hear about; undefined where the SDK knows and picks from all that the caller sees. */
  readonly resourceUris: Iterable<string> | undefined
  /** Sends `notifications/<kind>/list_changed`. */
  listChanged(kind: ListKind): void
  /** Sends `notifications/resources/updated`. */
  resourceUpdated(uri: string): void
}

/**
 * Tells subscribers what a publish changed for them: one list_changed for each list of theirs that differs, and none for the others;
 * and of each resource they follow that another version of its plugin now answers for.
 */
export class ChangeNotifier implements Disposable {
  readonly #subscribers = new Set<Subscriber>()
  readonly #registry: Registry
  readonly #log: Logger

  constructor(registry: Registry, log: Logger) {
    this.#registry = registry
    this.#log = log
    registry.on('published', this.#onPublished)
    registry.on('elsewhere', this.#onElsewhere)
    registry.on('resources', this.#onResources)
  }

  /** Returns what ends it. */
  add(subscriber: Subscriber): () => void {
    this.#subscribers.add(subscriber)
    return () => this.#subscribers.delete(subscriber)
  }

  [Symbol.dispose](): void {
    this.#registry.off('published', this.#onPublished)
    this.#registry.off('elsewhere', this.#onElsewhere)
    this.#registry.off('resources', this.#onResources)
    this.#subscribers.clear()
  }

  readonly #onPublished = ({ previous, current }: Published): void => {
    const kindsOf = new Map<string, ReadonlySet<ListKind>>()
    for (const subscriber of this.#subscribers) {
      const { caller } = subscriber
      let kinds = kindsOf.get(caller.classKey)
      if (!kinds) kindsOf.set(caller.classKey, (kinds = changedKinds(previous, current, caller)))
      this.#notify(() => {
        for (const kind of kinds) subscriber.listChanged(kind)
        for (const uri of subscriber.resourceUris ?? viewOf(current, caller).resources.map((resource) => resource.uri))
          if (answererOf(previous, uri, caller) !== answererOf(current, uri, caller)) subscriber.resourceUpdated(uri)
      })
    }
  }

  /** What it is there for each of them only the other replica knows; asking again tells. */
  readonly #onElsewhere = (kinds: readonly ListKind[]): void => {
    for (const subscriber of this.#subscribers)
      this.#notify(() => {
        for (const kind of kinds) subscriber.listChanged(kind)
      })
  }

  /** Whoever follows a resource, and may see it still. */
  readonly #onResources = (changed: readonly ChangedResource[]): void => {
    const { current } = this.#registry
    const uris = changed.map(({ instance, uri }) => ({ instance, uri: clientUri(current, instance, uri) }))
    for (const subscriber of this.#subscribers) {
      const { caller, resourceUris } = subscriber
      const followed = resourceUris && new Set(resourceUris)
      this.#notify(() => {
        for (const { instance, uri } of uris) {
          if (followed && !followed.has(uri)) continue
          const item = findResource(current, uri)?.item
          if (item?.plugin.instance === instance && refusal(item, caller, current.policy) === undefined)
            subscriber.resourceUpdated(uri)
        }
      })
    }
  }

  #notify(notify: () => void): void {
    try {
      notify()
    } catch (error) {
      this.#log.error('announcement_failed', { error })
    }
  }
}

/** As clients see a URI of a plugin. */
function clientUri({ resources, templates }: Snapshot, instance: string, uri: string): string {
  const item = [...resources.values(), ...templates].find(({ plugin }) => plugin.instance === instance)
  return item?.uris?.toClient(uri) ?? uri
}

/** The version of a plugin that answers for a resource; undefined when the caller has no such resource. */
function answererOf(snapshot: Snapshot, uri: string, caller: Caller): unknown {
  const item = findResource(snapshot, uri)?.item
  return item && refusal(item, caller, snapshot.policy) === undefined ? item.plugin.live : undefined
}
