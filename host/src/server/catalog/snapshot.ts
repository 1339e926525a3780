import type { PluginEntry } from '../../config/schema/schema.ts'
import { isObject, type JsonObject } from '../../data/json.ts'
import type { Validator, Validators } from '../../data/schema/validate.ts'
import type { LivePlugin } from '../../plugin/run/live-plugin.ts'
import { fullName } from '../../plugin/run/names.ts'
import type { PluginReason, PluginRecord } from '../../plugin/run/plugin-record.ts'
import type { PromptSurface, ResourceSurface, ToolSurface } from '../../plugin/source/describe-surface.ts'
import { mountedMeta, urisOf, type PluginUris } from '../../plugin/run/plugin-uris.ts'
import type { Policy } from './policy.ts'
import type { UriTemplate } from '../../data/uri/uri-expressions.ts'
import { parseTemplate } from '../../data/uri/uri-template.ts'

/** The frozen state of everything that can be listed or called, of one generation. A call keeps the one it began with. */
export interface Snapshot {
  readonly generation: number
  readonly plugins: readonly PluginRecord[]
  /** What is in the folders of `pluginDirs` and is not served, with why. */
  readonly ignored: readonly PluginReason[]
  readonly policy: Policy
  /** By client-visible name, in the order of listing. Hidden ones are here too: the filter decides for each caller. */
  readonly tools: ReadonlyMap<string, SnapshotTool>
  readonly prompts: ReadonlyMap<string, SnapshotPrompt>
  /** By URI. */
  readonly resources: ReadonlyMap<string, SnapshotResource>
  readonly templates: readonly SnapshotTemplate[]
  /** There when `tools.search` is on. */
  readonly search: SearchCatalog | undefined
}

/** What callers with many tools search them by. One serves a whole host: a new generation indexes what changed. */
export interface SearchCatalog {
  /** The host's own tools, which stand in the list for those that are found. */
  readonly search: SnapshotTool
  readonly describe: SnapshotTool
  readonly call: SnapshotTool
  /** `call` for callers who see no tool that writes: clients ask a person before they call one that may. */
  readonly callReadOnly: SnapshotTool
  /** The index of a class of callers, on its way to `tools`. */
  readonly indexOf: (classKey: string, tools: readonly SnapshotTool[]) => ToolFinder
}

export interface ToolFinder {
  /** Names of those of `tools` that fit, the best first. Waits until they are indexed. */
  find(query: string, tools: readonly SnapshotTool[]): Promise<readonly string[]>
}

/** What the filter looks at, whatever kind of thing it is. */
export interface SnapshotItem {
  readonly kind: 'tool' | 'prompt' | 'resource' | 'template'
  /** As clients see it. */
  readonly name: string
  /** As its plugin names it: what `tools.allow` of an entry selects by. */
  readonly localName: string
  readonly access: 'read' | 'write'
  readonly tags: readonly string[]
  readonly permissions: readonly string[]
  readonly plugin: PluginRecord
  /** There when the URIs of its plugin carry the instance. */
  readonly uris?: PluginUris
}

export interface SnapshotTool extends SnapshotItem {
  readonly kind: 'tool'
  readonly surface: ToolSurface
  /** Undefined: the host's limit. */
  readonly timeoutMs: number | undefined
  /** A person says yes to each call, as its author or the operator wants. */
  readonly needsApproval: boolean
  /** Exactly what a client sees. */
  readonly wire: WireTool
  readonly validateInput: Validator
  readonly validateOutput: Validator | undefined
}

export interface SnapshotPrompt extends SnapshotItem {
  readonly kind: 'prompt'
  readonly surface: PromptSurface
  readonly wire: WirePrompt
  readonly validateArguments: Validator
}

export interface SnapshotResource extends SnapshotItem {
  readonly kind: 'resource'
  readonly surface: ResourceSurface
  readonly wire: WireResource
}

export interface SnapshotTemplate extends SnapshotItem {
  readonly kind: 'template'
  readonly surface: ResourceSurface
  readonly wire: WireTemplate
  readonly match: UriTemplate
}

export type WireTool = JsonObject & { readonly name: string; readonly description: string; readonly inputSchema: JsonObject }
export type WirePrompt = JsonObject & { readonly name: string }
export type WireResource = JsonObject & { readonly uri: string; readonly name: string }
export type WireTemplate = JsonObject & { readonly uriTemplate: string; readonly name: string }

/** Builds the snapshot of one generation. Order: the plugins' in the config, then the tools' in the plugin. Compiles no schema. */
export function buildSnapshot({
  generation,
  plugins,
  ignored = [],
  policy,
  validators,
  search,
}: {
  generation: number
  plugins: readonly PluginRecord[]
  ignored?: readonly PluginReason[]
  policy: Policy
  validators: Validators
  search: SearchCatalog
}): Snapshot {
  const tools = new Map<string, SnapshotTool>()
  const prompts = new Map<string, SnapshotPrompt>()
  const resources = new Map<string, SnapshotResource>()
  const templates: SnapshotTemplate[] = []
  const mounts = urisOf(plugins)
  for (const plugin of plugins) {
    // A plugin that was refused has nothing to call, and its names may be another's.
    if (!plugin.surface || plugin.state === 'failed') continue
    const uris = mounts.get(plugin)
    for (const surface of plugin.surface.tools) {
      const tool = snapshotTool(surface, { plugin, uris }, { validators, policy })
      tools.set(tool.name, tool)
    }
    for (const surface of plugin.surface.prompts) {
      const prompt = snapshotPrompt(surface, { plugin, uris }, validators)
      prompts.set(prompt.name, prompt)
    }
    for (const surface of plugin.surface.resources) {
      const item = snapshotItem(surface, { plugin, uris }, 'resource')
      const uri = uris?.mounted(surface.uri) ?? surface.uri
      const template = parseTemplate(uri)
      if (template)
        templates.push({
          ...item,
          kind: 'template',
          surface,
          match: template,
          wire: Object.freeze({ uriTemplate: uri, name: item.name, ...titled(surface) }),
        })
      else
        resources.set(uri, {
          ...item,
          kind: 'resource',
          surface,
          wire: Object.freeze({ uri, name: item.name, ...titled(surface) }),
        })
    }
  }
  return Object.freeze({
    generation,
    plugins,
    ignored,
    policy,
    tools,
    prompts,
    resources,
    templates: Object.freeze(templates),
    search: policy.search && search,
  })
}

/** The running version of an item's plugin. The filter lets nothing through that has none. */
export function liveOf({ plugin, name }: SnapshotItem): LivePlugin {
  if (!plugin.live) throw new Error(`${name} was let through without a running plugin`)
  return plugin.live
}

/** One plugin under one name. */
interface Mount {
  readonly plugin: PluginRecord
  readonly uris: PluginUris | undefined
}

function snapshotTool(
  surface: ToolSurface,
  of: Mount,
  { validators, policy }: { validators: Validators; policy: Policy },
): SnapshotTool {
  const item = snapshotItem(surface, of, 'tool')
  const { plugin, uris } = of
  const { name } = item
  const { inputSchema, outputSchema } = surface.wire
  const own = overrideOf(plugin.entry, surface.name)
  const { access } = surface
  const tags = tagsOf(plugin, access, surface.tags)
  const isWanted = () => policy.approval({ name, tags, access, isDestructive: isDestructive(surface) })
  return Object.freeze({
    ...item,
    kind: 'tool',
    access,
    tags,
    needsApproval: surface.approval === 'required' || own?.approval === 'required' || (own?.approval !== 'none' && isWanted()),
    permissions: own?.permissions ? [...surface.permissions, ...own.permissions] : surface.permissions,
    timeoutMs: own?.timeoutMs ?? surface.timeoutMs,
    surface,
    wire: Object.freeze({
      name,
      ...titled(surface),
      // oxlint-disable-next-line no-underscore-dangle -- the protocol's name
      ...(uris && surface.wire['_meta'] ? { _meta: mountedMeta(surface.wire['_meta'], uris) as JsonObject } : {}),
      ...(own?.title === undefined ? {} : { title: own.title }),
      ...(own?.description === undefined ? {} : { description: own.description }),
    }),
    validateInput: validators.completing(inputSchema),
    validateOutput: outputSchema ? validators.validator(outputSchema) : undefined,
  })
}

function isDestructive({ access, wire }: ToolSurface): boolean {
  const { annotations } = wire
  return access === 'write' && !(isObject(annotations) && annotations['destructiveHint'] === false)
}

function snapshotPrompt(surface: PromptSurface, of: Mount, validators: Validators): SnapshotPrompt {
  const item = snapshotItem(surface, of, 'prompt')
  return Object.freeze({
    ...item,
    kind: 'prompt',
    surface,
    wire: Object.freeze({ name: item.name, ...titled(surface) }),
    validateArguments: validators.completing(surface.schema),
  })
}

function snapshotItem(
  { name, permissions }: { name: string; permissions: readonly string[] },
  { plugin, uris }: Mount,
  kind: SnapshotItem['kind'],
): SnapshotItem {
  return {
    kind,
    name: fullName(plugin.instance, name),
    localName: name,
    access: 'read',
    tags: tagsOf(plugin, 'read'),
    permissions,
    plugin,
    ...(uris && { uris }),
  }
}

/**
 * What every item has, whatever its author wrote: its service, by both of its names, and its access; then the tags of its author, who
 * cannot call a tool that writes one that reads.
 */
function tagsOf({ instance, surface }: PluginRecord, access: string, own: readonly string[] = []): readonly string[] {
  return Object.freeze([
    ...new Set([instance, ...(surface ? [surface.name] : []), access, ...own.filter((tag) => tag !== 'read' && tag !== 'write')]),
  ])
}

/**
 * What clients see of an item, with a title made of its name where its author gave none: `issues_get` is "Issues get". Some clients drop
 * tools without one. The lock digests what the author wrote.
 */
function titled<Wire extends JsonObject>({ name, wire }: { readonly name: string; readonly wire: Wire }): Wire {
  if (typeof wire['title'] === 'string') return wire
  const words = name.replaceAll('_', ' ')
  return { title: `${words.charAt(0).toUpperCase()}${words.slice(1)}`, ...wire }
}

/** What the operator says of a tool: other words, more permissions, another time limit. What it does stays the plugin's. */
function overrideOf({ overrides }: PluginEntry, tool: string): PluginEntry['overrides'][string] | undefined {
  return Object.hasOwn(overrides, tool) ? overrides[tool] : undefined
}

/** The resource, or the template that matches, with the template's values. */
export function findResource(
  { resources, templates }: Snapshot,
  uri: string,
): { item: SnapshotResource | SnapshotTemplate; params: Readonly<Record<string, string>> } | undefined {
  const item = resources.get(uri)
  if (item) return { item, params: {} }
  for (const template of templates) {
    const params = template.match(uri)
    if (params) return { item: template, params }
  }
  return undefined
}
