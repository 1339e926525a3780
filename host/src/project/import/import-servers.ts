import { describeError, HostError } from '../../errors.ts'
import { resolveInstalledServer } from '../../plugin/mcp-server/install/installed-server.ts'
import { changeProject, reopen } from '../change.ts'
import { editPlugins } from '../edit-config.ts'
import { acceptedRisks, type Consent } from '../npm-install.ts'
import type { Project } from '../open-project.ts'
import { addTree, removeTree } from '../servers/install-servers.ts'
import type { Transaction } from '../transaction.ts'
import { addToEnvFile, type WrittenSecrets } from './env-file.ts'
import type { ImportPlan, PlannedServer, SkippedServer } from './plan-import.ts'

/** What importing has done. */
export interface ImportedServers extends ImportPlan {
  readonly secrets: WrittenSecrets
}

/**
 * Installs the servers of a plan and writes their entries into the config and their secrets into `envFile`. A server that cannot be
 * installed is skipped, and named; everything else that fails leaves all as it was. Undefined where nothing was left to import.
 */
export async function importServers(
  project: Project,
  plan: ImportPlan,
  { envFile, consent }: { readonly envFile: string; readonly consent: Consent },
): Promise<ImportedServers | undefined> {
  const skipped: SkippedServer[] = [...plan.skipped]
  const servers: PlannedServer[] = []
  const work = async (transaction: Transaction): Promise<ImportedServers | undefined> => {
    let current = project
    for (const server of plan.servers) {
      const reason = await problemOfInstalling(project, server, { transaction, consent })
      if (reason !== undefined) {
        skipped.push({ from: server.from, reason })
        continue
      }
      await editPlugins(current, { kind: 'add', entry: server.entry })
      current = await reopen(current)
      servers.push(server)
    }
    if (servers.length === 0) return undefined
    const groups = servers.map(({ entry: { as }, secrets }) => ({ title: as, secrets }))
    return { servers, skipped, secrets: await addToEnvFile(envFile, groups) }
  }
  return (await changeProject(project, work, [envFile])) ?? undefined
}

/** Why a server cannot be installed; then nothing of it is left. */
async function problemOfInstalling(
  project: Project,
  { release }: PlannedServer,
  { transaction, consent }: { readonly transaction: Transaction; readonly consent: Consent },
): Promise<string | undefined> {
  if (!release) return undefined
  try {
    const isNew = await addTree(project, release, transaction)
    try {
      const { tree } = await resolveInstalledServer({ ...release, root: project.configDir })
      await acceptedRisks(tree, release.name, consent)
    } catch (error) {
      if (isNew) await removeTree(project, release)
      throw error
    }
    return undefined
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    return describeError(error)
  }
}
