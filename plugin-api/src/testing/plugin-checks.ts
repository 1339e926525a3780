import type { TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { CREDENTIAL_KEYS } from '../credential-keys.ts'
import { unusedSecrets } from '../unused-secrets.ts'
import { SecretValue } from '../secret-value.ts'
import { clientLimits } from '../client-limits.ts'
import { contractFaults } from '../contract.ts'
import type { AnyPlugin } from '../plugin.ts'
import { configFaults, declaresSecret } from './config-faults.ts'
import { isObjectSchema, isSecret } from './fake-config.ts'
import { isRecord } from './is-record.ts'
import { plainJson } from './schema-check.ts'
import { schemaFaults } from './schema-faults.ts'
import { toolSnapshot } from './tool-snapshot.ts'

export interface CheckOptions {
  /** The plugin works without credentials although its config can hold some: `isAuthConfigured` may be true for an empty config. */
  readonly anonymous?: boolean
}

/** One promise of the contract; `faults` says how a plugin breaks it, one line each. */
export interface PluginCheck {
  readonly name: string
  readonly faults: (plugin: AnyPlugin, options: CheckOptions) => readonly string[]
}

/** The shape, which all other checks build on. */
export const shapeCheck: PluginCheck = {
  name: 'is a ServicePlugin',
  faults: (plugin) => contractFaults(plugin).map(({ path, problem, fix }) => `${path} ${problem}. ${fix}`),
}

/** Every further promise. */
export const pluginChecks: readonly PluginCheck[] = [
  { name: 'keeps names within 64 characters, prefix included', faults: longNames },
  { name: 'gives clients schemas that are plain JSON Schema, described for a model', faults: allSchemaFaults },
  {
    name: 'reads its config from environment variables and marks its secrets',
    faults: ({ config, name, capabilities }) => [...configFaults(config, name), ...unusedFaults(config, capabilities)],
  },
  { name: 'answers whether it is configured for any config, and throws for none', faults: authFaults },
  { name: 'shows clients the same after its objects are frozen', faults: freezeFaults },
]

/** Model APIs refuse longer names. */
const MAX_NAME = 64

function longNames({ name: instance, tools, prompts = [], resources = [] }: AnyPlugin): readonly string[] {
  return [...tools, ...prompts, ...resources]
    .map(({ name }) => `${instance}_${name}`)
    .filter((name) => name.length > MAX_NAME)
    .map((name) => `${name} is ${name.length} characters long`)
}

function allSchemaFaults({ config, tools, prompts = [] }: AnyPlugin): readonly string[] {
  return [
    ...jsonFaults(config, 'config'),
    ...tools.flatMap(({ name, input, output, meta }) => [
      ...schemaFaults(input, `${name}.input`),
      ...jsonFaults(input, `${name}.input`),
      // A model reads what a tool returns, so only what it has to fill in needs words.
      ...(output ? schemaFaults(output, `${name}.output`).filter((fault) => !fault.includes('has no description')) : []),
      ...jsonFaults(output, `${name}.output`),
      ...jsonFaults(meta, `${name}.meta`),
    ]),
    ...prompts.flatMap(({ name, arguments: args }) => (args ? schemaFaults(args, `${name}.arguments`) : [])),
  ]
}

function unusedFaults(config: unknown, capabilities: unknown): readonly string[] {
  return unusedSecrets(config, capabilities).map(
    (key) =>
      `config.${key} is a secret that nothing uses: name it ${PLACED}, or declare capabilities: { credentials: 'raw' } and place it yourself`,
  )
}

const PLACED = CREDENTIAL_KEYS.flat()
  .filter((key) => key !== 'username' && key !== 'oauthClientId')
  .join(', ')

function jsonFaults(value: unknown, path: string): readonly string[] {
  if (value === undefined) return []
  try {
    plainJson(value)
    return []
  } catch (error) {
    return [`${path} cannot be JSON: ${error instanceof Error ? error.message : String(error)}`]
  }
}

function authFaults(plugin: AnyPlugin, { anonymous = false }: CheckOptions): readonly string[] {
  const faults: string[] = []
  const ask = (label: string, config: Record<string, unknown>): unknown => {
    try {
      const answer: unknown = plugin.isAuthConfigured(config as never)
      if (typeof answer !== 'boolean') faults.push(`isAuthConfigured(${label}) answered ${String(answer)}, not true or false`)
      return answer
    } catch (error) {
      faults.push(`isAuthConfigured(${label}) threw: ${error instanceof Error ? error.message : String(error)}`)
      return undefined
    }
  }
  if (ask('an empty config', {}) === true && declaresSecret(plugin.config) && !anonymous)
    faults.push(
      'isAuthConfigured is true for an empty config, though the config has secrets; if it works without, pass { anonymous: true }',
    )
  const full = sampleConfig(plugin.config)
  ask('a full config', full)
  for (const key of Object.keys(full))
    ask(`a config without ${key}`, Object.fromEntries(Object.entries(full).filter(([name]) => name !== key)))
  return faults
}

/** A value for every key, optional ones too. */
function sampleConfig(schema: unknown): Record<string, unknown> {
  if (!isObjectSchema(schema)) return {}
  return Object.fromEntries(
    Object.entries(schema.properties).map(([key, property]) => {
      if (isSecret(property)) return [key, new SecretValue()]
      return [key, isObjectSchema(property) ? sampleConfig(property) : sampleValue(property)]
    }),
  )
}

/** Something of the right kind: no value is made up for a pattern or a format. */
function sampleValue(schema: TSchema): unknown {
  const { pattern: _pattern, format: _format, ...rest } = schema as TSchema & { pattern?: unknown; format?: unknown }
  try {
    return Value.Create(rest)
  } catch {
    return ''
  }
}

/** What some clients will drop of a sound plugin: to be told, not to fail. One line each. */
export function clientWarnings({ name: instance, tools }: AnyPlugin): readonly string[] {
  return tools.flatMap(({ name, input }) =>
    clientLimits(`${instance}_${name}`, plainJson(input)).map(({ path, problem, fix }) => `${name}: ${path} ${problem}. ${fix}`),
  )
}

/** The host reads a plugin's descriptions once and serves its own frozen copy: nothing may depend on writing to them later. */
function freezeFaults(plugin: AnyPlugin): readonly string[] {
  try {
    const before = toolSnapshot(plugin)
    deepFreeze([plugin.tools, plugin.resources, plugin.prompts, plugin.config], new Set())
    plugin.isAuthConfigured(sampleConfig(plugin.config) as never)
    return toolSnapshot(plugin) === before ? [] : ['what clients see of it changes from one look to the next']
  } catch (error) {
    return [`it fails once its objects are frozen: ${error instanceof Error ? error.message : String(error)}`]
  }
}

function deepFreeze(value: unknown, seen: Set<unknown>): void {
  if (!(Array.isArray(value) || isRecord(value)) || seen.has(value)) return
  seen.add(value)
  Object.freeze(value)
  for (const child of Object.values(value)) deepFreeze(child, seen)
}
