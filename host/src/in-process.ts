import { Cancellation } from './server/call/cancellation.ts'
import type { Calls } from './server/call/types.ts'
import type { Caller } from './server/catalog/caller.ts'
import type { Registry } from './server/catalog/registry.ts'
import { viewOf } from './server/catalog/view.ts'
import type { Host } from './types.ts'

/** What a host does for who asks it in process: through the same pipeline as for any client. */
export function inProcess({
  calls,
  registry,
  operator,
}: {
  readonly calls: Calls
  readonly registry: Registry
  readonly operator: Caller
}): Pick<Host, 'call' | 'prompt' | 'read' | 'offers'> {
  const ioOf = (io = {}) => ({ cancellation: new Cancellation(), requestId: crypto.randomUUID(), ...io })
  return {
    call: (name, input, { caller = operator, io } = {}) =>
      // A copy: checking the arguments fills in defaults, and these are the embedder's.
      calls.tool(registry.current, caller, name, structuredClone(input), ioOf(io)),
    prompt: (name, args = {}, { caller = operator, io } = {}) =>
      calls.prompt(registry.current, caller, name, { ...args }, ioOf(io)),
    read: (uri, { caller = operator, io } = {}) => calls.resource(registry.current, caller, uri, ioOf(io)),
    offers(caller = operator) {
      const { prompts, resources, templates } = viewOf(registry.current, caller)
      return { prompts, resources, templates }
    },
  }
}
