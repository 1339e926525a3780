import type { PluginEntry } from '../../config/schema/schema.ts'
import type { Capabilities, CredentialPlacement, ServicePlugin } from '@mcp-patchbay/plugin-api'
import type { LeftOut } from './left-out.ts'
import { withLocalReferences } from '../../data/schema/local-references.ts'
import { foreignPart } from './foreign.ts'
import { frozenJson, isObject, type JsonObject, type JsonSchema } from '../../data/json.ts'

/** What a plugin says of itself, as plain frozen JSON: read once when a version is loaded, whatever the plugin does to its objects later. */
export interface PluginSurface {
  readonly name: string
  readonly version?: string
  readonly description?: string
  readonly apiVersion: number
  readonly config: JsonSchema
  readonly credentials?: CredentialPlacement
  /** Those that it discovered. */
  readonly discoveredCredentials?: JsonObject
  readonly docsUrl?: string
  readonly scopes?: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
  readonly capabilities: Capabilities
  readonly tools: readonly ToolSurface[]
  readonly resources: readonly ResourceSurface[]
  readonly prompts: readonly PromptSurface[]
  /** What the plugin has and the host does not serve, with the reasons. Clients and the lock know nothing of it. */
  readonly leftOut: readonly LeftOut[]
}

export interface ToolSurface {
  /** Without the instance. */
  readonly name: string
  /** What the MCP server calls it that it is of. */
  readonly origin?: string
  readonly access: 'read' | 'write'
  readonly tags: readonly string[]
  readonly permissions: readonly string[]
  readonly safePaths: readonly string[]
  readonly timeoutMs?: number
  readonly interactive: boolean
  readonly approval?: 'required'
  readonly cache?: { readonly ttlMs: number; readonly scope: 'caller' | 'shared'; readonly tags?: readonly string[] }
  /** Everything a client sees of it, but for the name. */
  readonly wire: JsonObject & {
    readonly description: string
    readonly inputSchema: JsonSchema
    readonly outputSchema?: JsonSchema
  }
}

export interface ResourceSurface {
  readonly name: string
  /** It has values for what a person fills in. */
  readonly completes?: true
  /** It says which resources its template stands for now. */
  readonly lists?: true
  readonly uri: string
  readonly permissions: readonly string[]
  readonly wire: JsonObject
}

export interface PromptSurface {
  readonly name: string
  readonly completes?: true
  readonly permissions: readonly string[]
  readonly interactive: boolean
  /** Names, descriptions and which are required, as MCP lists them. */
  readonly wire: JsonObject
  readonly schema: JsonSchema
}

/** Reads the surface of a plugin that passed the contract check, without what that left out. */
export function readSurface(plugin: ServicePlugin, leftOut: readonly LeftOut[] = []): PluginSurface {
  const isServed = (kind: LeftOut['kind']) => {
    const names = new Set(leftOut.filter((one) => one.kind === kind).map(({ name }) => name))
    return ({ name }: { name: string }) => !names.has(name)
  }
  const isForeign = foreignPart(plugin) !== undefined
  return frozenJson<PluginSurface>({
    name: plugin.name,
    version: plugin.version,
    description: plugin.description,
    docsUrl: plugin.docsUrl,
    scopes: plugin.scopes,
    apiVersion: plugin.apiVersion,
    config: plugin.config,
    credentials: plugin.credentials,
    discoveredCredentials: Reflect.get(plugin, 'discoveredCredentials') as unknown,
    headers: plugin.headers,
    capabilities: plugin.capabilities ?? {},
    leftOut,
    tools: plugin.tools.filter(isServed('tool')).map((tool) => ({
      name: tool.name,
      ...(isForeign && { origin: Reflect.get(tool, 'origin') as unknown }),
      access: tool.access,
      tags: tool.tags ?? [],
      permissions: tool.permissions ?? [],
      safePaths: tool.safePaths ?? [],
      timeoutMs: tool.timeoutMs,
      interactive: tool.interactive ?? false,
      approval: tool.approval,
      cache: tool.cache,
      wire: {
        title: tool.title,
        description: tool.description,
        inputSchema: isForeign ? withLocalReferences(tool.input) : closedInput(withLocalReferences(tool.input)),
        outputSchema: tool.output && withLocalReferences(tool.output),
        icons: tool.icons,
        annotations: { ...tool.annotations, readOnlyHint: tool.access === 'read' },
        _meta: tool.meta,
      },
    })),
    resources: (plugin.resources ?? []).filter(isServed('resource')).map((resource) => ({
      name: resource.name,
      ...(resource.complete && { completes: true }),
      ...(resource.list && { lists: true }),
      uri: resource.uri,
      permissions: resource.permissions ?? [],
      wire: {
        title: resource.title,
        description: resource.description,
        mimeType: resource.mimeType,
        ...(isForeign && passedOn(resource)),
      },
    })),
    prompts: (plugin.prompts ?? []).filter(isServed('prompt')).map((prompt) => ({
      name: prompt.name,
      ...(prompt.complete && { completes: true }),
      permissions: prompt.permissions ?? [],
      interactive: prompt.interactive ?? false,
      schema: withLocalReferences(prompt.arguments) ?? { type: 'object', properties: {} },
      wire: {
        title: prompt.title,
        description: prompt.description,
        arguments: promptArguments(prompt.arguments),
        ...(isForeign && passedOn(prompt)),
      },
    })),
  })
}

/** What the protocol knows of resources and prompts, and the plugin contract does not. */
function passedOn(item: object): Readonly<Record<string, unknown>> {
  const of = (name: string): unknown => Reflect.get(item, name)
  return { size: of('size'), annotations: of('annotations'), icons: of('icons'), _meta: of('meta') }
}

/**
 * The same surface with `overrides.NAME.access` in place of what the plugin says: for the filters, for what clients are told, and for
 * what the requests of a call may do.
 */
export function withAccess(surface: PluginSurface, { overrides }: Pick<PluginEntry, 'overrides'>): PluginSurface {
  const accessOf = (name: string) => (Object.hasOwn(overrides, name) ? overrides[name]?.access : undefined)
  if (!surface.tools.some(({ name }) => accessOf(name) !== undefined)) return surface
  return frozenJson<PluginSurface>({
    ...surface,
    tools: surface.tools.map((tool) => {
      const access = accessOf(tool.name)
      if (access === undefined || access === tool.access) return tool
      return { ...tool, access, wire: { ...tool.wire, annotations: { ...annotationsOf(tool), readOnlyHint: access === 'read' } } }
    }),
  })
}

function annotationsOf({ wire: { annotations } }: ToolSurface): Readonly<Record<string, unknown>> {
  return isObject(annotations) ? annotations : {}
}

/**
 * Input that the schema does not mention is refused, and the client is told so: a model that misspells an optional argument should
 * hear of it. Left alone where the schema decides for itself or combines others, which `additionalProperties` does not see.
 */
function closedInput(input: unknown): unknown {
  if (!isObject(input)) return input
  const decides = [
    'additionalProperties',
    'unevaluatedProperties',
    'patternProperties',
    'allOf',
    'anyOf',
    'oneOf',
    'if',
    '$ref',
    'propertyNames',
  ]
  return decides.some((keyword) => input[keyword] !== undefined) ? input : { ...input, additionalProperties: false }
}

function promptArguments(schema: unknown): readonly { name: string; description?: string; required: boolean }[] {
  if (!isObject(schema) || !isObject(schema['properties'])) return []
  const required = Array.isArray(schema['required']) ? schema['required'] : []
  return Object.entries(schema['properties']).map(([name, property]) => ({
    name,
    ...(isObject(property) && typeof property['description'] === 'string' ? { description: property['description'] } : {}),
    required: required.includes(name),
  }))
}
