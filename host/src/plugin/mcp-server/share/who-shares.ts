import type { ClientCapabilities } from '@modelcontextprotocol/client'
import { isObject } from '../../../data/json.ts'
import type { CallRequest } from '../../run/running.ts'
import type { Asking } from './types.ts'

export type Share = 'all' | 'caller' | 'session'

/** Whose call it is: only the same owner may answer what it asks, and with a connection for each only it has that connection. */
export function ownerOf({ principal, session }: CallRequest, share: Share): string {
  const { tenant, id } = principal
  return JSON.stringify(share === 'session' && session !== undefined ? [tenant, id, session] : [tenant, id])
}

/** Which connection a call goes over. With `all` the server is told of no client that it could ask. */
export function askingOf(request: CallRequest, share: Share, hasRoots: boolean): Asking {
  if (share === 'all') return FOR_ALL
  const capabilities = passedOn(request.clientCapabilities, hasRoots)
  return { key: JSON.stringify([ownerOf(request, share), Object.entries(capabilities).toSorted(byName)]), capabilities }
}

/**
 * The same for a server that runs elsewhere: each tenant and each credential has connections of its own, since the server knows its
 * clients by them.
 */
export function askingElsewhere(asking: Asking, { principal: { tenant } }: CallRequest, credential: string): Asking {
  if (tenant === undefined && credential === '') return asking
  return { ...asking, key: JSON.stringify([asking.key, tenant, credential]) }
}

export const FOR_ALL: Asking = Object.freeze({ key: 'all', capabilities: {} })

/** Reads what a server offers to a client that can do everything. */
export const FOR_LISTING: Asking = Object.freeze({
  key: 'listing',
  capabilities: { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} },
})

/** What of a client's abilities this host can pass on: its questions, and the folders it has open. */
function passedOn(client: Readonly<Record<string, unknown>>, hasRoots: boolean): ClientCapabilities {
  const { elicitation, sampling, roots } = client
  return {
    ...(isObject(elicitation) && { elicitation: elicitation as NonNullable<ClientCapabilities['elicitation']> }),
    ...(isObject(sampling) && { sampling }),
    ...((hasRoots || isObject(roots)) && { roots: {} }),
  }
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : Number(a > b)
}
