/** Runs `load` once for all who ask for the same key while it runs; the result, or the error, is everybody's. */
export function singleFlight<Key, Value>(): (key: Key, load: () => Promise<Value>) => Promise<Value> {
  const flights = new Map<Key, Promise<Value>>()
  return (key, load) => {
    const running = flights.get(key)
    if (running) return running
    const flight = load().finally(() => flights.delete(key))
    flights.set(key, flight)
    return flight
  }
}
