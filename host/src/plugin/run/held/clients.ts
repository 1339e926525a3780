/** One client per tenant and credential of one plugin version, made on first use; those that were idle for longest go. */
export interface ClientPool<Client> extends AsyncDisposable {
  /** The client for `key`; concurrent callers share one that is being made. A client that could not be made is tried again next time. */
  take(key: string): Lease<Client>
}

/** A client as long as it is used. */
export interface Lease<Client> {
  readonly client: Promise<Client> | Client
  /** To be called once, when it is no longer used. */
  release(): void
}

export interface ClientPoolOptions {
  /** How many idle ones stay. */
  readonly maxIdle?: number
  /** Told of a client that could not be disposed while others went on. */
  readonly onDisposeFailed?: (error: unknown) => void
}

export function createClientPool<Client>(
  create: (key: string) => Client | Promise<Client>,
  { maxIdle = 256, onDisposeFailed = () => {} }: ClientPoolOptions = {},
): ClientPool<Client> {
  const held = new Map<string, HeldClient<Client>>()
  const closing = new Set<Promise<void>>()
  /** How many of them are idle. Not a list of those: it would change with each call. */
  let idle = 0
  let releases = 0

  function make(key: string): HeldClient<Client> {
    const making = (async () => create(key))()
    const made = new HeldClient(key, making, release)
    held.set(key, made)
    making.then(
      (client) => (made.client = client),
      () => {
        if (held.get(key) === made) forget(made)
      },
    )
    return made
  }

  function release(used: HeldClient<Client>): void {
    used.users -= 1
    if (used.users > 0 || held.get(used.key) !== used) return
    used.releasedAt = ++releases
    idle += 1
    if (idle > maxIdle) dispose(oldestIdle(held.values()) ?? used)
  }

  function forget(client: HeldClient<Client>): void {
    held.delete(client.key)
    if (client.users === 0) idle -= 1
  }

  function dispose(oldest: HeldClient<Client>): void {
    forget(oldest)
    const ending = (async () => disposeClient(await oldest.client))().catch(onDisposeFailed)
    closing.add(ending)
    void ending.finally(() => closing.delete(ending))
  }

  return {
    take(key) {
      const used = held.get(key) ?? make(key)
      if (used.users === 0 && used.releasedAt > 0) idle -= 1
      used.users += 1
      return used
    },
    async [Symbol.asyncDispose]() {
      const made = await Promise.allSettled([...held.values()].map(async ({ client }) => client))
      held.clear()
      const ending = await Promise.allSettled([
        ...made.map(async (client) => client.status === 'fulfilled' && disposeClient(client.value)),
        ...closing,
      ])
      const failed = ending.filter((result) => result.status === 'rejected').map((result) => result.reason as unknown)
      if (failed.length)
        throw failed.length === 1 ? failed[0] : new AggregateError(failed, 'Several clients could not be disposed')
    },
  }
}

/** A client that is held; all who use it have the same lease. */
class HeldClient<Client> implements Lease<Client> {
  readonly key: string
  client: Promise<Client> | Client
  users = 0
  /** The count of releases when it was last released; 0 until then. */
  releasedAt = 0
  readonly #release: (client: HeldClient<Client>) => void

  constructor(key: string, client: Promise<Client>, release: (client: HeldClient<Client>) => void) {
    this.key = key
    this.client = client
    this.#release = release
  }

  release(): void {
    this.#release(this)
  }
}

/** The one that waits longest. */
function oldestIdle<Client>(held: Iterable<HeldClient<Client>>): HeldClient<Client> | undefined {
  let oldest: HeldClient<Client> | undefined
  for (const client of held) if (client.users === 0 && (!oldest || client.releasedAt < oldest.releasedAt)) oldest = client
  return oldest
}

/** A client says how it ends with a disposal symbol, or with the method nearly every library has. */
async function disposeClient(client: unknown): Promise<void> {
  if (typeof client !== 'object' || client === null) return
  for (const name of [Symbol.asyncDispose, Symbol.dispose, 'dispose', 'close'] as const) {
    const end: unknown = (client as Record<PropertyKey, unknown>)[name]
    if (typeof end === 'function') return void (await end.call(client))
  }
}
