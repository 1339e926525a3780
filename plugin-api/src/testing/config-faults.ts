import { isObjectSchema, isSecret } from './fake-config.ts'
import { isRecord } from './is-record.ts'

/**
 * What would keep a config from being read out of the environment, or would show a secret: keys without a variable of their own,
 * types that a variable cannot hold, plain strings that are named like secrets. One line each.
 */
export function configFaults(schema: unknown, instance: string): readonly string[] {
  const faults: string[] = []
  const owners = new Map<string, string>()
  for (const { path, property } of leaves(schema, [])) {
    const key = path.join('.')
    const variable = environmentName(instance, path)
    if (!path.every((part) => /^[a-z][a-zA-Z0-9]*$/.test(part)))
      faults.push(`config.${key} is not camelCase, so no environment variable follows from it`)
    const owner = owners.get(variable)
    if (owner !== undefined) faults.push(`config.${key} and config.${owner} are both read from ${variable}`)
    owners.set(variable, key)
    if (!isRecord(property) || typeof property['description'] !== 'string' || property['description'].trim() === '')
      faults.push(`config.${key} has no description: \`patchbay env\` prints it above ${variable}`)
    if (isRecord(property) && !isSecret(property) && property['type'] === 'string' && SECRET_NAME.test(path.at(-1) ?? ''))
      faults.push(`config.${key} is named like a secret and is a plain string: make it with Secret()`)
  }
  for (const [variable, key] of owners) {
    const file = owners.get(`${variable}_FILE`)
    if (file !== undefined)
      faults.push(`config.${file} is read from ${variable}_FILE, which is where config.${key} may name a file`)
  }
  return faults
}

/** Does the config hold a secret anywhere? */
export function declaresSecret(schema: unknown): boolean {
  return leaves(schema, []).some(({ property }) => isSecret(property))
}

const SECRET_NAME = /(token|secret|password|passphrase|api_?key|private_?key|credentials?)$/i

/** `github` and `apiUrl` give `GITHUB_API_URL`. */
function environmentName(instance: string, path: readonly string[]): string {
  return [instance, ...path]
    .map((part) => part.replace(/([a-z0-9])([A-Z])|([A-Z])(?=[A-Z][a-z])/g, '$1$3_$2').toUpperCase())
    .join('_')
}

function leaves(schema: unknown, path: readonly string[]): readonly { path: readonly string[]; property: unknown }[] {
  if (!isObjectSchema(schema)) return []
  return Object.entries(schema.properties).flatMap(([key, property]) =>
    isObjectSchema(property) ? leaves(property, [...path, key]) : [{ path: [...path, key], property }],
  )
}
