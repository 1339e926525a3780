import { isObject } from '../../data/json.ts'
import type { SnapshotTool } from '../../server/catalog/snapshot.ts'
import type { View } from '../../server/catalog/view.ts'

const plain = new WeakMap<SnapshotTool, boolean>()

/** A tool that answers without a question to the client, and whose arguments no header repeats. */
export function isPlain(tool: SnapshotTool): boolean {
  let known = plain.get(tool)
  if (known === undefined) {
    const { interactive, wire } = tool.surface
    known =
      !interactive &&
      !tool.needsApproval &&
      // Who has linked no account is asked for one.
      tool.plugin.entry.oauth === undefined &&
      hasObjectOutput(wire.outputSchema) &&
      !JSON.stringify(wire.inputSchema).includes('"x-mcp-header"')
    plain.set(tool, known)
  }
  return known
}

const sameForLegacy = new WeakMap<View, boolean>()

/** 2025 clients know outputs that are objects; others the SDK wraps for them. */
export function isSameForLegacy(view: View): boolean {
  let known = sameForLegacy.get(view)
  if (known === undefined) sameForLegacy.set(view, (known = view.tools.every((tool) => hasObjectOutput(tool['outputSchema']))))
  return known
}

function hasObjectOutput(schema: unknown): boolean {
  return schema === undefined || (isObject(schema) && schema['type'] === 'object')
}
