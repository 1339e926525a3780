import type { Caller } from './caller.ts'
import type { Snapshot } from './snapshot.ts'
import { viewOf, type View } from './view.ts'
import { explain, type Explanation } from './visibility.ts'

/** How a caller comes to a tool that it may call. */
export interface Reach {
  /** Whether the list has it. */
  readonly listed: boolean
  /** Whether `tools_search` finds it and `tools_call` calls it. */
  readonly found: boolean
}

/** By which ways `caller` reaches the tool `name`; by neither what it may not call. */
export function reachOf(view: View, name: string): Reach {
  const listed = view.tools.some((tool) => tool.name === name)
  return { listed, found: view.search !== undefined && view.callable.some((tool) => tool.name === name) }
}

export interface ReachedExplanation extends Explanation, Reach {}

/** The chain of rules, and the ways that lead to what they let through. The host's own tools are there while `tools.search` lists them. */
export function explainReach(snapshot: Snapshot, name: string, caller: Caller): ReachedExplanation {
  const view = viewOf(snapshot, caller)
  const reach = reachOf(view, name)
  const own =
    snapshot.search && [snapshot.search.search, snapshot.search.describe, snapshot.search.call].find((tool) => tool.name === name)
  if (!own) return { ...explain(snapshot, name, caller), ...reach }
  const { source, search } = snapshot.policy
  const seen = `the caller may call ${view.callable.length}`
  const verdict = view.search ? 'pass' : 'refuse'
  const because = view.search
    ? `${source}: tools.search is on, and ${seen} tools`
    : `${source}: tools.search is on for callers of more than ${search?.above} tools, and ${seen}`
  return {
    tool: name,
    visible: view.search !== undefined,
    decidedBy: view.search ? null : 'unknown',
    chain: [{ rule: 'unknown', verdict, source: because }],
    ...reach,
  }
}
