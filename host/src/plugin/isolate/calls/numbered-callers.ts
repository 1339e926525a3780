import type { Principal } from '@mcp-patchbay/plugin-api'
import type { CallerFacts, HostNotifications } from '../channel/messages.ts'
import type { OpaqueCallers } from './opaque-callers.ts'

/** The callers that a process was notified of: a call sends the number of its caller instead of all facts. One for each process. */
export interface NumberedCallers {
  /** What the plugin may know of the caller. */
  facts(principal: Principal, capabilities: Capabilities, credentialKey: string): CallerFacts
  /** The number of these facts. The notification is written before the call that uses the number. Undefined for facts that are too long to keep. */
  numberOf(principal: Principal, capabilities: Capabilities, credentialKey: string): number | undefined
}

type Capabilities = Readonly<Record<string, unknown>>

/** A number can be given to another caller: the process has read every earlier call by then. */
const NUMBERS = 1_024
/** One caller's clients and credentials. */
const MOST_OF_ONE = 16
const LONGEST = 4_096

export function createNumberedCallers(
  { opaque, hide }: OpaqueCallers,
  notify: (facts: HostNotifications['facts']) => void,
): NumberedCallers {
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
      notify({ number: next.number, ...facts(principal, capabilities, credentialKey) })
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
