import type { ContractFault, ServicePlugin } from '@mcp-patchbay/plugin-api'
import { contractFaults } from '@mcp-patchbay/plugin-api/host'
import { schemaFaults } from '../../data/schema/schema-bounds.ts'
import { RESERVED_INSTANCES } from '../../config/schema/rules.ts'
import { withLocalReferences } from '../../data/schema/local-references.ts'
import { isObject } from '../../data/json.ts'
import { hostError } from '../../errors.ts'

/** The most a client-visible name may be: model APIs refuse more. */
const MAX_NAME = 64
const MAX_DESCRIPTION = 8_192

/**
 * Is this a ServicePlugin that the host can run as `instance`? Returns it, or throws `PLUGIN_CONTRACT` with every fault at once: shape,
 * names, contract version, and each schema against the host's bounds.
 */
export function checkPlugin(value: unknown, as: string | undefined, label: string): ServicePlugin {
  const faults: ContractFault[] = [...contractFaults(value)]
  if (isObject(value)) {
    const instance = as ?? (typeof value['name'] === 'string' ? value['name'] : label)
    faults.push(...instanceFaults(instance, as), ...itemFaults(value, instance))
  }
  if (faults.length) throw hostError('PLUGIN_CONTRACT', { plugin: as ?? label, faults })
  return value as ServicePlugin
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
  const schema = (value: unknown, path: string, root: 'object' | 'any') => {
    for (const fault of schemaFaults(withLocalReferences(value), { root }))
      faults.push({ path: `${path}${fault.path.slice(1)}`, problem: fault.problem, fix: fault.fix })
  }
  const names = (item: Readonly<Record<string, unknown>>, path: string) => {
    const full = `${instance}_${String(item['name'])}`
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
    if (isObject(tool['input'])) schema(tool['input'], `${path}.input`, 'object')
    if (isObject(tool['output'])) schema(tool['output'], `${path}.output`, 'any')
  })
  each(plugin['prompts'], 'prompts', (prompt, path) => {
    names(prompt, path)
    if (isObject(prompt['arguments'])) schema(prompt['arguments'], `${path}.arguments`, 'object')
  })
  each(plugin['resources'], 'resources', names)
  return faults
}

function each(list: unknown, name: string, visit: (item: Readonly<Record<string, unknown>>, path: string) => void): void {
  if (Array.isArray(list))
    list.forEach((item: unknown, index) => {
      if (isObject(item)) visit(item, `${name}[${index}]`)
    })
}
