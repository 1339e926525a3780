import type { LeftOut } from './left-out.ts'

/** What is different about the description of an MCP server, whose author knows nothing of the plugin contract. */
export interface ForeignPart {
  /** What could not even be described. Known once it was discovered. */
  leftOut: readonly LeftOut[]
}

/** A key that no module of a plugin can have: only the host makes these descriptions. */
const key = Symbol('an MCP server')

/** Marks a description as one of an MCP server; what is made of it with `withDiscovered` is marked as well. */
export function markForeign<Described extends object>(description: Described, part: ForeignPart): Described {
  return Object.defineProperty(description, key, { value: part })
}

/** What is different about a description; undefined for that of a plugin. */
export function foreignPart(description: unknown): ForeignPart | undefined {
  if (typeof description !== 'object' || description === null || !(key in description)) return undefined
  return (description as { readonly [key]: ForeignPart })[key]
}
