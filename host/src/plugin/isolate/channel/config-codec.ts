import { SecretValue } from '@mcp-patchbay/plugin-api/host'
import { isObject } from '../../../data/json.ts'

/** A plugin's config as it can be sent: the secrets are named, and only revealed ones have their value with them. */
export interface WireConfig {
  readonly values: Readonly<Record<string, unknown>>
  readonly secrets: readonly { readonly path: readonly (string | number)[]; readonly value?: string }[]
}

export function writeConfig(config: Readonly<Record<string, unknown>>): WireConfig {
  const secrets: { path: readonly (string | number)[]; value?: string }[] = []
  const visit = (value: unknown, path: readonly (string | number)[]): void => {
    if (value instanceof SecretValue) secrets.push({ path, ...revealed(value) })
    else if (Array.isArray(value)) value.forEach((item: unknown, index) => visit(item, [...path, index]))
    else if (isObject(value)) for (const [key, item] of Object.entries(value)) visit(item, [...path, key])
  }
  visit(config, [])
  return { values: config, secrets }
}

/** The host's own secrets cannot be revealed, unless the plugin was granted that. */
function revealed(secret: SecretValue): { value?: string } {
  try {
    return { value: secret.reveal() }
  } catch {
    return {}
  }
}

/** The config that the plugin gets, frozen. */
export function readConfig({ values, secrets }: WireConfig): Readonly<Record<string, unknown>> {
  const config = structuredClone(values)
  for (const { path, value } of secrets) {
    const last = path.at(-1)
    const holder: unknown = path
      .slice(0, -1)
      .reduce((at: unknown, key) => (isObject(at) || Array.isArray(at) ? Reflect.get(at, key) : at), config)
    if (last !== undefined && (isObject(holder) || Array.isArray(holder)))
      Reflect.set(holder, last, new SecretValue(value === undefined ? undefined : () => value))
  }
  return freezeAll(config)
}

function freezeAll<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || value instanceof SecretValue) return value
  for (const child of Object.values(value)) freezeAll(child)
  return Object.freeze(value)
}
