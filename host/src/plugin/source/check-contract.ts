import type { ContractFault, ServicePlugin } from '@mcp-patchbay/plugin-api'
import { contractFaults } from '@mcp-patchbay/plugin-api/host'
import { schemaFaults, sourceFault } from '../../data/schema/schema-bounds.ts'
import { RESERVED_INSTANCES } from '../../config/schema/rules.ts'
import { withLocalReferences } from '../../data/schema/local-references.ts'
import { beyondBounds } from '../../data/json-cost.ts'
import { isObject } from '../../data/json.ts'
import { hostError } from '../../errors.ts'
import { foreignPart } from './foreign.ts'
import type { LeftOut } from './left-out.ts'

/** The most a client-visible name may be: model APIs refuse more. */
const MAX_NAME = 64
const MAX_DESCRIPTION = 8_192

/** How much a plugin may say of one of its items besides schemas: it is copied, digested and sent to clients. */
const ITEM_LIMITS = { depth: 32, values: 10_000 }
/** An address that no client shortens, and that matches against a template in no time. */
const MAX_URI = 2_048

/** A plugin that is valid, except perhaps for the schemas of single tools and prompts, which are left out. */
export interface CheckedPlugin {
  readonly plugin: ServicePlugin
  readonly leftOut: readonly LeftOut[]
}

/**
 * Is this a ServicePlugin that the host can run as `instance`? Returns it, or throws `PLUGIN_CONTRACT` with every fault at once: shape,
 * names, contract version, and its schemas against the host's bounds. A tool or prompt whose schema has faults is left out by name, and the
 * others serve.
 */
export function checkPlugin(value: unknown, as: string | undefined, label: string): CheckedPlugin {
  const faults: ContractFault[] = [...contractFaults(value)]
  if (isObject(value)) {
    const instance = as ?? (typeof value['name'] === 'string' ? value['name'] : label)
    faults.push(...instanceFaults(instance, as), ...itemFaults(value, instance), ...configFaults(value['config']))
  }
  const foreign = foreignPart(value)
  const { leftOut, others } = sortFaults(faults, value, foreign ? ITEM_PATH : SCHEMA_PATH)
  if (others.length) throw hostError('PLUGIN_CONTRACT', { plugin: as ?? label, faults })
  return { plugin: value as ServicePlugin, leftOut: foreign ? [...foreign.leftOut, ...leftOut] : leftOut }
}

/** Parts what leaves out one tool or prompt from what no plugin can be run with. */
function sortFaults(faults: readonly ContractFault[], value: unknown, leavesOut: RegExp) {
  const ofItems = Map.groupBy(faults, ({ path }) => leavesOut.exec(path)?.[1])
  const others = ofItems.get(undefined) ?? []
  const leftOut = [...ofItems].flatMap(([place, itsFaults]): LeftOut[] => {
    const [, list = '', index = ''] = /^(tools|prompts|resources)\[(\d+)\]$/.exec(place ?? '') ?? []
    const items = isObject(value) ? value[list] : undefined
    const item: unknown = Array.isArray(items) ? items[Number(index)] : undefined
    if (!isObject(item)) return []
    return [{ kind: KINDS[list] ?? 'tool', name: nameOf(item), faults: itsFaults }]
  })
  return { leftOut, others }
}

const KINDS: Readonly<Record<string, LeftOut['kind']>> = { tools: 'tool', prompts: 'prompt', resources: 'resource' }

/** Of an MCP server everything that is wrong with one item is that item's alone: its author does not know of this host. */
const ITEM_PATH = /^((?:tools|prompts|resources)\[\d+\])/
const SCHEMA_PATH = /^(tools\[\d+\]|prompts\[\d+\])\.(?:input|output|arguments)(?![\w])/

/** Its variables are read and checked by the host, as the arguments of tools are. */
function configFaults(config: unknown): readonly ContractFault[] {
  return isObject(config) && config['type'] === 'object' ? faultsOf(config, 'config', 'object') : []
}

function faultsOf(schema: unknown, path: string, root: 'object' | 'any'): readonly ContractFault[] {
  const beyond = sourceFault(schema)
  const faults = beyond ? [beyond] : schemaFaults(withLocalReferences(schema), { root })
  return faults.map((fault) => ({ path: `${path}${fault.path.slice(1)}`, problem: fault.problem, fix: fault.fix }))
}

function instanceFaults(instance: string, as: string | undefined): readonly ContractFault[] {
  if (RESERVED_INSTANCES.includes(instance))
    return [
      {
        path: 'name',
        problem: `"${instance}" is reserved for the host's own tools`,
        fix: 'Mount it under another name: { use: …, as: "other_name" }',
      },
    ]
  // A plugin's own name was checked with its shape.
  if (as === undefined || /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/.test(as)) return []
  return [
    {
      path: 'as',
      problem: `"${as}" is not an instance name`,
      fix: 'Use snake_case: a to z, 0 to 9 and single underscores',
    },
  ]
}

function itemFaults(plugin: Readonly<Record<string, unknown>>, instance: string): readonly ContractFault[] {
  const faults: ContractFault[] = []
  const schema = (value: unknown, path: string, root: 'object' | 'any') => void faults.push(...faultsOf(value, path, root))
  const extent = (item: Readonly<Record<string, unknown>>, path: string) => {
    for (const key of ['meta', 'annotations', 'icons', 'tags', 'permissions', 'safePaths', 'cache']) {
      const problem = beyondBounds(item[key], ITEM_LIMITS)
      if (problem) faults.push({ path: `${path}.${key}`, problem, fix: 'Say less' })
    }
  }
  const names = (item: Readonly<Record<string, unknown>>, path: string) => {
    const full = `${instance}_${nameOf(item)}`
    if (full.length > MAX_NAME)
      faults.push({
        path: `${path}.name`,
        problem: `is "${full}" for clients, ${full.length} characters long`,
        fix: `Keep instance and name within ${MAX_NAME} characters together`,
      })
    if (typeof item['description'] === 'string' && item['description'].length > MAX_DESCRIPTION)
      faults.push({
        path: `${path}.description`,
        problem: `is longer than ${MAX_DESCRIPTION} characters`,
        fix: 'Shorten it: every model reads it with every request',
      })
  }
  each(plugin['tools'], 'tools', (tool, path) => {
    names(tool, path)
    extent(tool, path)
    if (isObject(tool['input'])) schema(tool['input'], `${path}.input`, 'object')
    if (isObject(tool['output'])) schema(tool['output'], `${path}.output`, 'any')
  })
  each(plugin['prompts'], 'prompts', (prompt, path) => {
    names(prompt, path)
    extent(prompt, path)
    if (isObject(prompt['arguments'])) schema(prompt['arguments'], `${path}.arguments`, 'object')
  })
  each(plugin['resources'], 'resources', (resource, path) => {
    names(resource, path)
    extent(resource, path)
    if (typeof resource['uri'] === 'string' && resource['uri'].length > MAX_URI)
      faults.push({ path: `${path}.uri`, problem: `is longer than ${MAX_URI} characters`, fix: 'Shorten it' })
  })
  return faults
}

/** That a name is no string is a fault of its own. */
function nameOf({ name }: Readonly<Record<string, unknown>>): string {
  return typeof name === 'string' ? name : ''
}

function each(list: unknown, name: string, visit: (item: Readonly<Record<string, unknown>>, path: string) => void): void {
  if (Array.isArray(list))
    list.forEach((item: unknown, index) => {
      if (isObject(item)) visit(item, `${name}[${index}]`)
    })
}
