import { secretVariable, type FoundSecret } from './convert-environment.ts'
import { fillPlaceholders, type PlaceholderValues } from './placeholders.ts'
import { hasSecretName, looksSecret } from './secret-values.ts'

export interface ConvertedArguments {
  readonly args: readonly string[]
  /** Each stands in `args` as `${NAME}`. */
  readonly secrets: readonly FoundSecret[]
}

/** The arguments of a server, with `${NAME}` where a secret was: the host puts the variable `NAME` of the entry's `env` there. */
export function convertArguments(
  as: string,
  given: readonly string[],
  { values, taken }: { readonly values: PlaceholderValues; readonly taken: readonly string[] },
): ConvertedArguments {
  const secrets: FoundSecret[] = []
  const names = new Set(taken)
  const refer = (option: string, value: string | undefined, means?: string): string => {
    const name = unusedName(option, names)
    secrets.push({ name, variable: secretVariable(as, name), value, ...(means && { means }) })
    return `\${${name}}`
  }
  const args = given.map((written, index) => {
    const { text, open } = fillPlaceholders(written, values)
    const [, option = '', value = text] = /^(--?[\w.-]+|[A-Z_][A-Z0-9_]*)=(.*)$/s.exec(text) ?? []
    const name = option || optionBefore(given, index)
    const head = option === '' ? '' : `${option}=`
    const [first] = open
    if (first)
      return head + refer(name, undefined, value === first.written ? first.means : `${JSON.stringify(value)} with ${first.means}`)
    const isSecret = looksSecret(name, value) && (!value.startsWith('-') || option !== '')
    return isSecret ? head + refer(name || nameOfAddress(value), value) : text
  })
  return { args, secrets }
}

/** `--api-key` before `abc`; only where it says that a secret follows. */
function optionBefore(args: readonly string[], index: number): string {
  const before = args[index - 1] ?? ''
  return /^--?[\w-]+$/.test(before) && hasSecretName(before) ? before : ''
}

function nameOfAddress(value: string): string {
  return /^(?:postgres|mysql|mariadb|mongodb|redis|mssql|sqlserver)/i.test(value) ? 'DATABASE_URL' : 'SECRET'
}

function unusedName(option: string, names: Set<string>): string {
  const base =
    option
      .replace(/^-+/, '')
      .replace(/[^A-Za-z0-9]+/g, '_')
      .toUpperCase() || 'SECRET'
  const valid = /^\d/.test(base) ? `ARG_${base}` : base
  let name = valid
  for (let number = 2; names.has(name); number++) name = `${valid}_${number}`
  names.add(name)
  return name
}
