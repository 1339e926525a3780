/** What many clients cannot use, although MCP and JSON Schema allow it: where, what happens, what to write instead. */
export interface ClientLimit {
  readonly path: string
  readonly problem: string
  readonly fix: string
}

/** Model APIs refuse longer names of tools. */
const MOST_NAME = 64
/** `mcp__<server>__`, which clients put before the name of a tool. */
const PREFIX = 16

/**
 * What clients would drop of a tool without an error: alternatives at the root of its input, arrays that do not say what is in them, and a
 * name that leaves no room for a client's prefix. `name` is as clients see it. The schema must be bounded: this recurses over it.
 */
export function clientLimits(name: string, input: unknown): readonly ClientLimit[] {
  const found: ClientLimit[] = []
  if (name.length > MOST_NAME - PREFIX)
    found.push({
      path: 'name',
      problem: `is "${name}" for clients, ${name.length} characters: some put up to ${PREFIX} before it, and model APIs refuse more than ${MOST_NAME}`,
      fix: `Keep instance and name within ${MOST_NAME - PREFIX} characters together`,
    })
  if (!isRecord(input)) return found
  for (const keyword of ['oneOf', 'anyOf', 'allOf'])
    if (input[keyword] !== undefined)
      found.push({
        path: `input.${keyword}`,
        problem: 'is at the root of the input: some clients drop such a tool, others refuse every request',
        fix: 'Write one object with optional properties, and check what belongs together in run',
      })
  for (const path of openArrays(input, 'input'))
    found.push({ path, problem: 'is an array without items: some clients refuse it', fix: 'Say what is in it: items: { … }' })
  return found
}

function openArrays(schema: unknown, path: string): readonly string[] {
  if (!isRecord(schema)) return []
  const isOpen = [schema['type']].flat().includes('array') && schema['items'] === undefined && schema['prefixItems'] === undefined
  const below = [
    ...Object.entries(isRecord(schema['properties']) ? schema['properties'] : {}).map(
      ([name, child]) => [`${path}.${name}`, child] as const,
    ),
    ...Object.entries(isRecord(schema['$defs']) ? schema['$defs'] : {}).map(
      ([name, child]) => [`${path}.$defs.${name}`, child] as const,
    ),
    ...['items', 'additionalProperties'].map((key) => [`${path}.${key}`, schema[key]] as const),
    ...['anyOf', 'oneOf', 'allOf', 'prefixItems'].flatMap((key) => {
      const branches: unknown = schema[key]
      return Array.isArray(branches) ? branches.map((branch: unknown, at) => [`${path}.${key}[${at}]`, branch] as const) : []
    }),
  ]
  return [...(isOpen ? [path] : []), ...below.flatMap(([at, child]) => openArrays(child, at))]
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
