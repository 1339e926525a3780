import { resolve } from 'node:path'
import { readTextFile } from '../../config/plugin/text-file.ts'
import { hostError } from '../../errors.ts'

export interface SecretSource {
  readonly env: Readonly<Record<string, string | undefined>>
  /** What a path is relative to. */
  readonly configDir: string
}

/**
 * The secret in a variable, or in the file that the variable with `_FILE` at its end names. Throws `AUTH_SECRET`, which says `what` of
 * the config is missing.
 */
export function secretVariable(variable: string, what: string, { env, configDir }: SecretSource): string {
  const file = env[`${variable}_FILE`]
  if (file) {
    const read = readTextFile(resolve(configDir, file))
    if ('problem' in read)
      throw hostError('AUTH_SECRET', { what, variable: `${variable}_FILE`, problem: `names ${file}: ${read.problem}` })
    const secret = read.text.replace(/\r?\n$/, '')
    if (secret !== '') return secret
  }
  const secret = env[variable]
  if (!secret) throw hostError('AUTH_SECRET', { what, variable, problem: 'is not set' })
  return secret
}
