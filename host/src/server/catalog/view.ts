import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Caller } from './caller.ts'
import type { ServerInfo } from './server-info.ts'
import { innerCall, TOOLS_CALL, type InnerCall } from './search-tools.ts'
import { refusal, type RefusalCode } from './visibility.ts'
import type { Snapshot, SnapshotItem, SnapshotTool, WirePrompt, WireResource, WireTemplate, WireTool } from './snapshot.ts'

/** The lists of one generation for one class of callers, computed once. */
export interface View {
  readonly server: ServerInfo
  /** The operator's own words to the model. */
  readonly instructions: string | undefined
  /** As they are listed. */
  readonly tools: readonly WireTool[]
  /** Every tool that this class may call, listed or not. */
  readonly callable: readonly SnapshotTool[]
  /** The host's own tools of this class, by name, and what they search; undefined where every tool is listed. */
  readonly search: ViewSearch | undefined
  readonly prompts: readonly WirePrompt[]
  readonly resources: readonly WireResource[]
  readonly templates: readonly WireTemplate[]
  /** The plugins that this class sees something of. */
  readonly services: readonly { readonly instance: string; readonly description: string | undefined }[]
}

export interface ViewSearch {
  readonly tools: ReadonlyMap<string, SnapshotTool>
  /** Names of those of the view that fit, the best first. */
  readonly find: (query: string) => Promise<readonly string[]>
}

export const LIST_KINDS = ['tools', 'prompts', 'resources'] as const
export type ListKind = (typeof LIST_KINDS)[number]
/** One text per list, the same for the same list. */
export type ListDigests = Readonly<Record<ListKind, string>>

/** Classes follow from scopes and headers, which callers choose: bounded, so that they cannot fill the memory. */
const MAX_CLASSES = 256

const views = new WeakMap<Snapshot, LRUCache<string, View>>()

/** What `caller` sees of `snapshot`. The same object for every caller of the class while it is remembered. */
export function viewOf(snapshot: Snapshot, caller: Caller): View {
  let classes = views.get(snapshot)
  if (!classes) views.set(snapshot, (classes = new LRUCache({ max: MAX_CLASSES })))
  let view = classes.get(caller.classKey)
  if (!view) classes.set(caller.classKey, (view = computeView(snapshot, caller)))
  return view
}

/** Which of a caller's lists differ between two generations; none when only code changed. */
export function changedKinds(previous: Snapshot, current: Snapshot, caller: Caller): ReadonlySet<ListKind> {
  const before = listDigests(previous, caller)
  const after = listDigests(current, caller)
  return new Set(LIST_KINDS.filter((kind) => before[kind] !== after[kind]))
}

function computeView(snapshot: Snapshot, caller: Caller): View {
  const visible = (item: SnapshotItem) => refusal(item, caller, snapshot.policy) === undefined
  const tools = [...snapshot.tools.values()].filter(visible)
  const prompts = [...snapshot.prompts.values()].filter(visible)
  const resources = [...snapshot.resources.values()].filter(visible)
  const templates = snapshot.templates.filter(visible)
  const search = searchOf(snapshot, caller, tools)
  const listed = search
    ? [...search.tools.values(), ...tools.filter(({ name, tags }) => snapshot.policy.search?.keeps(name, tags))]
    : tools
  const seen = new Set([...tools, ...prompts, ...resources, ...templates].map(({ plugin }) => plugin))
  return Object.freeze({
    server: snapshot.policy.server,
    instructions: snapshot.policy.instructions,
    tools: Object.freeze(listed.map(({ wire }) => wire)),
    callable: Object.freeze(tools),
    search,
    prompts: Object.freeze(prompts.map(({ wire }) => wire)),
    resources: Object.freeze(resources.map(({ wire }) => wire)),
    templates: Object.freeze(templates.map(({ wire }) => wire)),
    services: Object.freeze([...seen].map(({ instance, surface }) => ({ instance, description: surface?.description }))),
  })
}

/** Nothing is gained where all that would be hidden is kept, or there is nothing. */
function searchOf({ search, policy }: Snapshot, { classKey }: Caller, tools: readonly SnapshotTool[]): ViewSearch | undefined {
  const rule = policy.search
  if (!search || !rule || tools.length <= rule.above || tools.every(({ name, tags }) => rule.keeps(name, tags))) return undefined
  const call = tools.some(({ access }) => access === 'write') ? search.call : search.callReadOnly
  // Begun with the view, so that the first search finds it done.
  search.indexOf(classKey, tools)
  return Object.freeze({
    tools: new Map([search.search, search.describe, call].map((tool) => [tool.name, tool])),
    find: (query: string) => search.indexOf(classKey, tools).find(query, tools),
  })
}

/** The tool of this name, when the caller may call it; else the rule that refuses. The host's own tools exist where they are listed. */
export function findTool(snapshot: Snapshot, caller: Caller, name: string): SnapshotTool | RefusalCode {
  const tool = snapshot.tools.get(name)
  if (tool) return refusal(tool, caller, snapshot.policy) ?? tool
  return (snapshot.search && viewOf(snapshot, caller).search?.tools.get(name)) ?? 'unknown'
}

/**
 * The tool that a call by `tools_call` is of. From here on it is that tool's own call: whatever looks at the name, the arguments or the
 * definition looks at the tool's. Undefined for any other call.
 */
export function innerCallOf(snapshot: Snapshot, caller: Caller, name: string, args: unknown): InnerCall | undefined {
  if (name !== TOOLS_CALL || !snapshot.search || !viewOf(snapshot, caller).search) return undefined
  return innerCall(args)
}

const digestsOf = new WeakMap<View, ListDigests>()

/** The digests of a caller's lists. Computed when generations are compared, which a host without subscribers or replicas never does. */
export function listDigests(snapshot: Snapshot, caller: Caller): ListDigests {
  const view = viewOf(snapshot, caller)
  let known = digestsOf.get(view)
  if (!known) {
    known = { tools: digest(view.tools), prompts: digest(view.prompts), resources: digest(view.resources, view.templates) }
    digestsOf.set(view, known)
  }
  return known
}

/** The same, but of tools also those that are found and not listed: the list of another class may have them. */
export function callableDigests(snapshot: Snapshot, caller: Caller): ListDigests {
  const digests = listDigests(snapshot, caller)
  const { search, callable } = viewOf(snapshot, caller)
  return search ? { ...digests, tools: digest(callable.map(({ wire }) => wire)) } : digests
}

function digest(...lists: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(lists)).digest('base64')
}
