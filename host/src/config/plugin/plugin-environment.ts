import { resolve } from 'node:path'
import { isObject, type JsonSchema } from '../../data/json.ts'
import { createValidators } from '../../data/schema/validate.ts'
import { check, checksWhole, isSecret, unnamedSchema, type Schema } from '../schema/check-value.ts'
import { fillDefaults } from '../schema/defaults.ts'
import { kindOf } from '../schema/expectation.ts'
import { formatPath } from '../schema/fault.ts'
import { parseValue } from './parse-value.ts'
import { takeSecrets } from './secrets.ts'
import { didYouMean, suggest } from '../schema/suggest.ts'
import { digestOf } from '../../modules/reading/source-digest.ts'
import { readTextFile } from './text-file.ts'
import { configVariables, isRequired, propertiesOf, variableName, type ConfigVariable } from './variables.ts'

export interface PluginConfigOptions {
  /** The plugin's config schema as plain JSON. */
  readonly schema: JsonSchema
  readonly instance: string
  /** The entry's `config`. */
  readonly inline: Readonly<Record<string, unknown>>
  readonly env: Readonly<Record<string, string | undefined>>
  /** What paths in `_FILE` variables are relative to. Default: the working directory. */
  readonly baseDir?: string
  /** The plugin was granted `credentials: 'raw'`: its secrets can be revealed to it. */
  readonly revealSecrets?: boolean
}

export interface ReadConfig {
  readonly ok: true
  /** Complete and frozen; every secret in it is a `SecretValue`. */
  readonly config: Readonly<Record<string, unknown>>
  /** The secrets themselves by key path, for the network layer only. */
  readonly secrets: ReadonlyMap<string, string>
  /** Where each value came from, by key path: `inline`, `default`, or the variable. */
  readonly sources: Readonly<Record<string, string>>
  readonly warnings: readonly string[]
  readonly files: ConfigFiles
}

/** Files that `_FILE` variables name, by absolute path, with the SHA-256 of what each held; empty for one that cannot be read. */
export type ConfigFiles = ReadonlyMap<string, string>

export interface UnreadConfig {
  readonly ok: false
  /** Required values that nothing sets. */
  readonly missing: readonly Pick<ConfigVariable, 'keyPath' | 'variable'>[]
  /** Values that are there and wrong. */
  readonly faults: readonly ConfigFault[]
  /** Both of them, a sentence each, without any secret. */
  readonly problems: readonly string[]
  readonly fixes: readonly string[]
  readonly warnings: readonly string[]
  readonly files: ConfigFiles
}

export interface ConfigFault {
  readonly keyPath: string
  /** The variable, or `config` for a value of the entry. */
  readonly source: string
  readonly problem: string
}

/**
 * Reads the config of one plugin from its entry and the environment. The last of these that is set wins: the default, `config` of the
 * entry, the variable of {@link variableName}, the file that the variable with `_FILE` at its end names. An empty variable is not set.
 * Everything that is wrong is told at once; nothing an operator writes makes it throw.
 */
export function readPluginConfig(options: PluginConfigOptions): ReadConfig | UnreadConfig {
  const variables = configVariables(options.instance, options.schema)
  const reading: Reading = { ...options, variables, sources: new Map(), missing: [], faults: [], files: new Map() }
  const { missing, faults, files } = reading
  const values = readObject(reading, { schema: options.schema, inline: options.inline, path: [], fallback: undefined })
  if (missing.length === 0 && faults.length === 0) checkWhole(reading, values)
  const warnings = misspelled(reading)
  if (missing.length > 0 || faults.length > 0)
    return { ok: false, missing, faults, problems: problemsOf(reading), fixes: fixesOf(reading), warnings, files }
  const { config, secrets } = takeSecrets(options.schema, values, options.revealSecrets ?? false)
  return { ok: true, config, secrets, sources: Object.fromEntries(reading.sources), warnings, files }
}

interface Reading extends PluginConfigOptions {
  readonly variables: readonly ConfigVariable[]
  readonly sources: Map<string, string>
  readonly missing: { keyPath: string; variable: string }[]
  readonly faults: ConfigFault[]
  readonly files: Map<string, string>
}

interface Place {
  readonly schema: Schema
  readonly inline: unknown
  readonly path: readonly string[]
  /** What a default of an object around it says. */
  readonly fallback: unknown
}

function readObject(
  reading: Reading,
  { schema, inline, path, fallback = schema['default'] }: Place,
): Readonly<Record<string, unknown>> {
  if (inline !== undefined && !isObject(inline)) {
    reading.faults.push({ keyPath: path.join('.'), source: 'config', problem: `expected an object, got ${kindOf(inline)}` })
    return {}
  }
  const values = new Map<string, unknown>(unnamedKeys(reading, { schema, inline: inline ?? {}, path }))
  for (const [key, part] of Object.entries(propertiesOf(schema) ?? {})) {
    const place = {
      schema: part,
      inline: inline?.[key],
      path: [...path, key],
      fallback: isObject(fallback) ? fallback[key] : undefined,
    }
    const value = propertiesOf(part)
      ? readOptionalObject(reading, place, isRequired(schema, key))
      : readLeaf(reading, place, isRequired(schema, key))
    if (value !== undefined) values.set(key, value)
  }
  return Object.fromEntries(values)
}

/** An optional object of which nothing is set is not there, and so is nothing that it would need. */
function readOptionalObject(reading: Reading, place: Place, required: boolean): unknown {
  const { env, variables } = reading
  const prefix = `${place.path.join('.')}.`
  const isSet = ({ variable, keyPath }: ConfigVariable) =>
    keyPath.startsWith(prefix) && (env[variable] || env[`${variable}_FILE`])
  const hasDefault = (place.fallback ?? place.schema['default']) !== undefined
  return required || hasDefault || place.inline !== undefined || variables.some(isSet) ? readObject(reading, place) : undefined
}

function readLeaf(reading: Reading, place: Place, required: boolean): unknown {
  const { schema, inline, path, fallback = schema['default'] } = place
  const keyPath = path.join('.')
  const variable = variableName(reading.instance, keyPath)
  const text = readText(reading, place, variable)
  if (text) return parseText(reading, place, text)
  if (inline !== undefined && !(inline === '' && schema['writeOnly'] === true)) {
    reading.sources.set(keyPath, 'inline')
    for (const fault of check(schema, inline, path))
      reading.faults.push({ keyPath: formatPath(fault.path), source: 'config', problem: fault.problem })
    return fillDefaults(schema, inline)
  }
  if (fallback !== undefined) reading.sources.set(keyPath, 'default')
  else if (required) reading.missing.push({ keyPath, variable })
  return fillDefaults(schema, structuredClone(fallback))
}

interface Text {
  readonly text: string
  readonly source: string
}

/** What the variable or its file says; a file that cannot be read is a fault, not a reason to take something else. */
function readText(reading: Reading, { schema, path: keys }: Place, variable: string): Text | undefined {
  const { env, baseDir = process.cwd() } = reading
  const file = env[`${variable}_FILE`]
  if (!file) return env[variable] ? { text: env[variable], source: variable } : undefined
  const source = `${variable}_FILE`
  const path = resolve(baseDir, file)
  // Before it is read: a file that changes in between is then found to differ, not missed.
  reading.files.set(path, digestOf(path))
  const read = readTextFile(path)
  const text = 'text' in read ? read.text.replace(/[\r\n]+$/, '') : ''
  if (text !== '') return { text, source }
  // The operator may have written the secret itself here: it must not be in the log.
  const named = isSecret(schema, keys) && !/[\\/.]/.test(file) ? 'the file it should name' : `the file ${file}`
  reading.faults.push({
    keyPath: keys.join('.'),
    source,
    problem: `cannot read ${named}: ${'problem' in read ? read.problem : 'it is empty'}`,
  })
  return { text, source }
}

function parseText(reading: Reading, { schema, path }: Place, { text, source }: Text): unknown {
  if (text === '') return undefined
  const keyPath = path.join('.')
  reading.sources.set(keyPath, source)
  const parsed = parseValue(schema, text, isSecret(schema, path))
  const problems = 'problem' in parsed ? [parsed.problem] : check(schema, parsed.value, path).map(({ problem }) => problem)
  for (const problem of problems) reading.faults.push({ keyPath, source, problem })
  return 'value' in parsed ? fillDefaults(schema, parsed.value) : undefined
}

/** Keys of the entry that the schema does not name: kept where it allows any, refused elsewhere. */
function unnamedKeys(
  { faults }: Reading,
  { schema, inline, path }: Pick<Place, 'schema' | 'path'> & { inline: Schema },
): [string, unknown][] {
  const known = Object.keys(propertiesOf(schema) ?? {})
  const unnamed = Object.entries(inline).filter(([key, value]) => value !== undefined && !known.includes(key))
  const allowed = unnamedSchema(schema)
  for (const [key, value] of unnamed) {
    const fault = { keyPath: formatPath([...path, key]), source: 'config' }
    if (!allowed) faults.push({ ...fault, problem: `unknown key${didYouMean(key, known)}` })
    else faults.push(...check(allowed, value, [...path, key]).map(({ problem }) => ({ ...fault, problem })))
  }
  return allowed ? unnamed : []
}

/** A schema with keywords that `check` does not know is also checked by Ajv, whose first schema costs tens of milliseconds. */
function checkWhole({ schema, faults }: Reading, values: unknown): void {
  if (checksWhole(schema)) return
  const problems = createValidators().validator(schema)(values) ?? []
  for (const problem of problems) faults.push({ keyPath: '', source: 'config', problem })
}

/** Variables with the instance's prefix that nothing reads and that look like a slip: the others may be meant for other programs. */
function misspelled({ instance, env, variables }: Reading): readonly string[] {
  const prefix = variableName(instance, '')
  const known = variables.flatMap(({ variable }) => [variable, `${variable}_FILE`]).map((name) => name.slice(prefix.length))
  return Object.keys(env).flatMap((name) => {
    if (!name.startsWith(prefix) || known.includes(name.slice(prefix.length)) || !env[name]) return []
    const meant = suggest(name.slice(prefix.length), known, 2)
    return meant === undefined ? [] : [`${name} is set, but nothing reads it; did you mean ${prefix}${meant}?`]
  })
}

function problemsOf({ missing, faults }: Reading): readonly string[] {
  return [
    ...missing.map(({ variable }) => `${variable} is not set`),
    ...faults.map(({ keyPath, source, problem }) =>
      source === 'config' ? `config${keyPath && `.${keyPath}`}: ${problem}` : `${source}: ${problem}`,
    ),
  ]
}

function fixesOf({ instance, missing, faults }: Reading): readonly string[] {
  const [first] = missing
  const wrong = [
    ...new Set(
      faults.map(({ source }) => (source === 'config' ? `config of the entry "${instance}" in the config file` : source)),
    ),
  ]
  return [
    ...missing.map(({ variable }) => `Set ${variable} in the environment or in .env`),
    ...(first ? [`Or point ${first.variable}_FILE at a file that holds it`] : []),
    ...wrong.map((source) => `Correct ${source}`),
    `To see every variable it reads: npx mcp-patchbay env ${instance}`,
  ]
}
