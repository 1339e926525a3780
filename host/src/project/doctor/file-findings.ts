import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { ResolvedConfig } from '../../config/schema/schema.ts'
import { HostError } from '../../errors.ts'
import { readLock } from '../../pin/lock/read-lock.ts'
import { approvedFile, readApproved } from '../../pin/verdict/approved.ts'
import { comparePins } from '../project-pins.ts'
import type { Project } from '../open-project.ts'
import type { Finding } from './finding.ts'

const OTHERS_WRITE = 0o002
const OTHERS_READ = 0o044
const OTHERS_ENTER = 0o001

/** Files that others may change or read, and folders without a plugin. */
export function fileFindings({
  settings,
  configDir,
  lockFile,
}: Pick<Project, 'settings' | 'configDir' | 'lockFile'>): readonly Finding[] {
  const { config, file } = settings
  const keys = resolve(configDir, config.auth.inbound.keysFile)
  const decisive = [file, lockFile, keys, join(configDir, '.env'), join(configDir, '.patchbay')]
  return [
    ...decisive
      .filter((path) => has(path, OTHERS_WRITE))
      .map((path): Finding => ({
        about: 'file',
        problem: `Any user of this machine can write to ${path}`,
        cause: 'this file decides which code runs, or who may call',
        fix: [`chmod o-w ${path}`],
      })),
    ...[
      [keys, 'it holds the digests and scopes of API keys'],
      [join(configDir, '.env'), 'it holds secrets'],
    ]
      .filter(([path = '']) => has(path, OTHERS_READ) && isReachable(path))
      .map(([path = '', cause = '']): Finding => ({
        about: 'file',
        problem: `Other users of this machine can read ${path}`,
        cause,
        fix: [`chmod 600 ${path}`],
      })),
    ...config.pluginDirs.map((folder) => resolve(configDir, folder)).flatMap(emptyFolder),
  ]
}

/** A folder of `pluginDirs` that does not exist or has nothing that could be a plugin. Of what is there and is not served the host says why. */
function emptyFolder(folder: string): readonly Finding[] {
  const isThere = existsSync(folder)
  if (isThere && readdirSync(folder).some((name) => !isPlainText(name))) return []
  return [
    {
      about: 'config',
      problem: `pluginDirs names ${folder}, ${isThere ? 'which is empty' : 'which does not exist'}`,
      cause: 'no plugin is loaded from there',
      fix: [
        isThere ? 'Make a plugin there: npx mcp-patchbay create-plugin my_plugin' : `mkdir -p ${folder}`,
        'Or take it out of pluginDirs',
      ],
    },
  ]
}

/** What keeps an empty folder in git, or tells people of it. */
function isPlainText(name: string): boolean {
  return name.startsWith('.') || name === 'node_modules' || /\.(?:md|txt)$/i.test(name)
}

/** What a frozen deployment would refuse. A project that has no lock and nothing from npm needs none yet. */
export async function lockFindings(project: Project): Promise<readonly Finding[]> {
  const { config } = project.settings
  if (!existsSync(project.lockFile) && !needsLock(config)) return []
  const broken = await brokenLock(project)
  if (broken) return [broken, ...unpinnedInProduction(project)]
  const { changes } = await comparePins(project)
  const differences = changes.map(({ name, change }): Finding => ({
    about: 'lock',
    problem:
      change === 'added'
        ? `${name} is not pinned`
        : `${name} ${change === 'removed' ? 'is pinned and no longer there' : 'is not what mcp.lock.json pins'}`,
    cause: config.frozen ? 'the deployment is frozen, and refuses it' : 'a frozen deployment refuses it',
    fix: [
      'Read what is different: npx mcp-patchbay diff',
      `If it is meant: npx mcp-patchbay ${change === 'changed' ? `approve ${name}` : 'lock'}`,
    ],
  }))
  return [...differences, ...(await staleApproved(project)), ...unpinnedInProduction(project)]
}

/** A lock that is torn, too new or unreadable. Frozen, the host does not come this far. */
async function brokenLock({ lockFile }: Project): Promise<Finding | undefined> {
  try {
    await readLock(lockFile)
    return undefined
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    const cause = 'the file is not used: plugins run unpinned, and a frozen deployment does not start'
    return { about: 'lock', problem: error.message, cause, fix: error.fix }
  }
}

/** Kept texts of another approval than that of the lock: a diff cannot say any more what has changed. */
async function staleApproved({ configDir, deployment, lockFile }: Project): Promise<readonly Finding[]> {
  const lock = await readLock(lockFile)
  const locked = Object.entries(lock?.deployments[deployment]?.plugins ?? {})
  const found = await Promise.all(
    locked.map(async ([name, plugin]): Promise<readonly Finding[]> => {
      const place = { configDir, deployment, name }
      if (!existsSync(approvedFile(place)) || (await readApproved(place, plugin)).tree) return []
      return [
        {
          about: 'lock',
          problem: `${approvedFile(place)} is of another approval of ${name} than mcp.lock.json`,
          cause: 'patchbay diff then names what is different, and not what it was',
          fix: [`Remove it: rm ${approvedFile(place)}`, 'Write both again: npx mcp-patchbay lock'],
        },
      ]
    }),
  )
  return found.flat()
}

/** Packages whose next install may be another release, where nothing compares them. */
function unpinnedInProduction({ settings: { config, env } }: Project): readonly Finding[] {
  if (config.frozen || env['NODE_ENV'] !== 'production' || !needsLock(config)) return []
  return [
    {
      about: 'config',
      problem: 'In production, plugins from npm run whether mcp.lock.json pins them or not',
      cause: 'frozen is false, and NODE_ENV is production',
      fix: ['Take frozen out of the config, or set it to true', 'Pin what was reviewed: npx mcp-patchbay lock'],
    },
  ]
}

function needsLock({ frozen, plugins }: ResolvedConfig): boolean {
  return frozen || plugins.some(({ use }) => typeof use === 'string' && !/^[./]/.test(use))
}

/** Whether others may enter every folder that leads there: in a home folder that is closed, a file is private whatever its own mode. */
function isReachable(path: string): boolean {
  const folder = dirname(path)
  return has(folder, OTHERS_ENTER) && (folder === dirname(folder) || isReachable(folder))
}

function has(path: string, mode: number): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  return found !== undefined && (found.mode & mode) !== 0 && process.platform !== 'win32'
}
