import type { Content, InputRequest, PromptMessage, ResourceLink } from '@mcp-patchbay/plugin-api'
import type { ToolResult } from '../../data/content.ts'
import type { View } from '../catalog/view.ts'

/** A revision of the protocol that a client speaks, as it negotiated or named it. They sort as text. */
export type Revision = (typeof REVISIONS)[number]

/** The handshake and its sessions, 2025 and before, or requests that say everything themselves, since 2026-07-28. */
export type Era = 'legacy' | 'modern'

const REVISIONS = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28'] as const
export const MODERN: Revision = '2026-07-28'
/** What the specification wants to be taken for a client that says nothing. */
const UNSAID: Revision = '2025-03-26'

/** The revision of this name; that of a client that said nothing where there is none. Older than the oldest is the oldest. */
export function revisionOf(name: unknown): Revision {
  if (name === '2024-10-07') return '2024-11-05'
  return REVISIONS.find((revision) => revision === name) ?? UNSAID
}

/** The revision that brought something. Earlier clients are not sent it: some refuse the whole answer because of it. */
const SINCE = {
  audio: '2025-03-26',
  toolAnnotations: '2025-03-26',
  progressMessage: '2025-03-26',
  resourceLink: '2025-06-18',
  structured: '2025-06-18',
  title: '2025-06-18',
  meta: '2025-06-18',
  lastModified: '2025-06-18',
  elicitation: '2025-06-18',
  icons: '2025-11-25',
  urlElicitation: '2025-11-25',
  samplingTools: '2025-11-25',
} as const satisfies Readonly<Record<string, Revision>>

/** Whether a revision has something. */
export function knows(revision: Revision, feature: keyof typeof SINCE): boolean {
  return revision >= SINCE[feature]
}

const views = new WeakMap<View, Map<Revision, View>>()

/** The lists as a revision knows them: fields that it lacks are left out. The same object for the same view. */
export function viewAt(view: View, revision: Revision): View {
  if (knows(revision, 'icons')) return view
  let known = views.get(view)
  if (!known) views.set(view, (known = new Map()))
  let found = known.get(revision)
  if (!found) {
    const fit = <Item extends object>(items: readonly Item[]) => items.map((item) => withoutUnknown(item, revision))
    const { tools, prompts, resources, templates } = view
    found = { ...view, tools: fit(tools), prompts: fit(prompts), resources: fit(resources), templates: fit(templates) }
    known.set(revision, found)
  }
  return found
}

/** Items of a list as a revision knows them. */
export function itemsAt<Item extends object>(items: readonly Item[], revision: Revision): readonly Item[] {
  return knows(revision, 'icons') ? items : items.map((item) => withoutUnknown(item, revision))
}

function withoutUnknown<Item extends object>(item: Item, revision: Revision): Item {
  const lacking = FIELDS.filter(([field, feature]) => field in item && !knows(revision, feature)).map(([field]) => field)
  if (lacking.length === 0) return item
  return Object.fromEntries(Object.entries(item).filter(([field]) => !lacking.includes(field))) as Item
}

const FIELDS: readonly (readonly [field: string, feature: keyof typeof SINCE])[] = [
  ['icons', 'icons'],
  ['title', 'title'],
  ['_meta', 'meta'],
  ['outputSchema', 'structured'],
  ['annotations', 'toolAnnotations'],
]

/** A result as a revision knows it. What it cannot hold otherwise is text already: the text of a structured answer is its JSON. */
export function resultAt(result: ToolResult, revision: Revision): ToolResult {
  if (knows(revision, 'icons')) return result
  const { structuredContent, content, ...rest } = result
  return {
    ...rest,
    content: content.map((item) => contentAt(item, revision)),
    ...(structuredContent !== undefined && knows(revision, 'structured') && { structuredContent }),
  }
}

/** The messages of a prompt as a revision knows them. */
export function messagesAt(messages: readonly PromptMessage[], revision: Revision): readonly PromptMessage[] {
  if (knows(revision, 'icons')) return messages
  return messages.map((message) => ({ ...message, content: contentAt(message.content, revision) }))
}

/** What was read as a revision knows it. */
export function contentsAt<Contents extends object>(contents: readonly Contents[], revision: Revision): readonly Contents[] {
  return knows(revision, 'meta') ? contents : contents.map((item) => withoutUnknown(item, revision))
}

function contentAt(item: Content, revision: Revision): Content {
  if (item.type === 'resource_link' && !knows(revision, 'resourceLink')) return asText(item, linkText(item), revision)
  if (item.type === 'audio' && !knows(revision, 'audio')) return asText(item, audioText(item), revision)
  if (item.type === 'resource') {
    const [resource] = contentsAt([item.resource], revision)
    return annotated({ ...item, ...(resource && { resource }) }, revision)
  }
  return annotated(item, revision)
}

function asText({ annotations }: Content, text: string, revision: Revision): Content {
  return annotated({ type: 'text', text, ...(annotations && { annotations }) }, revision)
}

/** The annotations of content are older than those of tools; one of them is not. */
function annotated(item: Content, revision: Revision): Content {
  const { annotations, ...rest } = item
  const kept = withoutUnknown(rest, revision)
  if (!annotations) return kept
  const { lastModified, ...older } = annotations
  return {
    ...kept,
    annotations: lastModified !== undefined && knows(revision, 'lastModified') ? annotations : older,
  }
}

/** A link as Markdown has it. */
function linkText({ title, name, uri, description }: ResourceLink): string {
  const label = (title ?? name).replaceAll(/[[\]\\]/g, String.raw`\$&`)
  return `[${label}](${uri})${description ? `: ${description}` : ''}`
}

function audioText({ mimeType, data }: { readonly mimeType: string; readonly data: string }): string {
  return `[audio, ${mimeType}, ${Math.floor((data.length * 3) / 4)} bytes: not sent, since the client's revision of the protocol has no audio]`
}

/** What a client can do, without what its revision has no words for. */
export function capabilitiesAt(
  capabilities: Readonly<Record<string, unknown>> | undefined,
  revision: Revision,
): Readonly<Record<string, unknown>> | undefined {
  if (!capabilities || knows(revision, 'icons')) return capabilities
  const { elicitation, sampling, ...rest } = capabilities
  return {
    ...rest,
    ...(sampling !== undefined && { sampling: {} }),
    ...(elicitation !== undefined && knows(revision, 'elicitation') && { elicitation: {} }),
  }
}

/** Why a client of this revision cannot be asked this; undefined when it can, if it declared so. */
export function cannotAsk({ method, params }: InputRequest, revision: Revision): string | undefined {
  if (method === 'elicitation/create') {
    if (!knows(revision, 'elicitation')) return `revision ${revision} of the protocol has no elicitation`
    if (params['mode'] === 'url' && !knows(revision, 'urlElicitation'))
      return `revision ${revision} of the protocol has no elicitation by URL`
  }
  const wantsTools = params['tools'] !== undefined || params['toolChoice'] !== undefined
  if (method === 'sampling/createMessage' && wantsTools && !knows(revision, 'samplingTools'))
    return `revision ${revision} of the protocol has no tools for sampling`
  return undefined
}
