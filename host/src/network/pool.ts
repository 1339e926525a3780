import { getCACertificates } from 'node:tls'
import type { Agent } from 'undici'
import { guardedConnector, trustingConnector, type Dialing } from './guard.ts'
import type { NetworkLimits } from './limits.ts'
import type { Target } from './target.ts'
import { undici } from './undici.ts'

/** The connections of one plugin. undici keeps a pool an origin and drops it with its last connection. */
export interface Pools extends AsyncDisposable {
  /** Dials what the zone of the target may dial. */
  agentFor(target: Target): Agent
}

export interface PoolOptions {
  readonly limits: NetworkLimits
  readonly dialing: Dialing
  /** The operator chose the base URL: its origin may be at a private address. */
  readonly allowPrivateBase: boolean
  /** Certificate authorities, in PEM, besides those Node knows. */
  readonly ca: string | readonly string[] | undefined
}

export function createPools({ limits, dialing, allowPrivateBase, ca }: PoolOptions): Pools {
  const connecting = {
    timeout: limits.connectMs,
    allowH2: true,
    preferH2: true,
    rejectUnauthorized: true,
    ...(ca === undefined ? {} : { ca: [...getCACertificates('default'), ...[ca].flat()] }),
  }
  const pooling = {
    connections: limits.connections,
    keepAliveTimeout: limits.keepAliveMs,
    allowH2: true,
    // Time and size limits are exchange.ts's: undici's count from the moment a request is written and start again with every byte.
    headersTimeout: 0,
    bodyTimeout: 0,
  }
  /** Made with its first request. */
  const agents = new Map<'guarded' | 'service', Agent>()
  const make = (kind: 'guarded' | 'service'): Agent => {
    const connector = kind === 'service' ? trustingConnector : guardedConnector
    const agent = new (undici().Agent)({ ...pooling, connect: connector(dialing, connecting) })
    agents.set(kind, agent)
    return agent
  }
  let isDisposed = false
  return {
    agentFor({ zone }) {
      const kind = zone === 'service' && allowPrivateBase ? 'service' : 'guarded'
      const agent = agents.get(kind) ?? make(kind)
      // One that is made late must refuse like one that was there.
      if (isDisposed) void agent.destroy()
      return agent
    },
    async [Symbol.asyncDispose]() {
      isDisposed = true
      await Promise.all([...agents.values()].map((agent) => agent.destroy()))
    },
  }
}
