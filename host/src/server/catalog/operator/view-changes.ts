import type { JsonObject } from '../../../data/json.ts'
import { compareJson, type JsonChange } from '../../../pin/difference/json-changes.ts'
import type { Caller } from '../caller.ts'
import type { Snapshot } from '../snapshot.ts'
import { viewOf, type View } from '../view.ts'

/** One thing that a caller is listed otherwise than before. */
export interface ViewChange {
  readonly kind: 'tool' | 'prompt' | 'resource'
  /** As clients see it; of a resource its URI. */
  readonly name: string
  readonly change: 'added' | 'removed' | 'changed'
  /** Of a changed one: where its definition differs. */
  readonly fields?: readonly JsonChange[]
}

/** What `caller` is listed otherwise in `current` than in `previous`, whatever the reason: an edit, the config, the lock. */
export function viewChanges(previous: Snapshot, current: Snapshot, caller: Caller): readonly ViewChange[] {
  const before = viewOf(previous, caller)
  const after = viewOf(current, caller)
  return before === after ? [] : KINDS.flatMap(({ kind, of }) => changesOf(kind, of(before), of(after)))
}

type Definition = JsonObject

const KINDS: readonly { readonly kind: ViewChange['kind']; readonly of: (view: View) => ReadonlyMap<string, Definition> }[] = [
  { kind: 'tool', of: ({ tools }) => new Map(tools.map((tool) => [tool.name, tool])) },
  { kind: 'prompt', of: ({ prompts }) => new Map(prompts.map((prompt) => [prompt.name, prompt])) },
  {
    kind: 'resource',
    of: ({ resources, templates }) =>
      new Map([
        ...resources.map((resource): [string, Definition] => [resource.uri, resource]),
        ...templates.map((template): [string, Definition] => [template.uriTemplate, template]),
      ]),
  },
]

function changesOf(
  kind: ViewChange['kind'],
  before: ReadonlyMap<string, Definition>,
  after: ReadonlyMap<string, Definition>,
): readonly ViewChange[] {
  const added = [...after.keys()].filter((name) => !before.has(name))
  const removed = [...before.keys()].filter((name) => !after.has(name))
  const changed = [...after].flatMap(([name, now]): ViewChange[] => {
    const was = before.get(name)
    // What was not built again is the same object.
    if (was === undefined || was === now) return []
    const fields = compareJson(was, now)
    return fields.length === 0 ? [] : [{ kind, name, change: 'changed', fields }]
  })
  return [
    ...added.map((name): ViewChange => ({ kind, name, change: 'added' })),
    ...removed.map((name): ViewChange => ({ kind, name, change: 'removed' })),
    ...changed,
  ]
}
