import { getCACertificates } from 'node:tls'
import type { Agent, Client, Dispatcher, Pool } from 'undici'
import { guardedConnector, trustingConnector, type Dialing } from './address-guard.ts'
import type { NetworkLimits } from '../resilience/limits.ts'
import { proxiedConnector, type Proxy } from './proxy.ts'
import type { Target } from './target.ts'
import { undici } from './undici.ts'

/** The connections of one plugin. undici keeps a pool an origin and drops it with its last connection. */
export interface Pools extends AsyncDisposable {
  /** Connects only to addresses that are allowed for the target. */
  agentFor(target: Target): Agent
}

export interface PoolOptions {
  readonly limits: NetworkLimits
  readonly dialing: Dialing
  /** The operator chose the base URL: its origin may be at a private address. */
  readonly allowPrivateBase: boolean
  /** Certificate authorities, in PEM, besides those Node knows. */
  readonly ca: string | readonly string[] | undefined
  /** What the host proves itself to the service with, in PEM; no other host sees it. */
  readonly clientCertificate?: { readonly cert: string; readonly key: string } | undefined
  readonly proxy?: Proxy | undefined
  /** False: what the service proves itself with is not checked. Default: true. */
  readonly sslVerify?: boolean | undefined
  /** Default: true. */
  readonly http2?: boolean | undefined
}

/**
 * A pool may have many connections while many requests are on their way, and keeps few of them when they are done: the first are used
 * first and stay, those beyond end soon, whatever the service says of how long they may.
 */
function poolThatKeepsFew({
  idleConnections,
}: Pick<NetworkLimits, 'idleConnections'>): (origin: string | URL, options: object) => Dispatcher {
  return (origin, options) => {
    const kept = new Set<object>()
    const { Client: OneConnection, Pool: Connections } = undici()
    const pool = new Connections(origin, {
      ...(options as Pool.Options),
      factory(at, own) {
        const isKept = kept.size < idleConnections
        const soon = { keepAliveTimeout: SOON_MS, keepAliveMaxTimeout: SOON_MS }
        const client = new OneConnection(at, { ...(own as Client.Options), ...(isKept ? {} : soon) })
        if (isKept) kept.add(client)
        return client
      },
    })
    // undici takes a client that could not connect out of its pool; the next one has its place.
    return pool.on('connectionError', (_origin, targets) => targets.forEach((target) => kept.delete(target)))
  }
}

const SOON_MS = 1_000

export function createPools(options: PoolOptions): Pools {
  const { limits, dialing, allowPrivateBase, ca, clientCertificate, proxy, http2 = true } = options
  const connecting = {
    timeout: limits.connectMs,
    allowH2: http2,
    preferH2: http2,
    rejectUnauthorized: true,
    ...(ca === undefined ? {} : { ca: [...getCACertificates('default'), ...[ca].flat()] }),
  }
  const pooling = {
    connections: limits.connections,
    keepAliveTimeout: limits.keepAliveMs,
    allowH2: http2,
    // Time and size limits are exchange.ts's: undici's count from the moment a request is written and start again with every byte.
    headersTimeout: 0,
    bodyTimeout: 0,
  }
  /** Made with its first request. */
  const agents = new Map<Target['zone'], Agent>()
  const make = (zone: Target['zone']): Agent => {
    const isGuarded = zone !== 'service' || !allowPrivateBase
    const ofService = { ...connecting, ...clientCertificate, rejectUnauthorized: options.sslVerify !== false }
    const own = zone === 'service' ? ofService : connecting
    const connect = proxy
      ? proxiedConnector({ proxy, dialing, isGuarded, connecting: own })
      : (isGuarded ? guardedConnector : trustingConnector)(dialing, own)
    const agent = new (undici().Agent)({ ...pooling, connect, factory: poolThatKeepsFew(limits) })
    agents.set(zone, agent)
    return agent
  }
  let isDisposed = false
  return {
    agentFor({ zone }) {
      const agent = agents.get(zone) ?? make(zone)
      // An agent that is made after disposal must refuse requests, as the disposed agents do.
      if (isDisposed) void agent.destroy()
      return agent
    },
    async [Symbol.asyncDispose]() {
      isDisposed = true
      await Promise.all([...agents.values()].map((agent) => agent.destroy()))
    },
  }
}
