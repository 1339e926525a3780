import type { PluginEntry } from '../../config/schema/schema.ts'
import { inCall } from '../run/inline-call-scope.ts'
import { InlineScope } from '../run/inline-call.ts'
import type { LoadedPlugin } from '../run/load-plugin.ts'
import type { CallRequest } from '../run/running.ts'
import { markForeign, type ForeignPart } from '../source/foreign.ts'
import type { ServerHttp } from './connect/remote-transport.ts'
import type { ServerOffer } from './connect/server-offer.ts'
import { secretKey, secretNames } from './process/server-command.ts'
import { createRelay } from './relay/relay.ts'
import type { WaitingCalls } from './relay/waiting-calls.ts'
import type { ServerPool } from './share/types.ts'
import type { Share } from './share/who-shares.ts'
import { describeServer, type DescribedServer } from './surface/describe-server.ts'

/** A use of a pool, which lives as long as something uses it. */
export interface PoolUse {
  readonly pool: ServerPool
  /** Nothing else uses it. */
  readonly isLast: () => boolean
  /** Gives the way of requests to a server that runs elsewhere. True where it is theirs now, and goes with the last use. */
  attach(http: ServerHttp): boolean
  release(): Promise<void>
}

export interface ServerPluginOptions {
  readonly instance: string
  readonly entry: PluginEntry
  /** The connections to the server with this config, which may hold secrets. */
  readonly take: (config: Readonly<Record<string, unknown>>) => Promise<PoolUse>
  /** The address of a server that runs elsewhere. */
  readonly address: string | undefined
  /** What it offers is not what was published. */
  readonly onChanged: () => void
  /** It could not be reached, or it could. */
  readonly onReached: (isReached: boolean) => void
  readonly waiting: WaitingCalls
  readonly digests: ReadonlyMap<string, string>
}

/**
 * An MCP server as a plugin like any other: the same way through contract, lock, config and publishing. What it offers is discovered, and
 * its calls are passed on.
 */
export function serverPlugin({
  instance,
  entry,
  take,
  waiting,
  digests,
  address,
  onReached,
  onChanged,
}: ServerPluginOptions): LoadedPlugin {
  const share: Share = entry.share ?? 'all'
  const part: ForeignPart = { leftOut: [] }
  const uses: PoolUse[] = []
  let listed: { readonly offer: ServerOffer; readonly described: DescribedServer } | undefined

  async function use(config: Readonly<Record<string, unknown>>, http: ServerHttp): Promise<PoolUse> {
    const one = await take(config)
    one.attach(http)
    uses.push(one)
    return one
  }

  async function release(): Promise<void> {
    await Promise.all(uses.splice(0).map((one) => one.release()))
  }

  return {
    exported: markForeign(descriptionOf(instance, entry, address), part),
    digests,
    listed: new Map(),
    links: new Map(),
    patience: SERVER_PATIENCE,
    get serverName() {
      return address === undefined ? undefined : listed?.offer.name
    },
    isAuthConfigured: () => true,
    async discover({ config, signal, http }) {
      const { pool } = await use(config, http)
      const offer = await pool.offer(signal).catch((error: unknown) => {
        onReached(false)
        throw error
      })
      onReached(true)
      const described = describeServer(offer, { instance, isInteractive: share !== 'all' })
      part.leftOut = described.leftOut
      listed = { offer, described }
      return described.found
    },
    async start({ surface, config, tenants = new Map(), http, credentialKey = () => '' }) {
      const base = uses[0] ?? (await use(config, http))
      const ofTenants = new Map<string, PoolUse>()
      for (const [tenant, own] of tenants) ofTenants.set(tenant, await use(own, http))
      const { offer, described } = listed ?? nothing(instance)
      // A list that changed while this version was built has nothing to replace yet.
      setTimeout(() => {
        if (uses.includes(base) && base.pool.known !== undefined && base.pool.known !== offer) onChanged()
      }, SETTLED_MS).unref()
      const poolOf = ({ principal: { tenant } }: CallRequest) => (ofTenants.get(tenant ?? '') ?? base).pool
      return createRelay({
        instance,
        surface,
        share,
        hasRoots: entry.roots !== undefined,
        elsewhere: address === undefined ? undefined : { credentialOf: credentialKey, inCall: inCallOf },
        described,
        offer,
        poolOf,
        waiting,
        follow: (uri) => base.pool.follow(uri),
        isLast: () => uses.every((one) => one.isLast()),
        isIdle: () => uses.every(({ pool }) => pool.size === 0),
        failure: () => uses.map(({ pool }) => pool.failure).find((failure) => failure !== undefined),
        async dispose() {
          const isHeld = uses.some((one) => one.attach(http))
          await release()
          if (!isHeld) await http[Symbol.asyncDispose]()
        },
      })
    },
    retire: () => void release(),
    release: () => void release(),
  }
}

function nothing(instance: string): { readonly offer: ServerOffer; readonly described: DescribedServer } {
  const offer: ServerOffer = { tools: [], resources: [], templates: [], prompts: [], completes: false }
  return { offer, described: describeServer(offer, { instance, isInteractive: false }) }
}

/** The scope of a call for its requests; its end is the relay's to see. */
function inCallOf<Result>(request: CallRequest, access: 'read' | 'write', work: () => Promise<Result>): Promise<Result> {
  return inCall(new InlineScope(request, access, []), work)
}

/** By then a version that was built is published, in milliseconds. */
const SETTLED_MS = 1_000

/** A server is a whole program: those from npm take up to seven seconds on a busy machine. */
export const SERVER_PATIENCE = 3

/** What the entry alone says of it: the secrets that it is started with are its config. */
function descriptionOf(instance: string, entry: PluginEntry, address: string | undefined): object {
  const secrets = secretNames(entry)
  return {
    apiVersion: 1,
    name: instance,
    config: address === undefined ? ofSecrets(instance, secrets) : ofAddress(address),
    isAuthConfigured: () => true,
    createClient: () => ({}),
    discover: () => Promise.resolve({ tools: [] }),
    tools: [],
  }
}

/** The address, without what it asks for, and the credentials that the network layer knows how to put on a request. */
function ofAddress(address: string): object {
  const { origin, pathname } = new URL(address)
  const secret = { type: 'string', minLength: 1, writeOnly: true }
  return {
    type: 'object',
    properties: {
      apiUrl: { type: 'string', default: `${origin}${pathname}`, description: 'The address of the server' },
      personalToken: { ...secret, description: 'Sent as Authorization: Bearer' },
      apiKey: { ...secret, description: 'Sent as X-API-Key' },
    },
  }
}

function ofSecrets(instance: string, secrets: readonly string[]): object {
  return {
    type: 'object',
    properties: Object.fromEntries(
      secrets.map((name) => [
        secretKey(instance, name),
        { type: 'string', minLength: 1, writeOnly: true, description: `The server gets it as ${name}` },
      ]),
    ),
    required: secrets.map((name) => secretKey(instance, name)),
  }
}
