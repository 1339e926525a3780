import type { PriorDiscovery } from '@modelcontextprotocol/client'
import { isObject } from '../../../data/json.ts'
import type { Fields, ServerConnection } from '../connect/types.ts'
import { readOffer, type ServerOffer } from '../connect/server-offer.ts'
import { createRelisting } from './relisting.ts'
import type { OpenCalls } from './open-calls.ts'
import type { KeptOffer, PoolOptions } from './types.ts'

/** A connection that is open, with the calls that run on it. */
export interface OpenMember {
  readonly connection: ServerConnection
  readonly calls: OpenCalls
  offer: ServerOffer | undefined
}

export interface ListedOfferOptions extends Pick<
  PoolOptions,
  'isRemote' | 'timeoutMs' | 'log' | 'kept' | 'onKnown' | 'onChanged'
> {
  /** Ends what is under way. */
  readonly signal: AbortSignal
  /** The connection that the offer is read by, opened where that is needed; undefined when the next one reads it anyway. */
  readonly listing: () => Promise<OpenMember | undefined>
}

/** What a server offers, as the last reading of its lists has it. */
export interface ListedOffer {
  readonly known: KeptOffer | undefined
  /** What a connection does before its first call: reads the offer where `isListing`, and asks to be notified of changes. */
  prepare(opened: OpenMember, isListing: boolean): Promise<void>
  /** Reads the lists again, soon. */
  relist(): void
  /** Asks for notifications of a resource: now at `opened`, and at each listing connection from then on. */
  follow(uri: string, opened: OpenMember | undefined): void
}

export function createListedOffer(options: ListedOfferOptions): ListedOffer {
  const { isRemote, timeoutMs, log, signal, listing } = options
  const within = { until: { signal }, timeoutMs }
  const followed = new Set<string>()
  let known = options.kept

  async function prepare(opened: OpenMember, isListing: boolean): Promise<void> {
    const { connection } = opened
    const { capabilities, era } = connection
    if (isListing) await read(opened)
    if (era === 'legacy' && capabilities['logging'] !== undefined)
      await quietly(connection.request('logging/setLevel', { level: 'info' }, within))
    if (!isListing) return
    if (isRemote && !saysChanges(capabilities)) relisting.lookAgain()
    if (era === 'modern')
      await quietly(connection.listen({ toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true }))
    const listed = (opened.offer?.resources ?? []).flatMap(({ uri }) => (typeof uri === 'string' ? [uri] : []))
    // Which of them a client of 2026-07-28 follows only the SDK knows.
    await quietly(followAt(connection, new Set([...listed.slice(0, MOST_LISTED_FOLLOWED), ...followed])))
  }

  async function followAt({ capabilities, era, ...connection }: ServerConnection, uris: Iterable<string>): Promise<void> {
    const { resources } = capabilities
    const all = [...uris]
    if (all.length === 0 || !isObject(resources) || resources['subscribe'] !== true) return
    if (era === 'modern') return connection.listen({ resourceSubscriptions: all })
    await Promise.all(all.map((uri) => connection.request('resources/subscribe', { uri }, within)))
  }

  function quietly(work: Promise<unknown>): Promise<unknown> {
    return work.catch((error: unknown) => log.debug('server_refused', { error }))
  }

  async function read(opened: OpenMember): Promise<void> {
    const { connection } = opened
    opened.offer = settle(await readOffer(connection, signal, timeoutMs), connection.prior)
  }

  /** The same object as long as it says the same, so that a version knows its own. */
  function settle(offer: ServerOffer, prior: PriorDiscovery): ServerOffer {
    const isSame = known !== undefined && JSON.stringify(known.offer) === JSON.stringify(offer)
    const before = known
    known = { offer: isSame && known ? known.offer : offer, prior }
    options.onKnown(known)
    if (before && !isSame) options.onChanged()
    return known.offer
  }

  const relisting = createRelisting({
    signal,
    async relist() {
      const opened = await listing()
      if (opened) await read(opened)
    },
    onFailed: (error) => log.warn('server_not_listed', { error }),
  })

  return {
    get known() {
      return known
    },
    prepare,
    relist: () => relisting.ask(),
    follow(uri, opened) {
      if (followed.size >= MOST_FOLLOWED || followed.has(uri)) return
      followed.add(uri)
      if (opened) void quietly(followAt(opened.connection, [uri]))
    },
  }
}

const MOST_FOLLOWED = 1_000
const MOST_LISTED_FOLLOWED = 100

/** Whether a server sends notifications of changes of its tools. */
function saysChanges({ tools }: Fields): boolean {
  return isObject(tools) && tools['listChanged'] === true
}
