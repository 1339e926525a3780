import type { Principal } from '@mcp-patchbay/plugin-api'
import type { CallerFacts, HostNotifications } from '../channel/messages.ts'
import type { OpaqueCallers } from './opaque-callers.ts'

/** What a process was told of callers, so that a call says a number and not all of it again. One for each process. */
export interface ToldCallers {
  /** What the plugin may know of the caller. */
  facts(principal: Principal, capabilities: Capabilities, credentialKey: string): CallerFacts
  /** The number of the same, which was told before a call that is written next; undefined for what is too long to be kept. */
  numberOf(principal: Principal, capabilities: Capabilities, credentialKey: string): number | undefined
}

type Capabilities = Readonly<Record<string, unknown>>

/** A number that is given to another caller stands for that one from then on: what was written before has been read by then. */
const NUMBERS = 1_024
/** One caller's clients and credentials. */
const MOST_OF_ONE = 16
const LONGEST = 4_096

export function createToldCallers(
  { opaque, hide }: OpaqueCallers,
  tell: (facts: HostNotifications['facts']) => void,
): ToldCallers {
  const known = new WeakMap<Principal, Map<string, Known>>()
  const owners: (Known | undefined)[] = []
  let last = -1

  function facts(principal: Principal, clientCapabilities: Capabilities, credentialKey: string): CallerFacts {
    return { principal: opaque(principal), clientCapabilities, credentialKey: hide(credentialKey) }
  }

  return {
    facts,
    numberOf(principal, capabilities, credentialKey) {
      const said = isEmpty(capabilities) ? '' : JSON.stringify(capabilities)
      if (said.length > LONGEST) return undefined
      const key = said === '' ? credentialKey : `${credentialKey} ${said}`
      let own = known.get(principal)
      const before = own?.get(key)
      if (before && owners[before.number] === before) return before.number
      if (!own || own.size >= MOST_OF_ONE) known.set(principal, (own = new Map()))
      const next: Known = { number: (last = (last + 1) % NUMBERS) }
      own.set(key, next)
      owners[next.number] = next
      tell({ number: next.number, ...facts(principal, capabilities, credentialKey) })
      return next.number
    },
  }
}

interface Known {
  readonly number: number
}

function isEmpty(capabilities: Capabilities): boolean {
  for (const _name in capabilities) return false
  return true
}
