import type { JsonSchema } from '../../data/json.ts'
import { choices } from '../schema/check-value.ts'
import { expectation, given, listed } from '../schema/expectation.ts'
import { configVariables, type ConfigVariable } from './variables.ts'

export interface EnvTemplateOptions {
  readonly instance: string
  /** The plugin's config schema as plain JSON. */
  readonly schema: JsonSchema
  /** The plugin's own description. */
  readonly description?: string | undefined
}

/** A commented `.env` of one plugin: every variable with its meaning. Only what has to be set is not commented out. Ends without a line break. */
export function envTemplate({ instance, schema, description }: EnvTemplateOptions): string {
  const variables = configVariables(instance, schema)
  const head = comment(description === undefined ? instance : `${instance}: ${description}`)
  const note = comment('Each of these may have _FILE at its end and then names a file that holds the value.')
  return variables.length === 0
    ? [...head, ...comment('It reads no variables.')].join('\n')
    : [[...head, ...note], ...variables.map(variableLines)].map((lines) => lines.join('\n')).join('\n\n')
}

function variableLines({ variable, schema, required, secret }: ConfigVariable): readonly string[] {
  const { description, default: byDefault } = schema
  const allowed = choices(schema)
  const kind = secret
    ? 'a secret'
    : allowed
      ? listed(allowed.map(given))
      : schema['type'] === 'array'
        ? 'a list, separated by commas'
        : expectation(schema)
  const shown = secret || byDefault === undefined ? '' : inline(byDefault)
  const need = required ? 'required' : secret || byDefault === undefined ? 'optional' : `default ${shown || 'empty'}`
  return [
    ...(typeof description === 'string' ? comment(description) : []),
    ...comment(`${kind}, ${need}.`.replace(/^./, (first) => first.toUpperCase())),
    required ? `${variable}=` : `# ${variable}=${quoted(shown)}`,
  ]
}

function inline(value: unknown): string {
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object')) return value.join(',')
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** As `.env` files want it: quotes where a space, a `#` or a line break would end the value. */
function quoted(value: string): string {
  if (!/[\s#'"`\\]/.test(value)) return value
  const quote = ["'", '"', '`'].find((mark) => !value.includes(mark)) ?? '"'
  return `${quote}${value}${quote}`
}

function comment(text: string): readonly string[] {
  return text.split(/\r?\n/).map((line) => `# ${line.trim()}`.trimEnd())
}
