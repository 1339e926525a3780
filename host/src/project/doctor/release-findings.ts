import packageJson from '../../../package.json' with { type: 'json' }
import { isPackage } from '../../config/schema/schema.ts'
import { serverOf } from '../../config/schema/server/server-specifier.ts'
import { findRelease, type Npm } from '../npm/npm.ts'
import { isSettled } from '../npm-install.ts'
import type { Project } from '../open-project.ts'
import { namesOf, registryName } from '../update.ts'
import type { Finding } from './finding.ts'

/** Something that npm has releases of. */
interface Released {
  readonly about: string
  /** In the registry. */
  readonly name: string
  readonly version: string
  readonly update: (latest: string) => string
}

/**
 * Newer releases of the host, and of the plugins and MCP servers whose version the config pins. Asks the registry: only for who wants that.
 * A release that is younger than what `update` takes is not named. What the registry does not answer is a finding too.
 */
export async function releaseFindings(
  project: Pick<Project, 'settings' | 'configDir' | 'lockFile' | 'deployment'>,
  npm: Pick<Npm, 'query'>,
  now: number,
): Promise<readonly Finding[]> {
  const found = await Promise.all([host, ...(await pinned(project))].map((one) => findingOf(one, npm, now)))
  return found.flat()
}

const host: Released = {
  about: 'The host',
  name: 'mcp-patchbay',
  version: packageJson.version,
  update: (latest) => `npm install mcp-patchbay@${latest} @mcp-patchbay/plugin-api@${latest}`,
}

async function pinned(
  project: Pick<Project, 'settings' | 'configDir' | 'lockFile' | 'deployment'>,
): Promise<readonly Released[]> {
  const entries = (project.settings.given.plugins ?? []).map((entry) => (typeof entry === 'string' ? { use: entry } : entry))
  const names = await namesOf(project, entries)
  const found = await Promise.all(
    entries.map(async ({ use, version }, index): Promise<readonly Released[]> => {
      if (version === undefined) return []
      const name = await nameInRegistry(project, use)
      if (name === undefined) return []
      const about = names[index] ?? use
      return [{ about, name, version, update: () => `npx mcp-patchbay update ${about}` }]
    }),
  )
  return found.flat()
}

async function nameInRegistry(project: Pick<Project, 'configDir'>, use: string): Promise<string | undefined> {
  const server = serverOf(use)
  if (server) return server.kind === 'npm' ? server.name : undefined
  // One that was installed from a folder or a tarball has no releases.
  return isPackage(use) ? registryName(project, use).catch(() => undefined) : undefined
}

async function findingOf(
  { about, name, version, update }: Released,
  npm: Pick<Npm, 'query'>,
  now: number,
): Promise<readonly Finding[]> {
  try {
    const latest = await findRelease(npm, `${name}@latest`)
    if (!isNewer(latest.version, version) || (latest.publishedAt && !isSettled(latest.publishedAt, now))) return []
    return [
      {
        about: 'release',
        problem: `${about} is ${name} ${version}, and ${latest.version} is out`,
        cause: 'what its authors have fixed since then is missing here',
        fix: [update(latest.version)],
      },
    ]
  } catch (error) {
    return [
      {
        about: 'release',
        problem: `It is not known whether ${name} has a newer release than ${version}`,
        cause: error instanceof Error ? error.message : String(error),
        fix: [`Correct what npm says: npm view ${name} version`],
      },
    ]
  }
}

/** By numbers; of one version its release is newer than what came before it (`2.0.0-rc.1`). */
function isNewer(latest: string, pinnedVersion: string): boolean {
  const [[latestRelease = '', latestBefore], [release = '', before]] = [latest.split('-', 2), pinnedVersion.split('-', 2)]
  const order = latestRelease.localeCompare(release, 'en', { numeric: true })
  if (order !== 0) return order > 0
  if (latestBefore === undefined || before === undefined) return before !== undefined && latestBefore === undefined
  return latestBefore.localeCompare(before, 'en', { numeric: true }) > 0
}
