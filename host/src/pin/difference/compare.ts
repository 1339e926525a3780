import { compareCapabilities, type Capabilities, type CapabilityChange } from '../capabilities.ts'
import type { Digest } from '../digest.ts'
import { compareJson, type JsonChange } from './json-changes.ts'
import type { LockedDocument, LockedPlugin, LockedServer } from '../lock/lock.ts'
import { combineSurface, type SurfaceDigests, type WireDescriptor } from '../surface.ts'
import { compareTrees, type TreeChange } from './tree-changes.ts'
import type { TreeFile } from '../tree/tree.ts'

/** What a plugin is before its code is imported. `version` and `integrity` are absent where the source has none. */
export interface ObservedInstall {
  readonly use: string
  /** From a path of this project, or from a registry. */
  readonly source: 'path' | 'npm'
  readonly version?: string
  readonly integrity?: string
  readonly tree: Digest
  readonly capabilities: Capabilities
  /** Of an MCP server, how its entry has it run. */
  readonly server?: LockedServer
  /** Of an OpenAPI description. */
  readonly document?: LockedDocument
}

/** What a plugin shows once it is imported. */
export interface ObservedSurface extends SurfaceDigests {
  readonly apiVersion: number
}

/** What is known of the state that was approved beyond the lock, which holds only digests; it makes a diff say more. */
export interface Details {
  readonly files?: { readonly before: readonly TreeFile[]; readonly after: readonly TreeFile[] }
  readonly tools?: {
    readonly before: Readonly<Record<string, WireDescriptor>>
    readonly after: Readonly<Record<string, WireDescriptor>>
  }
}

/** One way in which a plugin is not what the lock pins. */
export type Difference =
  | { readonly kind: 'use' | 'version' | 'integrity'; readonly locked: string | undefined; readonly observed: string | undefined }
  | { readonly kind: 'tree'; readonly locked: Digest; readonly observed: Digest; readonly files?: readonly TreeChange[] }
  | ({ readonly kind: 'capability' } & CapabilityChange)
  /** How an MCP server is run; the values as JSON. */
  | {
      readonly kind: 'server'
      readonly key: keyof LockedServer
      readonly locked: string | undefined
      readonly observed: string | undefined
    }
  /** The description that its tools are made of. */
  | { readonly kind: 'document'; readonly locked: LockedDocument | undefined; readonly observed: LockedDocument | undefined }
  | { readonly kind: 'apiVersion'; readonly locked: number; readonly observed: number }
  /** `fields`: where a changed tool differs, when both descriptors are known. */
  | {
      readonly kind: 'tool'
      readonly tool: string
      readonly change: 'added' | 'removed' | 'changed'
      readonly fields?: readonly JsonChange[]
    }
  | { readonly kind: 'access'; readonly tool: string; readonly locked: 'read' | 'write'; readonly observed: 'read' | 'write' }
  /** Resources, resource templates or prompts; the lock does not tell which. */
  | { readonly kind: 'others' }

/** Every difference between `locked` and what was observed, in a fixed order. Without `surface` only the install is compared. */
export function compareLock(
  locked: LockedPlugin,
  install: ObservedInstall,
  surface: ObservedSurface | undefined,
  details: Details = {},
): Difference[] {
  return [...compareInstall(locked, install, details), ...(surface === undefined ? [] : compareSurface(locked, surface, details))]
}

function compareInstall(locked: LockedPlugin, install: ObservedInstall, { files }: Details): Difference[] {
  const differences: Difference[] = []
  for (const kind of ['use', 'version'] as const) {
    if (locked[kind] !== install[kind]) differences.push({ kind, locked: locked[kind], observed: install[kind] })
  }
  // A package manager that records no integrity proves nothing either way; the tree covers the bytes.
  if (locked.integrity !== undefined && install.integrity !== undefined && locked.integrity !== install.integrity) {
    differences.push({ kind: 'integrity', locked: locked.integrity, observed: install.integrity })
  }
  if (locked.tree !== install.tree) {
    const changes = files && { files: compareTrees(files.before, files.after) }
    differences.push({ kind: 'tree', locked: locked.tree, observed: install.tree, ...changes })
  }
  differences.push(...compareServer(locked.server, install.server))
  const { document: was } = locked
  const { document: is } = install
  if (was?.from !== is?.from || was?.digest !== is?.digest) differences.push({ kind: 'document', locked: was, observed: is })
  const changes = compareCapabilities(locked.capabilities, install.capabilities)
  return [...differences, ...changes.map((change) => ({ kind: 'capability', ...change }) as const)]
}

function compareServer(locked: LockedServer | undefined, observed: LockedServer | undefined): Difference[] {
  return SERVER_KEYS.flatMap((key): Difference[] => {
    const [was, is] = [locked?.[key], observed?.[key]].map((value) => (value === undefined ? undefined : JSON.stringify(value)))
    // Known once it is connected to, and not in locks that are older.
    const isUnknown = key === 'name' && (was === undefined || is === undefined)
    return was === is || isUnknown ? [] : [{ kind: 'server', key, locked: was, observed: is }]
  })
}

const SERVER_KEYS = ['command', 'args', 'env', 'share', 'roots', 'name'] as const satisfies readonly (keyof LockedServer)[]

function compareSurface(locked: LockedPlugin, surface: ObservedSurface, details: Details): Difference[] {
  const differences: Difference[] = []
  if (locked.apiVersion !== surface.apiVersion) {
    differences.push({ kind: 'apiVersion', locked: locked.apiVersion, observed: surface.apiVersion })
  }
  const names = new Set([...Object.keys(locked.tools), ...Object.keys(surface.tools)])
  for (const tool of [...names].toSorted()) differences.push(...compareTool(tool, locked, surface, details))
  if (othersDiffer(locked, surface)) differences.push({ kind: 'others' })
  return differences
}

function compareTool(tool: string, locked: LockedPlugin, surface: ObservedSurface, { tools }: Details): Difference[] {
  const was = own(locked.tools, tool)
  const is = own(surface.tools, tool)
  if (was === undefined) return [{ kind: 'tool', tool, change: 'added' }]
  if (is === undefined) return [{ kind: 'tool', tool, change: 'removed' }]
  const differences: Difference[] = []
  if (was.digest !== is.digest) {
    const [before, after] = [tools && own(tools.before, tool), tools && own(tools.after, tool)]
    const fields = before && after && { fields: compareJson(before, after) }
    differences.push({ kind: 'tool', tool, change: 'changed', ...fields })
  }
  if (was.access !== is.access) differences.push({ kind: 'access', tool, locked: was.access, observed: is.access })
  return differences
}

/** The locked tools with the observed others give the locked surface exactly when the others are the locked ones. */
function othersDiffer(locked: LockedPlugin, { others }: ObservedSurface): boolean {
  return combineSurface(locked.tools, others) !== locked.surface
}

function own<Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined
}
