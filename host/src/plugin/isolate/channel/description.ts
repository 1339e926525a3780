import { isObject } from '../../../data/json.ts'

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

/** The same for the checks of the host: its functions are there and do nothing. */
export function readDescription(text: string | undefined): unknown {
  if (text === undefined) return undefined
  return JSON.parse(text, (_, value: unknown) => (isObject(value) && value[FUNCTION] === true ? elsewhere : value))
}

function elsewhere(): never {
  throw new Error('A function of a plugin in its own process was called in the host')
}

const PLUGIN_KEYS = ['apiVersion', 'name', 'version', 'description', 'config', 'credentials', 'headers', 'capabilities'].concat([
  'isAuthConfigured',
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
  resources: ['name', 'title', 'description', 'uri', 'mimeType', 'permissions', 'read'],
  prompts: ['name', 'title', 'description', 'arguments', 'permissions', 'interactive', 'run'],
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
