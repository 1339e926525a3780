import type { PluginEntry } from '../../config/schema/schema.ts'
import type { ServerSpecifier } from '../../config/schema/server/server-specifier.ts'
import { digestJson } from '../../pin/digest.ts'
import type { LockedServer } from '../../pin/lock/lock.ts'
import type { Tree } from '../../pin/tree/tree.ts'
import type { ResolvedPlugin } from '../source/resolve-entry.ts'
import { grantedCapabilities, type ObservedIn, type ObservedPlugin } from '../trust/observe.ts'
import { checkObserved, type PinCheck, type PinPolicy } from '../trust/pin-policy.ts'
import { resolveInstalledServer } from './install/installed-server.ts'
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
  const use = typeof entry.use === 'string' ? entry.use : ''
  if (server.kind !== 'npm')
    return {
      resolved: undefined,
      files: undefined,
      observed: { install: { use, source: 'npm', tree: NO_FILES.digest, capabilities, server: runAs(entry) }, tree: NO_FILES },
    }
  const { name } = server
  const { configDir: root, signal } = within
  const installed = await resolveInstalledServer({ name, version: entry.version ?? '', root }, signal)
  const { folder, entryFile, version, integrity, treeDigest, tree } = installed
  return {
    resolved: { source: 'npm', file: entryFile, root: folder, packageName: name, version },
    files: { folder, entryFile },
    observed: {
      install: {
        use,
        source: 'npm',
        version,
        ...(integrity !== undefined && { integrity }),
        tree: treeDigest,
        capabilities,
        server: runAs(entry),
      },
      tree,
    },
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
