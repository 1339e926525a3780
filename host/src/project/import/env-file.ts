import { readFile } from 'node:fs/promises'
import { parseEnv } from 'node:util'
import { replaceFile } from '../../data/replace-file.ts'
import type { FoundSecret } from './convert-environment.ts'

/** Secrets that an environment file has now: `kept` has another value there already, which stays. */
export interface WrittenSecrets {
  readonly written: readonly string[]
  readonly kept: readonly string[]
  /** They have no value yet. */
  readonly open: readonly FoundSecret[]
}

/** Adds variables to an environment file, readable by its owner only where it is new. What it sets already stays. */
export async function addToEnvFile(
  file: string,
  groups: readonly { readonly title: string; readonly secrets: readonly FoundSecret[] }[],
): Promise<WrittenSecrets> {
  const before = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  const there = parseEnv(before ?? '')
  const lines: string[] = []
  const result = { written: [] as string[], kept: [] as string[], open: [] as FoundSecret[] }
  for (const { title, secrets } of groups) {
    const missing = secrets.filter(({ variable }) => !there[variable])
    for (const { variable, value } of secrets)
      if (there[variable] && value !== undefined && value !== there[variable]) result.kept.push(variable)
    if (missing.length > 0) lines.push('', `# ${title}`)
    for (const secret of missing.map(writable)) {
      lines.push(lineOf(secret))
      if (secret.value === undefined) result.open.push(secret)
      else result.written.push(secret.variable)
    }
  }
  if (lines.length === 0) return result
  const added = `${lines.join('\n')}\n`
  // A blank line parts what is added from what was there.
  const text = before?.trim() ? `${before.replace(/\n*$/, '\n')}${added}` : added.trimStart()
  await replaceFile(file, text, before === undefined ? { what: 'env', mode: 0o600 } : { what: 'env' })
  return result
}

function lineOf({ variable, value, means = 'not in the file' }: FoundSecret): string {
  return value === undefined ? `# ${means}\n${variable}=` : `${variable}=${quoted(value)}`
}

/** A secret whose value no environment file can hold is one that a person has to set. */
function writable(secret: FoundSecret): FoundSecret {
  const { value, variable } = secret
  if (value === undefined || quoted(value) !== undefined) return secret
  return {
    ...secret,
    value: undefined,
    means: `it cannot be written here: put it into a file, and name that in ${variable}_FILE`,
  }
}

/** So that Node reads the same value back, whatever follows. Its files know no escape but `\n`, between double quotes. */
function quoted(value: string): string | undefined {
  const forms = [value, ...["'", '`', '"'].map((mark) => mark + value + mark), `"${value.replaceAll('\n', '\\n')}"`]
  return forms.find((form) =>
    ['', "'", '"', '`'].every((mark) => {
      const read = parseEnv(`X=${form}\nY=${mark}y${mark}\n`)
      return read['X'] === value && read['Y'] === 'y'
    }),
  )
}
