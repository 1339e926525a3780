import { isObject } from '../../../data/json.ts'
import { parseBounded, type JsonBounds } from '../../../data/json-cost.ts'

/** Stands for a function: it is run where it is, and nowhere else. */
const FUNCTION = 'mcp-patchbay.function'

/**
 * What a plugin's module exports, as JSON: everything that the contract knows, with a mark for each function. Undefined for what JSON
 * has no word for. Throws what JSON or a getter of the plugin throws.
 */
export function describe(exported: unknown): string | undefined {
  const plugin = isObject(exported) ? { ...pick(exported, PLUGIN_KEYS), ...lists(exported) } : exported
  return JSON.stringify(plugin, (_, value: unknown) => (typeof value === 'function' ? { [FUNCTION]: true } : value))
}

/** The same for the checks of the host: its functions are there and do nothing. Throws `TooCostly`, and what `JSON.parse` throws. */
export function readDescription(text: string | undefined, bounds: JsonBounds = DESCRIPTION_BOUNDS): unknown {
  if (text === undefined) return undefined
  const holder = [parseBounded(text, bounds)]
  const queue: object[] = [holder]
  for (const parent of queue)
    for (const [key, value] of Object.entries(parent) as [string, unknown][]) {
      if (typeof value !== 'object' || value === null) continue
      if (Reflect.get(value, FUNCTION) === true) Reflect.set(parent, key, elsewhere)
      else queue.push(value)
    }
  return holder[0]
}

/** Ten times what 128 tools with the largest schemas have. */
const DESCRIPTION_BOUNDS: JsonBounds = { depth: 64, values: 1_000_000 }

/** What was discovered may be a whole service: the thousand operations of a large one have a million values. */
export const DISCOVERED_BOUNDS: JsonBounds = { depth: 64, values: 4_000_000 }

function elsewhere(): never {
  throw new Error('A function of a plugin in its own process was called in the host')
}

const PLUGIN_KEYS = ['apiVersion', 'name', 'version', 'description', 'config', 'credentials', 'headers', 'capabilities'].concat([
  'watch',
  'docsUrl',
  'scopes',
  'isAuthConfigured',
  'discover',
  'createClient',
  'start',
])
const ITEM_KEYS: Readonly<Record<string, readonly string[]>> = {
  tools: [
    'name',
    'title',
    'description',
    'access',
    'tags',
    'permissions',
    'safePaths',
    'timeoutMs',
    'interactive',
    'approval',
  ].concat(['cache', 'input', 'output', 'icons', 'annotations', 'meta', 'run']),
  resources: ['name', 'title', 'description', 'uri', 'mimeType', 'permissions', 'list', 'complete', 'read'],
  prompts: ['name', 'title', 'description', 'arguments', 'permissions', 'interactive', 'complete', 'run'],
}

/** By name, since what is inherited counts as well: a plugin may be an object of a class. */
function pick(from: Readonly<Record<string, unknown>>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(keys.map((key) => [key, from[key]]))
}

function lists(plugin: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(ITEM_KEYS).map(([name, keys]) => {
      const list = plugin[name]
      return [name, Array.isArray(list) ? list.map((item: unknown) => (isObject(item) ? pick(item, keys) : item)) : list]
    }),
  )
}
