import type { PluginEntry } from '../../config/schema/schema.ts'
import type { ServerSpecifier } from '../../config/schema/server/server-specifier.ts'
import { digestJson } from '../../pin/digest.ts'
import type { Capabilities } from '../../pin/capabilities.ts'
import { lockedPlugin, type LockedServer } from '../../pin/lock/lock.ts'
import type { Tree } from '../../pin/tree/tree.ts'
import { specifierOf, type ResolvedPlugin } from '../source/resolve-entry.ts'
import { grantedCapabilities, type ObservedIn, type ObservedPlugin } from '../trust/observe.ts'
import { checkObserved, type PinCheck, type PinPolicy } from '../trust/pin-policy.ts'
import { findInstalledServer, resolveInstalledServer, type FoundServer, type ServerRelease } from './install/installed-server.ts'
import type { ServerFiles } from './process/server-command.ts'

/** A server that can be started, or is elsewhere, as it stands to the lock. */
export interface LocatedServer {
  /** Of one from npm. */
  readonly resolved: ResolvedPlugin | undefined
  readonly files: ServerFiles | undefined
  readonly observed: ObservedPlugin
}

/**
 * Finds the server of an entry, with every byte of it digested where it is one from npm. Throws `SERVER_NOT_INSTALLED`,
 * `SERVER_COMMAND`, `PIN_…` and `CAPABILITY_INVALID`.
 */
export async function locateServer(entry: PluginEntry, server: ServerSpecifier, within: ObservedIn): Promise<LocatedServer> {
  const capabilities = await grantedCapabilities(entry, within)
  if (server.kind !== 'npm')
    return {
      resolved: undefined,
      files: undefined,
      observed: {
        install: { use: specifierOf(entry), source: 'npm', tree: NO_FILES.digest, capabilities, server: runAs(entry) },
        tree: NO_FILES,
      },
    }
  const installed = await resolveInstalledServer(releaseOf(entry, server.name, within), within.signal)
  return fromNpm(entry, installed, { tree: installed.tree, capabilities })
}

/**
 * The same for a server that is to be listed, and perhaps not started: its files are taken to be those that were locked until `verify` has
 * read them, which rejects with `PIN_…` when they are not. So a start of many servers reads the files of none.
 */
export async function locateForLater(
  entry: PluginEntry,
  server: ServerSpecifier,
  options: { readonly policy: PinPolicy; readonly within: ObservedIn },
): Promise<LocatedServer & { readonly verify: () => Promise<void> }> {
  const { policy, within } = options
  const locked = lockedPlugin(policy.lock, policy.deployment, within.label)
  if (server.kind !== 'npm') return { ...(await locateServer(entry, server, within)), verify: async () => {} }
  const capabilities = await grantedCapabilities(entry, within)
  const found = await findInstalledServer(releaseOf(entry, server.name, within))
  const tree: Tree = { ...NO_FILES, ...(locked && { digest: locked.tree }) }
  return {
    ...fromNpm(entry, found, { tree, capabilities }),
    async verify() {
      if (!locked) return
      using pin = await checkServerPin(entry, await locateServer(entry, server, within), options)
      if (pin.held) throw pin.held
    },
  }
}

function releaseOf({ version = '' }: PluginEntry, name: string, { configDir: root }: ObservedIn): ServerRelease {
  return { name, version, root }
}

function fromNpm(
  entry: PluginEntry,
  { folder, entryFile, version, integrity }: FoundServer,
  { tree, capabilities }: { readonly tree: Tree; readonly capabilities: Capabilities },
): LocatedServer {
  const use = specifierOf(entry)
  const of = { use, source: 'npm', version, tree: tree.digest, capabilities, server: runAs(entry) } as const
  return {
    resolved: { source: 'npm', file: entryFile, root: folder, packageName: use.slice('mcp:npm:'.length), version },
    files: { folder, entryFile },
    observed: { install: { ...of, ...(integrity !== undefined && { integrity }) }, tree },
  }
}

/** What the lock pins of the entry besides its version and its rights. */
function runAs({ command, args, env, share = 'all', roots }: PluginEntry): LockedServer {
  return {
    ...(command && { command }),
    ...(args && { args }),
    ...(env && { env: Object.keys(env).toSorted() }),
    share,
    ...(roots && { roots }),
  }
}

/** Compares a server with the lock, before it is started. Throws `PIN_…` for what the deployment refuses. */
export function checkServerPin(
  entry: PluginEntry,
  { observed }: LocatedServer,
  options: { readonly policy: PinPolicy; readonly within: ObservedIn },
): Promise<PinCheck> {
  return checkObserved(entry, observed, options)
}

/** A server whose files are not here to be looked at. */
const NO_FILES: Tree = Object.freeze({ digest: digestJson([]), files: [], dependencies: [], roots: [] })
