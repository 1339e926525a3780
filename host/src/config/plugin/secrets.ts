import { SecretValue } from '@mcp-patchbay/plugin-api/host'
import { isObject, type JsonSchema } from '../../data/json.ts'
import { unnamedSchema, type Schema } from '../schema/check-value.ts'
import { freeze } from '../schema/defaults.ts'

/**
 * Parts a plugin's config from its secrets: everything that its schema marks `writeOnly`, at any depth. In `config`, which is frozen,
 * a secret is a `SecretValue`; `secrets` has the values by key path, for the network layer only.
 */
export function takeSecrets(
  schema: JsonSchema,
  values: Readonly<Record<string, unknown>>,
  reveal: boolean,
): { readonly config: Readonly<Record<string, unknown>>; readonly secrets: ReadonlyMap<string, string> } {
  const secrets = new Map<string, string>()
  const take = (part: Schema, value: unknown, path: readonly string[], around: boolean): unknown => {
    const hidden = around || part['writeOnly'] === true
    if (Array.isArray(value)) {
      const items = isObject(part['items']) ? part['items'] : {}
      return value.map((item: unknown, index) => take(items, item, [...path, String(index)], hidden))
    }
    if (isObject(value)) return mapValues(value, (key, child) => take(partFor(part, key), child, [...path, key], hidden))
    if (!hidden || value === null || value === undefined) return value
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    secrets.set(path.join('.'), text)
    return new SecretValue(reveal ? () => text : undefined)
  }
  const config = mapValues(values, (key, value) => take(partFor(schema, key), value, [key], schema['writeOnly'] === true))
  return { config: freeze(config), secrets }
}

function partFor(schema: Schema, key: string): Schema {
  const properties = isObject(schema['properties']) ? schema['properties'] : {}
  const part = Object.hasOwn(properties, key) ? properties[key] : unnamedSchema(schema)
  return isObject(part) ? part : {}
}

function mapValues(values: Schema, map: (key: string, value: unknown) => unknown): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(key, value)]))
}
