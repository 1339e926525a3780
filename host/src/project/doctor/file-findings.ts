import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { ResolvedConfig } from '../../config/schema/schema.ts'
import { comparePins } from '../project-pins.ts'
import type { Project } from '../open-project.ts'
import type { Finding } from './finding.ts'

const OTHERS_WRITE = 0o002
const OTHERS_READ = 0o044

/** Files that others may change or read, and folders that do not exist. */
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
        problem: `Everybody on this machine may write ${path}`,
        cause: 'it decides what runs, or who may call',
        fix: [`chmod o-w ${path}`],
      })),
    ...[keys]
      .filter((path) => has(path, OTHERS_READ))
      .map((path): Finding => ({
        about: 'file',
        problem: `Others on this machine may read ${path}`,
        cause: 'it holds the digests and scopes of API keys',
        fix: [`chmod 600 ${path}`],
      })),
    ...config.pluginDirs
      .map((folder) => resolve(configDir, folder))
      .filter((folder) => !existsSync(folder))
      .map((folder): Finding => ({
        about: 'config',
        problem: `pluginDirs names ${folder}, which does not exist`,
        cause: 'no plugin is loaded from there',
        fix: [`mkdir -p ${folder}`, 'Or take it out of pluginDirs'],
      })),
  ]
}

/** What a frozen deployment would refuse. A project that has no lock and nothing from npm needs none yet. */
export async function lockFindings(project: Project): Promise<readonly Finding[]> {
  const { config } = project.settings
  if (!existsSync(project.lockFile) && !needsLock(config)) return []
  const { changes } = await comparePins(project)
  return changes.map(({ name, change }) => ({
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
}

function needsLock({ frozen, plugins }: ResolvedConfig): boolean {
  return frozen || plugins.some(({ use }) => typeof use === 'string' && !/^[./]/.test(use))
}

function has(path: string, mode: number): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  return found !== undefined && (found.mode & mode) !== 0 && process.platform !== 'win32'
}
