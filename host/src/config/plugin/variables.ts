import { CREDENTIAL_KEYS } from '@mcp-patchbay/plugin-api/host'
import { isObject, type JsonSchema } from '../../data/json.ts'
import { hostError } from '../../errors.ts'
import type { Schema } from '../schema/check-value.ts'

/** One environment variable that a plugin's config is read from. With `_FILE` at its end it names a file that holds the value. */
export interface ConfigVariable {
  readonly variable: string
  /** Where the value goes: `proxy.caFile`. */
  readonly keyPath: string
  readonly schema: Schema
  /** It has no default, and neither it nor an object around it is optional. */
  readonly required: boolean
  readonly secret: boolean
}

/** `apiUrl` of `github` is `GITHUB_API_URL`, `proxy.caFile` of `github_eu` is `GITHUB_EU_PROXY_CA_FILE`. */
export function variableName(instance: string, keyPath: string): string {
  return [instance, ...keyPath.split('.').map(separateWords)]
    .join('_')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .toUpperCase()
}

/** Every variable of a plugin's config, in the order of its schema. */
export function configVariables(instance: string, schema: JsonSchema): readonly ConfigVariable[] {
  return leavesOf(schema, [], true).map(({ path, ...leaf }) => {
    const keyPath = path.join('.')
    return { variable: variableName(instance, keyPath), keyPath, ...leaf }
  })
}

/**
 * What would configure a credential, each way by itself: `JIRA_PERSONAL_TOKEN`, `JIRA_USERNAME and JIRA_PASSWORD`. The names that the host
 * knows, and every other secret of the schema.
 */
export function credentialAlternatives(instance: string, schema: JsonSchema): readonly string[] {
  const variables = configVariables(instance, schema)
  const byKey = new Map(variables.map(({ keyPath, variable }) => [keyPath, variable]))
  const known = CREDENTIAL_KEYS.filter((keys) => keys.every((key) => byKey.has(key)))
  const others = variables.filter(({ secret, keyPath }) => secret && !known.flat().includes(keyPath))
  return [...known.map((keys) => keys.map((key) => byKey.get(key)).join(' and ')), ...others.map(({ variable }) => variable)]
}

/** The schema for a service whose callers bring their credentials: the server may have none. */
export function withOptionalCredentials(schema: JsonSchema): JsonSchema {
  const keys = CREDENTIAL_KEYS.flat()
  const { required } = schema
  return Array.isArray(required) ? { ...schema, required: required.filter((key) => !keys.includes(String(key))) } : schema
}

/** Throws `CONFIG_COLLISION` when one variable would be read for two keys, of one plugin or of two. */
export function refuseCollisions(plugins: readonly { readonly instance: string; readonly schema: JsonSchema }[]): void {
  const readers = new Map<string, string[]>()
  for (const { instance, schema } of plugins)
    for (const { variable, keyPath } of configVariables(instance, schema))
      for (const name of [variable, `${variable}_FILE`])
        readers.set(name, [...(readers.get(name) ?? []), `${keyPath} of ${instance}`])
  const collisions = [...readers].flatMap(([variable, names]) => (names.length > 1 ? [{ variable, readers: names }] : []))
  if (collisions.length > 0) throw hostError('CONFIG_COLLISION', { collisions })
}

/** The keys of an object that has names of its own for them; undefined for any other value, which is read as a whole. */
export function propertiesOf(schema: unknown): Readonly<Record<string, Schema>> | undefined {
  if (!isObject(schema) || schema['type'] !== 'object' || !isObject(schema['properties'])) return undefined
  const properties = Object.entries(schema['properties']).flatMap(([key, part]) => (isObject(part) ? [[key, part] as const] : []))
  return properties.length > 0 ? Object.fromEntries(properties) : undefined
}

/** Whether an object must have `key`; one with a default has it always. */
export function isRequired(schema: Schema, key: string): boolean {
  const { required } = schema
  return Array.isArray(required) && required.includes(key) && propertiesOf(schema)?.[key]?.['default'] === undefined
}

interface Leaf {
  readonly path: readonly string[]
  readonly schema: Schema
  readonly required: boolean
  readonly secret: boolean
}

function leavesOf(schema: Schema, path: readonly string[], needed: boolean): readonly Leaf[] {
  return Object.entries(propertiesOf(schema) ?? {}).flatMap(([key, part]) => {
    const at = [...path, key]
    const required = needed && isRequired(schema, key)
    return propertiesOf(part)
      ? leavesOf(part, at, required)
      : [{ path: at, schema: part, required, secret: part['writeOnly'] === true }]
  })
}

/** `apiURL` and `apiUrl` are `api_URL` and `api_Url`; digits stay with the word before them. */
function separateWords(key: string): string {
  return key.replace(/([a-z0-9])([A-Z])/g, '$1_$2').replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
}
