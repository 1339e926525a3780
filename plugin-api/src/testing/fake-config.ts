import type { TObject } from 'typebox'
import { Value } from 'typebox/value'
import { SecretValue } from '../secret-value.ts'
import type { Capabilities } from '../plugin.ts'
import { isRecord } from './is-record.ts'
import { mismatches } from './schema-check.ts'

/**
 * `given` as a plugin gets it: defaults filled in, secrets wrapped, frozen. A secret can be revealed exactly where the plugin declares
 * `credentials: 'raw'`. Throws an error with every mismatch.
 */
export function fakeConfig(
  schema: TObject,
  given: Readonly<Record<string, unknown>> = {},
  capabilities: Capabilities = {},
): Readonly<Record<string, unknown>> {
  const filled = Value.Default(schema, withObjects(schema, structuredClone(given))) as Record<string, unknown>
  const unknown = Object.keys(filled).filter((key) => !Object.hasOwn(schema.properties, key))
  const wrong = [...mismatches(schema, filled), ...unknown.map((key) => `\`${key}\` is not a key of this config`)]
  if (wrong.length) throw new Error(`The fake config does not fit the plugin's schema: ${wrong.join('; ')}`)
  return Object.freeze(wrapSecrets(schema, filled, capabilities.credentials === 'raw'))
}

/** As the host reads a config: an object that is required is there, and what it has by default is in it. */
function withObjects(schema: TObject, config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const required: readonly string[] = schema.required ?? []
  const objects = Object.entries<unknown>(schema.properties).flatMap(([key, property]): [string, unknown][] => {
    if (!isObjectSchema(property)) return []
    const value = config[key] ?? (required.includes(key) ? {} : undefined)
    return isRecord(value) ? [[key, withObjects(property, value)]] : []
  })
  return { ...config, ...Object.fromEntries(objects) }
}

function wrapSecrets(schema: TObject, config: Record<string, unknown>, raw: boolean): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => {
      const property: unknown = schema.properties[key]
      if (isSecret(property)) return [key, new SecretValue(raw ? () => String(value) : undefined)]
      return [key, isObjectSchema(property) && isRecord(value) ? wrapSecrets(property, value, raw) : value]
    }),
  )
}

/** Made by `Secret()`. */
export function isSecret(schema: unknown): boolean {
  return isRecord(schema) && schema['writeOnly'] === true
}

export function isObjectSchema(schema: unknown): schema is TObject {
  return isRecord(schema) && schema['type'] === 'object' && isRecord(schema['properties'])
}
