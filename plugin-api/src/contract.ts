import { API_VERSION } from './plugin.ts'

/** One way in which a value is not a `ServicePlugin`: where, what is wrong, what to write instead. */
export interface ContractFault {
  /** For example `tools[2].access`. */
  readonly path: string
  readonly problem: string
  readonly fix: string
}

/**
 * Every fault of what a plugin module exports, at once; empty when it is a `ServicePlugin`. Checks shapes and names only:
 * schemas are compiled by the host, which has limits of its own for them.
 */
export function contractFaults(value: unknown): readonly ContractFault[] {
  const faults: ContractFault[] = []
  const fault = (path: string, problem: string, fix: string) => void faults.push({ path, problem, fix })
  if (!isRecord(value)) {
    fault('default', `the module's default export is ${kindOf(value)}`, 'Write: export default definePlugin({ … })')
    return faults
  }
  if (value['apiVersion'] !== API_VERSION) {
    const version = value['apiVersion']
    const newer = typeof version === 'number' && version > API_VERSION
    fault(
      'apiVersion',
      version === undefined
        ? 'the contract version is missing'
        : `it is made for contract version ${String(version)}, this host speaks ${API_VERSION}`,
      version === undefined
        ? 'Wrap the object in definePlugin({ … })'
        : newer
          ? 'Update the host'
          : 'Update the plugin, or ask its author for a release made with the current @mcp-patchbay/plugin-api',
    )
  }
  checkName(value['name'], 'name', fault)
  if (!isRecord(value['config']) || value['config']['type'] !== 'object')
    fault('config', `is ${kindOf(value['config'])}, not a TypeBox object`, 'Write: config: Type.Object({ … }); empty is fine')
  checkFunction(
    value['isAuthConfigured'],
    'isAuthConfigured',
    'isAuthConfigured: hasCredential, or () => true for a service without credentials',
    fault,
  )
  checkFunction(value['createClient'], 'createClient', 'createClient: ({ http }) => new MyClient(http)', fault)
  if (value['start'] !== undefined) checkFunction(value['start'], 'start', 'start: (ctx) => { … }', fault)
  for (const { list, check, required } of lists) {
    const items = value[list]
    if (items === undefined && !required) continue
    if (!Array.isArray(items)) {
      fault(list, `is ${kindOf(items)}, not an array`, `Write: ${list}: []`)
      continue
    }
    const seen = new Map<string, number>()
    items.forEach((item: unknown, index) => {
      const path = `${list}[${index}]`
      if (!isRecord(item))
        return fault(
          path,
          `is ${kindOf(item)}`,
          `Make it with define${list === 'tools' ? 'Tool' : list === 'prompts' ? 'Prompt' : 'Resource'}({ … })`,
        )
      checkName(item['name'], `${path}.name`, fault)
      const name = item['name']
      if (typeof name === 'string') {
        const first = seen.get(name)
        if (first === undefined) seen.set(name, index)
        else fault(`${path}.name`, `"${name}" is also the name of ${list}[${first}]`, 'Give each its own name')
      }
      checkOptionalStrings(item, path, fault)
      check(item, path, fault)
    })
  }
  return faults
}

type Fault = (path: string, problem: string, fix: string) => void

const lists: readonly {
  list: string
  required: boolean
  check: (item: Record<string, unknown>, path: string, fault: Fault) => void
}[] = [
  { list: 'tools', required: true, check: checkTool },
  { list: 'resources', required: false, check: checkResource },
  { list: 'prompts', required: false, check: checkPrompt },
]

function checkTool(tool: Record<string, unknown>, path: string, fault: Fault): void {
  if (typeof tool['description'] !== 'string' || tool['description'].trim() === '')
    fault(`${path}.description`, 'is missing', 'Tell the model what the tool does, when to use it and what it returns')
  if (tool['access'] !== 'read' && tool['access'] !== 'write')
    fault(`${path}.access`, `is ${quote(tool['access'])}`, "Write access: 'read' or access: 'write'")
  if (!isRecord(tool['input']) || tool['input']['type'] !== 'object')
    fault(`${path}.input`, `is ${kindOf(tool['input'])}, not an object schema`, 'Write: input: Type.Object({ … }); empty is fine')
  if (tool['output'] !== undefined && !isRecord(tool['output']))
    fault(`${path}.output`, `is ${kindOf(tool['output'])}`, 'Give a TypeBox schema or leave it out')
  const timeout = tool['timeoutMs']
  if (timeout !== undefined && !(typeof timeout === 'number' && Number.isFinite(timeout) && timeout > 0))
    fault(`${path}.timeoutMs`, `is ${quote(timeout)}`, 'Give milliseconds greater than 0')
  checkFunction(tool['run'], `${path}.run`, 'run: (input, ctx) => …', fault)
}

function checkResource(resource: Record<string, unknown>, path: string, fault: Fault): void {
  if (typeof resource['uri'] !== 'string' || !/^[a-z][a-z0-9+.-]*:/i.test(resource['uri']))
    fault(`${path}.uri`, `is ${quote(resource['uri'])}`, 'Give an absolute URI with a scheme of your own, such as notes://{id}')
  checkFunction(resource['read'], `${path}.read`, 'read: (uri, params, ctx) => …', fault)
}

function checkPrompt(prompt: Record<string, unknown>, path: string, fault: Fault): void {
  const args = prompt['arguments']
  if (args !== undefined && (!isRecord(args) || args['type'] !== 'object'))
    fault(`${path}.arguments`, `is ${kindOf(args)}, not an object schema`, 'Write: arguments: Type.Object({ … })')
  checkFunction(prompt['run'], `${path}.run`, 'run: (args, ctx) => …', fault)
}

/** Fixed ASCII alphabet: names of other scripts that look alike are refused with it. */
const NAME = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/

function checkName(name: unknown, path: string, fault: Fault): void {
  if (typeof name === 'string' && NAME.test(name) && name.length <= 64) return
  fault(
    path,
    `${quote(name)} is not a name`,
    'Use snake_case: a to z, 0 to 9 and single underscores, beginning with a letter, at most 64 characters',
  )
}

function checkFunction(value: unknown, path: string, example: string, fault: Fault): void {
  if (typeof value !== 'function') fault(path, `is ${kindOf(value)}, not a function`, `Write: ${example}`)
}

function checkOptionalStrings(item: Record<string, unknown>, path: string, fault: Fault): void {
  for (const key of ['title', 'description', 'mimeType'])
    if (item[key] !== undefined && typeof item[key] !== 'string')
      fault(`${path}.${key}`, `is ${kindOf(item[key])}, not a string`, 'Give a string or leave it out')
  for (const key of ['tags', 'permissions', 'safePaths']) {
    const list = item[key]
    if (list !== undefined && !(Array.isArray(list) && list.every((entry) => typeof entry === 'string')))
      fault(`${path}.${key}`, 'is not an array of strings', 'Give an array of strings or leave it out')
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function quote(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : kindOf(value)
}
