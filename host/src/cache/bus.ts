/**
 * Events between the hosts that share a store. Best effort: a host that is cut off misses what was said meanwhile, so nothing may
 * depend on hearing; what everybody must know is in the store itself.
 */
export interface Bus extends AsyncDisposable {
  /** Resolves when it listens for the first time. */
  readonly ready: Promise<void>
  /** Tells the other hosts, not this one. Never fails. */
  publish(topic: string, data: unknown): void
  /** `listener` gets what another host published, unchecked. Returns what ends it. */
  on(topic: string, listener: (data: unknown) => void): () => void
}
