import type { ServedHost } from '../../serve.ts'
import type { AdminProject } from '../../transport/admin/types.ts'
import type { CommonOptions } from '../terminal/exit.ts'
import { runOwn } from './own-command.ts'

/** What the admin API does with the project of a host that a command serves: the same as the commands do. Ends with `signal`. */
export function createAdminProject(
  served: ServedHost,
  { deployment, envFile, isWatching, signal }: Pick<CommonOptions, 'deployment' | 'envFile'> & AdminProjectOptions,
): AdminProject {
  const { file } = served.settings
  const common = [
    '--config',
    file,
    ...(deployment === undefined ? [] : ['--deployment', deployment]),
    ...(envFile === undefined ? [] : ['--dotenv', envFile]),
  ]
  /** One at a time: an approval must not run beside another, nor beside what it is compared with. */
  let last: Promise<unknown> = Promise.resolve()
  const run = (args: readonly string[]): Promise<object> => {
    const answer = last.then(() => runOwn([...args, ...common], signal))
    last = answer.catch(() => {})
    return answer
  }
  let comparing: Promise<object> | undefined
  return {
    file,
    isWatching,
    diff: () => (comparing ??= run(['diff']).finally(() => (comparing = undefined))),
    async approve(target, seen) {
      const approved = await run(['approve', target, '--seen', seen])
      await served.reread()
      return approved
    },
    reread: () => served.reread(),
  }
}

interface AdminProjectOptions {
  readonly isWatching: boolean
  /** Ends a command that runs. */
  readonly signal: AbortSignal
}
