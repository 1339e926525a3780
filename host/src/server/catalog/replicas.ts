import type { Bus } from '../../cache/bus.ts'
import type { Caller } from './caller.ts'
import type { Published, Registry } from './registry.ts'
import { callableDigests, LIST_KINDS, type ListDigests, type ListKind } from './view.ts'

export interface ReplicasOptions {
  readonly registry: Registry
  readonly bus: Bus
  /** Whose lists are compared: a caller who sees everything that is not hidden from all. */
  readonly operator: Caller
}

const LISTS_CHANGED = 'lists_changed'

/**
 * Tells the other hosts on the bus when lists change here, and this host's subscribers when they change there: a client that follows
 * one replica may ask another next. Replicas that come to the same lists one after the other announce them once. Best effort; a
 * subscriber who is told may find its own list unchanged.
 */
export function linkReplicas({ registry, bus, operator }: ReplicasOptions): Disposable {
  /** What was announced last, wherever it changed. */
  let announced = callableDigests(registry.current, operator)

  const onPublished = ({ previous, current }: Published) => {
    const digests = callableDigests(current, operator)
    const before = callableDigests(previous, operator)
    if (LIST_KINDS.every((kind) => digests[kind] === before[kind])) return
    announced = digests
    bus.publish(LISTS_CHANGED, digests)
  }
  const onElsewhere = (data: unknown) => {
    const digests = asDigests(data)
    if (!digests) return
    const kinds = LIST_KINDS.filter((kind) => digests[kind] !== announced[kind])
    announced = digests
    if (kinds.length > 0) registry.announce(kinds)
  }

  registry.on('published', onPublished)
  const leave = bus.on(LISTS_CHANGED, onElsewhere)
  return {
    [Symbol.dispose]() {
      registry.off('published', onPublished)
      leave()
    },
  }
}

/** Undefined for what no host of this kind sent. */
function asDigests(data: unknown): ListDigests | undefined {
  if (typeof data !== 'object' || data === null) return undefined
  const of = (kind: ListKind): unknown => (data as Readonly<Record<string, unknown>>)[kind]
  const [tools, prompts, resources] = [of('tools'), of('prompts'), of('resources')]
  if (typeof tools !== 'string' || typeof prompts !== 'string' || typeof resources !== 'string') return undefined
  return { tools, prompts, resources }
}
