/** Runs `load` once for all who ask for the same key while it runs; the result, or the error, is everybody's. */
export function singleFlight<Key, Value>(): (key: Key, load: () => Promise<Value>) => Promise<Value> {
  const flights = createFlights<Key, Value>()
  return (key, load) => flights.join(key, load)
}

/** Work under way, by key. */
export interface Flights<Key, Value> {
  /** The flight of `key` that is under way, else a new one that runs `load`, which may ask whether it was left. */
  join(key: Key, load: (isLeft: () => boolean) => Promise<Value>, tags?: readonly string[]): Promise<Value>
  /** From now on no caller joins a flight with one of these tags; callers that have joined get its result. */
  leave(tags: readonly string[]): void
}

export function createFlights<Key, Value>(): Flights<Key, Value> {
  const flights = new Map<Key, { readonly landing: Promise<Value>; readonly tags: readonly string[] }>()
  return {
    join(key, load, tags = []) {
      const running = flights.get(key)
      if (running) return running.landing
      const isLeft = () => flights.get(key)?.landing !== landing
      const landing = load(isLeft).finally(() => {
        // A later flight of the same key may have begun, once this one was left.
        if (!isLeft()) flights.delete(key)
      })
      flights.set(key, { landing, tags })
      return landing
    },
    leave(tags) {
      for (const [key, flight] of flights) if (flight.tags.some((tag) => tags.includes(tag))) flights.delete(key)
    },
  }
}
