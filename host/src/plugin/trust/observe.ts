import { homeFolder } from '../../observability/home-folder.ts'
import type { PluginEntry } from '../../config/schema/schema.ts'
import { isInPackages } from '../../modules/source.ts'
import { normalCapabilities, type Capabilities } from '../../pin/capabilities.ts'
import { checkCapabilities, type KeptPath } from '../../pin/check-capabilities.ts'
import type { ObservedInstall, ObservedSurface } from '../../pin/difference/compare.ts'
import { npmIntegrity } from '../../pin/tree/npm-integrity.ts'
import { digestSurface, type PluginDescriptors, type WireDescriptor } from '../../pin/surface.ts'
import { digestTree, type Tree } from '../../pin/tree/tree.ts'
import { specifierOf, type ResolvedPlugin } from '../source/resolve-entry.ts'
import type { PluginSurface } from '../source/describe-surface.ts'

/** What lies on disk of a plugin, before any of its code ran. */
export interface ObservedPlugin {
  readonly install: ObservedInstall
  readonly tree: Tree
}

/** Where a plugin's manifest comes from, and what its paths are relative to. */
export interface ObservedIn {
  readonly label: string
  readonly configDir: string
  readonly signal?: AbortSignal | undefined
  /** See `hostPaths`. */
  readonly kept?: () => readonly KeptPath[]
}

/**
 * Looks at every byte of a plugin. `capabilities` are those the config grants: what the plugin itself asks for is known once it is
 * imported, see {@link withDeclared}. Throws `PIN_…` for what cannot be digested and `CAPABILITY_INVALID`.
 */
export async function observePlugin(entry: PluginEntry, resolved: ResolvedPlugin, within: ObservedIn): Promise<ObservedPlugin> {
  const capabilities = await grantedCapabilities(entry, within)
  const tree = await digestTree(resolved.root, within.signal)
  const integrity = await npmIntegrity(resolved.root)
  const install: ObservedInstall = {
    use: specifierOf(entry),
    source: pinSource(resolved),
    ...(resolved.version === undefined ? {} : { version: resolved.version }),
    ...(integrity === undefined ? {} : { integrity }),
    tree: tree.digest,
    capabilities,
  }
  return { install, tree }
}

/** A package that is linked into node_modules is source code of the project, like a path. */
export function pinSource({ source, root }: ResolvedPlugin): ObservedInstall['source'] {
  return source === 'npm' && isInPackages(root) ? 'npm' : 'path'
}

/** What the config grants to an entry, checked. Throws `CAPABILITY_INVALID`. */
export function grantedCapabilities(entry: PluginEntry, within: ObservedIn): Promise<Capabilities> {
  return checked(entry.capabilities, within)
}

/** With what a server elsewhere called itself when it was connected to. */
export function withServerName(install: ObservedInstall, name: string | undefined): ObservedInstall {
  return install.server && name !== undefined ? { ...install, server: { ...install.server, name } } : install
}

/** What is granted, and what an imported plugin declares that it wants: a lock pins both together. Throws `CAPABILITY_INVALID`. */
export async function withDeclared(granted: Capabilities, surface: PluginSurface, within: ObservedIn): Promise<Capabilities> {
  return joinCapabilities(granted, await checked(surface.capabilities, within))
}

/** Everything that either allows. */
export function joinCapabilities(one: Capabilities, other: Capabilities): Capabilities {
  return normalCapabilities({
    hosts: [...one.hosts, ...other.hosts],
    env: [...one.env, ...other.env],
    fs: { read: [...one.fs.read, ...other.fs.read], write: [...one.fs.write, ...other.fs.write] },
    credentials: one.credentials === 'raw' ? 'raw' : other.credentials,
    native: one.native || other.native,
  })
}

function checked(manifest: unknown, { label, configDir, kept }: ObservedIn): Promise<Capabilities> {
  return checkCapabilities(manifest, { plugin: label, base: configDir, home: homeFolder(), kept })
}

/** What clients see of a plugin, and where it found that credentials go, as the lock digests it: by its own names, before any override. */
function describeSurface({ tools, resources, prompts, discoveredCredentials: credentials }: PluginSurface): PluginDescriptors {
  return {
    tools: Object.fromEntries(
      tools.map(({ name, origin, access, wire }) => [
        name,
        {
          access,
          descriptor: {
            name,
            ...(credentials && { credentials }),
            ...(origin !== undefined && origin !== name && { origin }),
            ...wire,
          },
        },
      ]),
    ),
    resources: resources.map(({ name, uri, wire }) => ({ name, uri, ...wire })),
    prompts: prompts.map(({ name, wire }) => ({ name, ...wire })),
  }
}

/** The definition of each tool, by its own name. */
export function descriptorsOf(surface: PluginSurface): Readonly<Record<string, WireDescriptor>> {
  return Object.fromEntries(Object.entries(describeSurface(surface).tools).map(([name, { descriptor }]) => [name, descriptor]))
}

/** The digests of what clients see of a plugin. Throws `PIN_NOT_JSON`. */
export function observeSurface(surface: PluginSurface): ObservedSurface {
  return { ...digestSurface(describeSurface(surface)), apiVersion: surface.apiVersion }
}
