import type { JsonValue } from '../data/json.ts'
import { digestJson, type Digest } from './digest.ts'
import type { LockedTool } from './lock/lock.ts'

/**
 * One tool, resource or prompt as it goes over the wire: everything a client sees of it. For a tool: name, title, description,
 * inputSchema, outputSchema, annotations, icons, execution, _meta.
 */
export type WireDescriptor = Readonly<Record<string, JsonValue>>

/** All that a plugin shows to clients. Tools are keyed by their name without the instance prefix, as in mcp.lock.json. */
export interface PluginDescriptors {
  readonly tools: Readonly<Record<string, { readonly access: 'read' | 'write'; readonly descriptor: WireDescriptor }>>
  readonly resources?: readonly WireDescriptor[]
  readonly resourceTemplates?: readonly WireDescriptor[]
  readonly prompts?: readonly WireDescriptor[]
}

/** The digests of all that a plugin shows to clients. */
export interface SurfaceDigests {
  readonly tools: Readonly<Record<string, LockedTool>>
  /** Resources, resource templates and prompts together; the lock holds them only as part of `surface`. */
  readonly others: Digest
  /** The whole: equal exactly when every tool and every other descriptor is equal. */
  readonly surface: Digest
}

/** The digests of `descriptors`; the order in which a plugin declares things does not matter. Throws `PIN_NOT_JSON`. */
export function digestSurface(descriptors: PluginDescriptors): SurfaceDigests {
  const entries = Object.entries(descriptors.tools)
  const tools = Object.fromEntries(
    entries.map(([name, { access, descriptor }]) => [name, Object.freeze({ digest: digestTool(descriptor), access })]),
  )
  const others = digestJson({
    resources: digestSet(descriptors.resources),
    resourceTemplates: digestSet(descriptors.resourceTemplates),
    prompts: digestSet(descriptors.prompts),
  })
  return Object.freeze({ tools: Object.freeze(tools), others, surface: combineSurface(tools, others) })
}

/** The digest of one tool, over everything a client sees of it. Throws `PIN_NOT_JSON`. */
export function digestTool(descriptor: WireDescriptor): Digest {
  return digestJson(descriptor)
}

/**
 * The digest of the whole from the digests of its parts. Because it takes only digests, a lock entry and the `others` of a running
 * plugin are enough to tell whether something besides the tools has changed.
 */
export function combineSurface(tools: Readonly<Record<string, LockedTool>>, others: Digest): Digest {
  return digestJson({ tools: Object.fromEntries(Object.entries(tools).map(([name, { digest }]) => [name, digest])), others })
}

function digestSet(descriptors: readonly WireDescriptor[] = []): Digest[] {
  return descriptors.map((descriptor) => digestJson(descriptor)).toSorted()
}
