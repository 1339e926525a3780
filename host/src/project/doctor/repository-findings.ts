import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { lockPath } from '../../plugin/lock-file.ts'
import type { Project } from '../open-project.ts'
import type { Finding } from './finding.ts'

const run = promisify(execFile)

/** Files with secrets that git has, and a lock that it does not take. Nothing where the project is in no repository, or there is no git. */
export async function repositoryFindings({
  settings,
  configDir,
}: Pick<Project, 'settings' | 'configDir'>): Promise<readonly Finding[]> {
  const keys = resolve(configDir, settings.config.auth.inbound.keysFile)
  const lock = lockPath(configDir)
  const secrets = [join(configDir, '.env'), keys].filter((file) => existsSync(file))
  const [tracked, ignored] = await Promise.all([
    Promise.all(secrets.map((file) => git(file, ['ls-files', '--error-unmatch']))),
    existsSync(lock) ? git(lock, ['check-ignore', '--quiet']) : false,
  ])
  return [
    ...secrets
      .filter((_, index) => tracked[index])
      .map((file): Finding => ({
        about: 'file',
        problem: `git has ${file}`,
        cause: 'everyone who has a copy of the repository can read it',
        fix: [
          `git rm --cached ${file}, and add ${basename(file)} to .gitignore`,
          'Make new secrets: the old ones stay in the history',
        ],
      })),
    ...(ignored
      ? [
          {
            about: 'lock',
            problem: `git ignores ${lock}`,
            cause: 'what was reviewed does not reach the machine that runs it',
            fix: ['Take it out of .gitignore, and commit it'],
          },
        ]
      : []),
  ]
}

/** Whether git says yes of this file. */
async function git(file: string, args: readonly string[]): Promise<boolean> {
  try {
    await run('git', ['-C', dirname(file), ...args, '--', file], { timeout: 5_000 })
    return true
  } catch {
    return false
  }
}
