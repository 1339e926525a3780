import type { Cache } from '@mcp-patchbay/plugin-api'
import { hashParts } from '../../cache/stored-value.ts'
import type { PluginEntry } from '../../config/schema/schema.ts'
import { isServerSpecifier } from '../../config/schema/server/server-specifier.ts'
import { frozenJson } from '../../data/json.ts'
import { digestOf } from '../../modules/reading/source-digest.ts'
import type { Activation, ActivationDeps } from '../activation.ts'
import { readEntryConfig } from '../settings/entry-config.ts'
import { installationDigest } from '../trust/installation.ts'
import { checkPin } from '../trust/pin-policy.ts'
import { nameFromSpecifier, resolvePlugin } from '../source/resolve-entry.ts'
import type { PluginSurface } from '../source/describe-surface.ts'
import { versionIdentity } from '../source/version-identity.ts'

/** What the cache holds of a version that serves: with it a later start lists the version before its code is imported. */
export interface CachedVersion {
  readonly instance: string
  readonly version: string | undefined
  readonly pinned: 'pinned' | 'unpinned' | 'changed' | undefined
  readonly tree: string | undefined
  readonly root: string
  readonly surface: PluginSurface
  /** What its answers come from, see `versionIdentity`. */
  readonly identity: string
  /** It may stay idle until a call. */
  readonly mayIdle: boolean
  /** The digest of every file it was built from, by real path. */
  readonly digests: ReadonlyMap<string, string>
}

/** The versions that earlier starts put into the cache. If the store is down or holds something else, plugins are imported as usual. */
export interface CachedVersions {
  /**
   * The cached version of `entry`, if an import now would give the same one: its files, the packages that were imported with them, its
   * entry, config and credentials are unchanged, and the lock allows it as before. Never rejects.
   */
  find(entry: PluginEntry, deps: ActivationDeps): Promise<CachedVersion | undefined>
  /** Puts a version that serves, without a warning or a tool in quarantine, into the cache, in the background. */
  keep(activation: Activation, deps: ActivationDeps): void
}

const CACHED_MS = 30 * 24 * 3_600_000

/** Made once for each start of a host: it checks each package and installation once. */
export function createCachedVersions(records: Cache): CachedVersions {
  const installations = new Map<string, string>()
  const packages = new Map<string, Promise<boolean>>()

  function keyOf(entry: PluginEntry, { configDir, pins, credentialsOf }: ActivationDeps): string {
    const installation = installations.get(configDir) ?? installationDigest(configDir)
    installations.set(configDir, installation)
    return hashParts([installation, configDir, pins.deployment, JSON.stringify([entry, credentialsOf(entry)])])
  }

  /** Node shares packages between all plugins, so the check is made once for all of them. */
  function arePackagesUnchanged(digest: string): Promise<boolean> {
    const known =
      packages.get(digest) ?? records.get<Digests>(digest).then((kept) => kept !== undefined && isUnchanged(new Map(kept)))
    packages.set(digest, known)
    return known
  }

  async function find(entry: PluginEntry, deps: ActivationDeps): Promise<CachedVersion | undefined> {
    const kept = await records.get<StoredVersion>(keyOf(entry, deps))
    if (!kept) return undefined
    const version = { ...kept, surface: frozenJson<PluginSurface>(kept.surface), digests: new Map(kept.digests) }
    const isCurrent =
      isUnchanged(version.digests) && (await isAllowed(version, entry, deps)) && (await arePackagesUnchanged(kept.packages))
    return isCurrent ? version : undefined
  }

  return {
    // The activation that follows reports what is wrong.
    find: (entry, deps) => find(entry, deps).catch(() => undefined),
    keep({ record, root, digests }, deps) {
      const { entry, instance, version, pinned, tree, surface, state, reason, quarantined, identity } = record
      if (
        typeof entry.use !== 'string' ||
        isServerSpecifier(entry.use) ||
        state !== 'active' ||
        !root ||
        !surface ||
        !identity ||
        reason ||
        quarantined
      )
        return
      const held = [...deps.pins.approved.held]
      const packagesDigest = hashParts(held.flat())
      const stored: StoredVersion = {
        instance,
        version,
        pinned,
        tree,
        root,
        surface,
        identity: identity(),
        mayIdle: record.live?.running.mayIdle ?? false,
        digests: [...digests],
        packages: packagesDigest,
      }
      void records.set(packagesDigest, held, { ttlMs: CACHED_MS })
      void records.set(keyOf(entry, deps), stored, { ttlMs: CACHED_MS })
    },
  }
}

type Digests = readonly (readonly [file: string, digest: string])[]
type StoredVersion = Omit<CachedVersion, 'digests'> & {
  readonly digests: Digests
  /** Names the packages outside the roots of plugins that were loaded. */
  readonly packages: string
}

function isUnchanged(digests: ReadonlyMap<string, string>): boolean {
  return [...digests].every(([file, digest]) => digestOf(file) === digest)
}

/** Whether the entry still resolves to these files, its config is unchanged, and the lock decides as before. */
async function isAllowed(version: CachedVersion, entry: PluginEntry, deps: ActivationDeps): Promise<boolean> {
  const { instance, surface, root, digests } = version
  const { use } = entry
  if (typeof use !== 'string') return false
  const label = entry.as ?? nameFromSpecifier(use)
  const resolved = resolvePlugin({ use, version: entry.version, instance: label }, deps.configDir)
  if (resolved.root !== root || !digests.has(resolved.file) || (resolved.version ?? surface.version) !== version.version)
    return false
  const read = readEntryConfig({ instance, surface, entry }, deps)
  if (!read.ok || versionIdentity({ root, digests: () => digests, ...read })() !== version.identity) return false
  using pin = await checkPin(entry, resolved, { policy: deps.pins, within: { label, configDir: deps.configDir } })
  if (pin.held) return false
  const { pinned, tree, warnings } = await pin.judge({ instance, surface, digests, config: read.config })
  return pinned === version.pinned && tree === version.tree && warnings.length === 0
}
