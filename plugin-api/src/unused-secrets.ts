import { CREDENTIAL_KEYS } from './credential-keys.ts'

/**
 * The secrets of a config that reach nothing: the host puts those of its own names on requests, and shows a plugin any only where it
 * declares `credentials: 'raw'`. Key paths, such as `botToken` or `signing.key`.
 */
export function unusedSecrets(config: unknown, capabilities: unknown): readonly string[] {
  if (isRecord(capabilities) && capabilities['credentials'] === 'raw') return []
  const placed = new Set(CREDENTIAL_KEYS.flat())
  return secretsIn(config, []).filter((key) => !placed.has(key))
}

function secretsIn(schema: unknown, path: readonly string[]): readonly string[] {
  if (!isRecord(schema) || path.length > DEEPEST) return []
  if (schema['writeOnly'] === true) return path.length > 0 ? [path.join('.')] : []
  const properties = isRecord(schema['properties']) ? schema['properties'] : {}
  return Object.entries(properties).flatMap(([key, part]) => secretsIn(part, [...path, key]))
}

const DEEPEST = 16

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
