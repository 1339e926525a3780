import type { AnyPlugin } from '../plugin.ts'

/**
 * Everything clients see of a plugin, as JSON text in which only a change they would notice makes a difference: keys are sorted, the
 * order of tools, resources and prompts is kept. For a snapshot test:
 *
 *     t.assert.snapshot(toolSnapshot(plugin), { serializers: [String] })
 */
export function toolSnapshot(plugin: AnyPlugin): string {
  const { name: instance, tools, resources, prompts } = plugin
  const seen = {
    tools: tools.map(({ name, title, description, access, input, output, annotations, meta }) => ({
      name: `${instance}_${name}`,
      title,
      description,
      inputSchema: input,
      outputSchema: output,
      annotations: { ...annotations, readOnlyHint: access === 'read' },
      _meta: meta,
    })),
    resources: resources?.map(({ name, title, description, uri, mimeType }) => ({
      name: `${instance}_${name}`,
      title,
      description,
      uri,
      mimeType,
    })),
    prompts: prompts?.map(({ name, title, description, arguments: args }) => ({
      name: `${instance}_${name}`,
      title,
      description,
      arguments: args,
    })),
  }
  return JSON.stringify(seen, sortedKeys, 2)
}

function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
