import type { EntryConfig } from '../../config/schema/schema.ts'
import { RESERVED_INSTANCES } from '../../config/schema/rules.ts'
import { describeError, HostError } from '../../errors.ts'
import { homeFolder } from '../../observability/home-folder.ts'
import { settledRelease, type Consent } from '../npm-install.ts'
import type { Npm } from '../npm/npm.ts'
import type { ClientConfig } from './client-config.ts'
import type { FoundSecret } from './convert-environment.ts'
import { convertServer } from './convert-server.ts'
import { deriveRights } from './derive-rights.ts'

/** One server that can be taken over. */
export interface PlannedServer {
  /** Its name in the client's config. */
  readonly from: string
  readonly entry: EntryConfig & { readonly as: string }
  /** Of one from npm. */
  readonly release: { readonly name: string; readonly version: string } | undefined
  readonly secrets: readonly FoundSecret[]
  readonly notes: readonly string[]
}

export interface SkippedServer {
  readonly from: string
  readonly reason: string
  /** It is not wanted there either. */
  readonly isDisabled?: boolean
}

export interface ImportPlan {
  readonly servers: readonly PlannedServer[]
  readonly skipped: readonly SkippedServer[]
}

export interface PlanOptions {
  readonly configDir: string
  /** Instance names that are in use. */
  readonly taken: readonly string[]
  /** Which servers, by their names in the file; empty: all of them. */
  readonly only: readonly string[]
  readonly npm: Npm
  readonly consent: Consent
  readonly now: number
}

/** What importing a client's config would do. Asks the registry which release each range means now. */
export async function planImport(client: ClientConfig, options: PlanOptions): Promise<ImportPlan> {
  const { configDir, only, npm, consent, now } = options
  const home = homeFolder() ?? ''
  const taken = new Set(options.taken)
  const servers: PlannedServer[] = []
  const skipped: SkippedServer[] = only
    .filter((name) => !Object.hasOwn(client.servers, name))
    .map((from) => ({ from, reason: 'the file does not name it' }))
  for (const [from, server] of Object.entries(client.servers)) {
    if (only.length > 0 && !only.includes(from)) continue
    const as = instanceName(from)
    if (taken.has(as)) {
      skipped.push({ from, reason: `the name "${as}" is taken already` })
      continue
    }
    const converted = convertServer(server, as, { workspace: client.workspace, configDir, home, inputs: client.inputs })
    if (converted.kind === 'skipped') {
      const { reason, isDisabled } = converted
      skipped.push({ from, reason, ...(isDisabled && { isDisabled }) })
      continue
    }
    try {
      const { release, secrets, notes } = converted
      const found = release && (await settledRelease(`${release.name}@${release.range}`, { npm, consent, now }))
      const { use, as: name, ...rest } = converted.entry
      const entry = found ? { use, version: found.version, as: name, ...rest } : converted.entry
      const rights = found ? await deriveRights(entry, { configDir, home }) : { capabilities: undefined, notes: [] }
      servers.push({
        from,
        entry: { ...entry, ...(rights.capabilities && { capabilities: rights.capabilities }) },
        release: found && { name: found.name, version: found.version },
        secrets,
        notes: [...notes, ...(found?.warnings ?? []), ...rights.notes],
      })
      taken.add(as)
    } catch (error) {
      if (!(error instanceof HostError)) throw error
      skipped.push({ from, reason: describeError(error) })
    }
  }
  return { servers, skipped }
}

/** As `as` of an entry has to be. */
export function instanceName(name: string): string {
  const words = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^[0-9_]+|_+$/g, '')
    .slice(0, 32)
    .replace(/_+$/, '')
  return words === '' || RESERVED_INSTANCES.includes(words) ? `server${words === '' ? '' : `_${words}`}` : words
}
