import { variableName } from '../../config/plugin/variables.ts'
import { isObject } from '../../data/json.ts'
import { secretKey } from '../../plugin/mcp-server/process/server-command.ts'
import { fillPlaceholders, type PlaceholderValues } from './placeholders.ts'
import { looksSecret } from './secret-values.ts'

/** A secret of a server, which goes to `.env`. */
export interface FoundSecret {
  /** What the server reads. */
  readonly name: string
  /** What the host reads, in `.env`. */
  readonly variable: string
  /** Undefined where the client's config does not hold it either. */
  readonly value: string | undefined
  /** What it is, where it is not known: for a person. */
  readonly means?: string
}

export interface ConvertedEnvironment {
  readonly env: Readonly<Record<string, string | { readonly secret: true }>>
  readonly secrets: readonly FoundSecret[]
  readonly notes: readonly string[]
}

/** The variables of a server: plain ones as they are, secret ones by name. */
export function convertEnvironment(as: string, given: unknown, values: PlaceholderValues): ConvertedEnvironment {
  const env: Record<string, string | { readonly secret: true }> = {}
  const secrets: FoundSecret[] = []
  const notes: string[] = []
  for (const [name, written] of Object.entries(isObject(given) ? given : {})) {
    if (written === '' || written === null || written === undefined) continue
    if (name === 'NODE_OPTIONS') {
      notes.push('NODE_OPTIONS is left out: it would change what the server is allowed')
      continue
    }
    const { text, open } = fillPlaceholders(typeof written === 'string' ? written : JSON.stringify(written), values)
    const [first] = open
    if (first === undefined && !looksSecret(name, text)) {
      env[name] = text
      continue
    }
    env[name] = { secret: true }
    const means = first && (text === first.written ? first.means : `${JSON.stringify(text)} with ${first.means}`)
    secrets.push({ name, variable: secretVariable(as, name), value: first ? undefined : text, ...(means && { means }) })
  }
  return { env, secrets, notes }
}

/** The variable of the host that holds the secret `name` of an instance. */
export function secretVariable(as: string, name: string): string {
  return variableName(as, secretKey(as, name))
}
