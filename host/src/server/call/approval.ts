import { createHash } from 'node:crypto'
import { elicit } from '@mcp-patchbay/plugin-api/host'
import { errorResult } from '../../data/content.ts'
import { isObject } from '../../data/json.ts'
import type { CallIO, ToolAnswer } from './types.ts'

/** The question's key; a plugin's own questions cannot have it, since names of its tools begin elsewhere. */
const KEY = 'patchbay_approval'

/**
 * For a tool with `approval: 'required'`: the question to the person, or the refusal; undefined when this call was approved. The state
 * carries a digest of the arguments, so that a yes to one call is no yes to another. Where the client cannot ask, the call is refused.
 */
export function approvalAnswer({ name, args, io }: { name: string; args: unknown; io: CallIO }): ToolAnswer | undefined {
  const digest = createHash('sha256').update(JSON.stringify(args)).digest('base64url')
  const answer = io.inputResponses?.[KEY]
  if (answer) {
    const asked = isObject(io.requestState) ? io.requestState['approval'] : undefined
    if (asked === digest && answer.action === 'accept' && answer.content?.['approve'] === true) return undefined
    return { kind: 'result', result: errorResult(`${name} was not approved, so it did not run.`) }
  }
  if (!isObject(io.clientCapabilities?.['elicitation']))
    return {
      kind: 'result',
      result: errorResult(`${name} needs a person's approval, and this client cannot ask for it. It did not run.`),
    }
  const schema = { type: 'object', properties: { approve: { type: 'boolean', title: 'Run it' } }, required: ['approve'] }
  return {
    kind: 'inputRequired',
    requests: { [KEY]: elicit(`Run ${name} with ${JSON.stringify(args).slice(0, 1_000)}?`, schema) },
    state: { approval: digest },
  }
}
