import { toolResult, errorResult, type Bounds } from '../../data/content.ts'
import type { Caller } from '../catalog/caller.ts'
import { DEFAULT_HITS, TOOLS_DESCRIBE, TOOLS_SEARCH } from '../catalog/search-tools.ts'
import type { Snapshot, WireTool } from '../catalog/snapshot.ts'
import { findTool, viewOf } from '../catalog/view.ts'
import type { ToolAnswer } from './types.ts'

/** A call of one of the host's own tools, with arguments that fit its schema. */
export interface SearchCall {
  readonly snapshot: Snapshot
  readonly caller: Caller
  readonly name: string
  readonly args: unknown
}

/** What the host's own tools answer: of what the caller may call, and of nothing else. */
export async function searchAnswer({ snapshot, caller, name, args }: SearchCall, bounds: Bounds): Promise<ToolAnswer> {
  const { maxBytes } = bounds
  switch (name) {
    case TOOLS_SEARCH:
      return answer(await search(args as SearchInput, snapshot, caller, maxBytes), bounds)
    case TOOLS_DESCRIBE:
      return answer(describe((args as DescribeInput).names, snapshot, caller, maxBytes), bounds)
    default:
      return { kind: 'result', result: errorResult(`${name} calls other tools, not itself`) }
  }
}

/** For a call by `tools_call` of what does not exist or may not be seen: the two are one answer. */
export function unknownTool(name: string): ToolAnswer {
  return { kind: 'result', result: errorResult(`Unknown tool: ${name.slice(0, 256)}. Find tools with ${TOOLS_SEARCH}.`) }
}

interface SearchInput {
  readonly query: string
  readonly limit?: number
}

interface DescribeInput {
  readonly names: readonly string[]
}

async function search(
  { query, limit = DEFAULT_HITS }: SearchInput,
  snapshot: Snapshot,
  caller: Caller,
  maxBytes: number,
): Promise<object> {
  const view = viewOf(snapshot, caller)
  const byName = new Map(view.callable.map(({ name, wire }) => [name, wire]))
  const found = ((await view.search?.find(query)) ?? []).flatMap((name) => byName.get(name) ?? []).slice(0, limit)
  if (found.length === 0)
    return {
      tools: [],
      hint: `Nothing fits. Try other words; the services here are: ${view.services.map(({ instance }) => instance).join(', ')}`,
    }
  let left = Math.min(MAX_WHOLE_CHARACTERS, maxBytes / 4)
  return {
    tools: found.map((wire, index) => {
      const whole = definitionOf(wire)
      left -= JSON.stringify(whole).length
      return index < MAX_WHOLE && left >= 0 ? whole : briefly(wire)
    }),
  }
}

function describe(names: readonly string[], snapshot: Snapshot, caller: Caller, maxBytes: number): object {
  const tools: WireTool[] = []
  const unknown: string[] = []
  const tooMuch: string[] = []
  let left = maxBytes / 2
  for (const name of new Set(names)) {
    const tool = findTool(snapshot, caller, name)
    if (typeof tool === 'string') unknown.push(name)
    else if ((left -= JSON.stringify(tool.wire).length) < 0) tooMuch.push(name)
    else tools.push(tool.wire)
  }
  return {
    tools,
    ...(unknown.length > 0 && { unknown }),
    ...(tooMuch.length > 0 && { notShown: tooMuch, hint: 'The answer would be too long: ask for fewer at a time' }),
  }
}

/** The best so many hits come with their whole definition, as long as they have no more characters than this together. */
const MAX_WHOLE = 5
const MAX_WHOLE_CHARACTERS = 16_000

/** What is needed for a call. Pictures and metadata are for clients, which get them from `tools_describe`. */
function definitionOf({ icons: _icons, _meta, ...definition }: WireTool): object {
  return definition
}

function briefly({ name, description }: WireTool): object {
  const [first = ''] = /^[^\n]*?[.!?](?=\s|$)/.exec(description) ?? [description]
  return { name, description: first.length > MAX_BRIEF ? `${first.slice(0, MAX_BRIEF)}…`.toWellFormed() : first }
}

const MAX_BRIEF = 160

function answer(value: object, bounds: Bounds): ToolAnswer {
  return { kind: 'result', result: toolResult(value, { structured: true, ...bounds }) }
}
