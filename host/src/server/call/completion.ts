import type { CompletionInput } from '@mcp-patchbay/plugin-api'
import { InvalidResult, serialise, type Bounds } from '../../data/content.ts'
import { hostError } from '../../errors.ts'
import type { SnapshotPrompt, SnapshotTemplate } from '../catalog/snapshot.ts'
import { refusal } from '../catalog/visibility.ts'
import { asksNothing, useAccount } from './account/account-layer.ts'
import { hidingCredentials, liveFor } from './call-credentials.ts'
import { deny, limitRate, observeOther } from './call-layers.ts'
import { compose } from './middleware.ts'
import { runIn, type CallTimes } from './running-call.ts'
import type { CallDeps, Calls, PendingCall } from './types.ts'

/** The way of a completion: who may not see the prompt or the template may not ask about it, and what its plugin gives is checked. */
export function createCompletions(deps: CallDeps, times: CallTimes, bounds: () => Bounds): Calls['complete'] {
  const complete = compose<PendingCompletion, readonly string[]>(
    [
      observeOther(deps, 'completion/complete'),
      ...limitRate<readonly string[]>(deps),
      ...useAccount<readonly string[]>(deps, asksNothing),
    ],
    async ({ item, args, caller, io }) => {
      const life = { name: item.name, timeoutMs: deps.limits().callTimeoutMs, caller, io }
      const of = item.kind === 'prompt' ? 'prompt' : 'resource'
      const value = await runIn(liveFor(item, caller), life, times, async (running, request) =>
        running.complete?.(of, item.localName, args, request),
      )
      return valuesIn(value, bounds())
    },
  )

  return (snapshot, caller, ref, input, io) => {
    const [kind, name] = 'prompt' in ref ? (['prompt', ref.prompt] as const) : (['resource', ref.template] as const)
    const item = kind === 'prompt' ? snapshot.prompts.get(name) : snapshot.templates.find(({ wire }) => wire.uriTemplate === name)
    const refused = item ? refusal(item, caller, snapshot.policy) : 'unknown'
    if (!item || refused) {
      deny({ kind, name, caller, io }, refused ?? 'unknown', deps)
      const unknown = kind === 'prompt' ? hostError('PROMPT_UNKNOWN', { name }) : hostError('RESOURCE_UNKNOWN', { uri: name })
      return Promise.reject(unknown)
    }
    if (!item.surface.completes) return Promise.resolve([])
    const call: PendingCompletion = { kind, name, item, caller, args: input, io, outcome: 'ok' }
    return hidingCredentials(caller, deps.redact, () => complete(call))
  }
}

interface PendingCompletion extends PendingCall<SnapshotPrompt | SnapshotTemplate> {
  readonly args: CompletionInput
}

/** Throws `InvalidResult` for what is not a list of texts, and for more than a result may have. */
function valuesIn(value: unknown, bounds: Bounds): readonly string[] {
  if (value === undefined) return []
  const values: unknown = JSON.parse(serialise(value, 'values for a completion', bounds))
  if (!Array.isArray(values) || !values.every((one) => typeof one === 'string'))
    throw new InvalidResult('completes with something else than a list of texts')
  return values
}
