import type { PluginRecord } from '../run/plugin-record.ts'

/** How many tools, prompts and resources differ for clients between two versions of a plugin. */
export interface SurfaceChanges {
  readonly added: number
  readonly changed: number
  readonly removed: number
}

/** Compares what clients can see of two versions; one that does not serve shows nothing. */
export function surfaceChanges(before: PluginRecord | undefined, after: PluginRecord | undefined): SurfaceChanges {
  const old = shown(before)
  const next = shown(after)
  const entries = [...next]
  return {
    added: entries.filter(([name]) => !old.has(name)).length,
    changed: entries.filter(([name, item]) => old.has(name) && old.get(name) !== item).length,
    removed: [...old.keys()].filter((name) => !next.has(name)).length,
  }
}

function shown(record: PluginRecord | undefined): ReadonlyMap<string, string> {
  if (!record?.surface || !record.live) return new Map()
  const { tools, prompts, resources } = record.surface
  return new Map([
    ...tools.map((tool) => [`tool ${tool.name}`, JSON.stringify([tool.access, tool.wire])] as const),
    ...prompts.map((prompt) => [`prompt ${prompt.name}`, JSON.stringify(prompt.wire)] as const),
    ...resources.map((resource) => [`resource ${resource.name}`, JSON.stringify([resource.uri, resource.wire])] as const),
  ])
}
