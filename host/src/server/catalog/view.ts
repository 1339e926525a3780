import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Caller } from './caller.ts'
import { refusal } from './visibility.ts'
import type { Snapshot, SnapshotItem, WirePrompt, WireResource, WireTemplate, WireTool } from './snapshot.ts'

/** The lists of one generation for one class of callers, computed once. */
export interface View {
  readonly tools: readonly WireTool[]
  readonly prompts: readonly WirePrompt[]
  readonly resources: readonly WireResource[]
  readonly templates: readonly WireTemplate[]
  /** The plugins that this class sees something of. */
  readonly services: readonly { readonly instance: string; readonly description: string | undefined }[]
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
  const seen = new Set([...tools, ...prompts, ...resources, ...templates].map(({ plugin }) => plugin))
  return Object.freeze({
    tools: Object.freeze(tools.map(({ wire }) => wire)),
    prompts: Object.freeze(prompts.map(({ wire }) => wire)),
    resources: Object.freeze(resources.map(({ wire }) => wire)),
    templates: Object.freeze(templates.map(({ wire }) => wire)),
    services: Object.freeze([...seen].map(({ instance, surface }) => ({ instance, description: surface?.description }))),
  })
}

const digestsOf = new WeakMap<View, ListDigests>()

/** The digests of a caller's lists. Computed when generations are compared, which a host without subscribers or replicas never does. */
export function listDigests(snapshot: Snapshot, caller: Caller): ListDigests {
  const view = viewOf(snapshot, caller)
  let known = digestsOf.get(view)
  if (!known) {
    const digest = (...lists: unknown[]) => createHash('sha256').update(JSON.stringify(lists)).digest('base64')
    known = { tools: digest(view.tools), prompts: digest(view.prompts), resources: digest(view.resources, view.templates) }
    digestsOf.set(view, known)
  }
  return known
}
