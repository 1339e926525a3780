/** One client per tenant and credential of one plugin version, made on first use. */
export interface ClientPool<Client> extends AsyncDisposable {
  /** The client for `key`; concurrent callers share one that is being made. A client that could not be made is tried again next time. */
  get(key: string): Promise<Client> | Client
}

export function createClientPool<Client>(create: (key: string) => Client | Promise<Client>): ClientPool<Client> {
  const clients = new Map<string, Promise<Client> | Client>()
  return {
    get(key) {
      const known = clients.get(key)
      if (known !== undefined) return known
      const making = (async () => create(key))()
      clients.set(key, making)
      making.then(
        (client) => clients.set(key, client),
        () => clients.delete(key),
      )
      return making
    },
    async [Symbol.asyncDispose]() {
      const made = await Promise.allSettled([...clients.values()].map(async (client) => client))
      clients.clear()
      const closing = await Promise.allSettled(
        made.map(async (client) => client.status === 'fulfilled' && disposeClient(client.value)),
      )
      const failed = closing.filter((result) => result.status === 'rejected').map((result) => result.reason as unknown)
      if (failed.length)
        throw failed.length === 1 ? failed[0] : new AggregateError(failed, 'Several clients could not be disposed')
    },
  }
}

/** A client says how it ends with a disposal symbol, or with the method nearly every library has. */
async function disposeClient(client: unknown): Promise<void> {
  if (typeof client !== 'object' || client === null) return
  for (const name of [Symbol.asyncDispose, Symbol.dispose, 'dispose', 'close'] as const) {
    const end: unknown = (client as Record<PropertyKey, unknown>)[name]
    if (typeof end === 'function') return void (await end.call(client))
  }
}
