import { join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { hostError } from '../../errors.ts'
import { readTextFile } from '../plugin/text-file.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export interface EnvFileOptions {
  /** The folder of the config: its `.env` is read when there is one. */
  readonly folder: string
  /** The file that `--dotenv` names instead; it must be there. */
  readonly file?: string | undefined
  /** What `file` is relative to. */
  readonly cwd: string
  /** The real environment. What is set there, even to nothing, stays as it is. */
  readonly env: Environment
}

/**
 * The real environment with the variables of an environment file that it does not set. `process.env` is not changed: what plugins
 * and child processes get is decided by the host. Throws `CONFIG_ENV_FILE` for a file that cannot be read.
 */
export function readEnvFile({ folder, file, cwd, env }: EnvFileOptions): Environment {
  const path = file === undefined ? join(folder, '.env') : resolve(cwd, file)
  const read = readTextFile(path)
  if ('text' in read) return { ...parseEnv(read.text.replace(/^\uFEFF/, '')), ...env }
  if (read.missing && file === undefined) return { ...env }
  throw hostError('CONFIG_ENV_FILE', { file: path, problem: read.problem })
}
