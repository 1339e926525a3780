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
  const fault: Fault = (path, problem, fix) => void faults.push({ path, problem, fix })
  if (isRecord(value)) checkPlugin(value, fault)
  else fault('default', `export of the module is ${kindOf(value)}`, 'Write: export default definePlugin({ … })')
  return faults
}

type Fault = (path: string, problem: string, fix: string) => void

function checkPlugin(plugin: Record<string, unknown>, fault: Fault): void {
  checkVersion(plugin['apiVersion'], fault)
  checkName(plugin['name'], 'name', fault)
  checkObjectSchema(plugin['config'], 'config', 'config: Type.Object({ … }); empty is fine', fault)
  checkFunction(
    plugin['isAuthConfigured'],
    'isAuthConfigured',
    'isAuthConfigured: hasCredential, or () => true without credentials',
    fault,
  )
  checkFunction(plugin['createClient'], 'createClient', 'createClient: ({ http }) => new MyClient(http)', fault)
  if (plugin['start'] !== undefined) checkFunction(plugin['start'], 'start', 'start: (ctx) => { … }', fault)
  if (plugin['discover'] !== undefined)
    checkFunction(plugin['discover'], 'discover', 'discover: async ({ http }) => ({ tools: […] })', fault)
  checkWatch(plugin['watch'], fault)
  const { docsUrl, scopes } = plugin
  if (docsUrl !== undefined && !(typeof docsUrl === 'string' && /^https?:\/\/\S{1,500}$/.test(docsUrl)))
    fault('docsUrl', `is ${quote(docsUrl)}`, "Give the address of a page: docsUrl: 'https://…'")
  if (
    scopes !== undefined &&
    !(Array.isArray(scopes) && scopes.every((scope) => typeof scope === 'string' && /^[!-~]{1,100}$/.test(scope)))
  )
    fault('scopes', 'is not a list of scopes', "Give them as the service calls them: scopes: ['repo', 'read:org']")
  for (const key of ['credentials', 'headers', 'capabilities'])
    if (plugin[key] !== undefined && !isRecord(plugin[key]))
      fault(key, `is ${kindOf(plugin[key])}`, 'Give an object or leave it out')
  checkPlacement(plugin['credentials'], fault)
  checkItems(plugin['tools'], { list: 'tools', make: 'defineTool', check: checkTool }, fault)
  if (plugin['resources'] !== undefined)
    checkItems(plugin['resources'], { list: 'resources', make: 'defineResource', check: checkResource }, fault)
  if (plugin['prompts'] !== undefined)
    checkItems(plugin['prompts'], { list: 'prompts', make: 'definePrompt', check: checkPrompt }, fault)
}

function checkWatch(watch: unknown, fault: Fault): void {
  if (watch === undefined) return
  const fix = "Give globs relative to the plugin's folder: watch: ['prompts/**']"
  if (!Array.isArray(watch)) return fault('watch', `is ${kindOf(watch)}, not an array`, fix)
  watch.forEach((pattern: unknown, index) => {
    if (typeof pattern !== 'string' || pattern === '') fault(`watch[${index}]`, `is ${quote(pattern)}`, fix)
    else if (/^(?:[/\\]|[a-z]:)|(?:^|[/\\])\.\.(?:[/\\]|$)/i.test(pattern))
      fault(`watch[${index}]`, `"${pattern}" leads out of the plugin's folder`, fix)
  })
}

function checkPlacement(credentials: unknown, fault: Fault): void {
  if (!isRecord(credentials)) return
  for (const [kind, place] of Object.entries(credentials)) {
    const path = `credentials.${kind.slice(0, 80)}`
    if (!['oauth', 'personalToken', 'apiKey', 'basic'].includes(kind))
      fault(path, 'is not a kind of credential', 'Use oauth, personalToken, apiKey or basic')
    else if (place !== undefined && !isPlace(place))
      fault(
        path,
        'is not one place',
        "Give a header, a key of the query or a cookie: { header: 'X-Token' }, { query: 'key' }, { cookie: 'sid' }",
      )
  }
}

/** Names that need no encoding, so that the host can tell the place again. */
function isPlace(place: unknown): boolean {
  if (!isRecord(place)) return false
  const { header, query, cookie, scheme } = place
  const [name, ...others] = [header, query, cookie].filter((one) => one !== undefined)
  if (typeof name !== 'string' || others.length > 0) return false
  // Whether a header may hold a credential is the host's to say.
  if (header !== undefined) return scheme === undefined || typeof scheme === 'string'
  return scheme === undefined && PLACE.test(name)
}

const PLACE = /^[A-Za-z0-9_.~$[\]-]{1,100}$/

function checkVersion(version: unknown, fault: Fault): void {
  if (version === API_VERSION) return
  if (version === undefined)
    return fault('apiVersion', 'is missing, the version of the contract', 'Wrap the object in definePlugin({ … })')
  fault(
    'apiVersion',
    `is ${quote(version)}: it is made for another version of the contract than this host, which speaks ${API_VERSION}`,
    typeof version === 'number' && version > API_VERSION
      ? 'Update the host: npm install --save-exact mcp-patchbay@latest'
      : 'Update the plugin, or ask its author for a release made with the current @mcp-patchbay/plugin-api',
  )
}

interface ItemRules {
  readonly list: string
  readonly make: string
  readonly check: (item: Record<string, unknown>, path: string, fault: Fault) => void
}

function checkItems(items: unknown, { list, make, check }: ItemRules, fault: Fault): void {
  if (!Array.isArray(items)) return fault(list, `is ${kindOf(items)}, not an array`, `Write: ${list}: []`)
  const seen = new Map<string, number>()
  items.forEach((item: unknown, index) => {
    const path = `${list}[${index}]`
    if (!isRecord(item)) return fault(path, `is ${kindOf(item)}`, `Make it with ${make}({ … })`)
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

function checkTool(tool: Record<string, unknown>, path: string, fault: Fault): void {
  if (typeof tool['description'] !== 'string' || tool['description'].trim() === '')
    fault(`${path}.description`, 'is missing', 'Tell the model what the tool does, when to use it and what it returns')
  if (tool['access'] !== 'read' && tool['access'] !== 'write')
    fault(`${path}.access`, `is ${quote(tool['access'])}`, "Write access: 'read' or access: 'write'")
  checkObjectSchema(tool['input'], `${path}.input`, 'input: Type.Object({ … }); empty is fine', fault)
  if (tool['output'] !== undefined && !isRecord(tool['output']))
    fault(`${path}.output`, `is ${kindOf(tool['output'])}`, 'Give a TypeBox schema or leave it out')
  const timeout = tool['timeoutMs']
  if (timeout !== undefined && !(typeof timeout === 'number' && Number.isFinite(timeout) && timeout > 0))
    fault(`${path}.timeoutMs`, `is ${quote(timeout)}`, 'Give milliseconds greater than 0')
  if (tool['interactive'] !== undefined && typeof tool['interactive'] !== 'boolean')
    fault(`${path}.interactive`, `is ${quote(tool['interactive'])}`, 'Write true or leave it out')
  if (tool['approval'] !== undefined && tool['approval'] !== 'required')
    fault(`${path}.approval`, `is ${quote(tool['approval'])}`, "Write approval: 'required' or leave it out")
  if (tool['annotations'] !== undefined && !isRecord(tool['annotations']))
    fault(`${path}.annotations`, `is ${kindOf(tool['annotations'])}`, 'Give an object such as { destructiveHint: true }')
  if (tool['icons'] !== undefined) checkIcons(tool['icons'], `${path}.icons`, fault)
  if (tool['cache'] !== undefined) checkCache(tool['cache'], `${path}.cache`, tool['access'], fault)
  checkFunction(tool['run'], `${path}.run`, 'run: (input, ctx) => …', fault)
}

function checkIcons(icons: unknown, path: string, fault: Fault): void {
  const isIcon = (icon: unknown) =>
    isRecord(icon) && typeof icon['src'] === 'string' && /^(?:https:|data:image\/)/.test(icon['src'])
  if (!Array.isArray(icons) || !icons.every(isIcon))
    fault(path, 'is no list of icons', "Write for example: icons: [{ src: 'https://example.com/icon.png', sizes: ['48x48'] }]")
}

function checkCache(cache: unknown, path: string, access: unknown, fault: Fault): void {
  if (access === 'write') fault(path, 'is set on a tool that writes', "Leave it out: only results of access: 'read' are cached")
  const { ttlMs, scope }: Record<string, unknown> = isRecord(cache) ? cache : {}
  if (!(typeof ttlMs === 'number' && Number.isFinite(ttlMs) && ttlMs > 0) || (scope !== 'caller' && scope !== 'shared'))
    fault(path, 'does not say how long and for whom', "Write for example: cache: { ttlMs: 60_000, scope: 'caller' }")
}

function checkResource(resource: Record<string, unknown>, path: string, fault: Fault): void {
  if (typeof resource['uri'] !== 'string' || !/^[a-z][a-z0-9+.-]*:/i.test(resource['uri']))
    fault(`${path}.uri`, `is ${quote(resource['uri'])}`, 'Give an absolute URI with a scheme of your own, such as notes://{id}')
  if (resource['complete'] !== undefined) checkFunction(resource['complete'], `${path}.complete`, COMPLETE, fault)
  if (resource['list'] !== undefined) {
    checkFunction(resource['list'], `${path}.list`, 'list: async (cursor, ctx) => ({ resources: […], next })', fault)
    if (!String(resource['uri']).includes('{'))
      fault(`${path}.list`, 'is of a fixed URI', 'Give a template, such as notes://{id}, or leave list out')
  }
  checkFunction(resource['read'], `${path}.read`, 'read: (uri, params, ctx) => …', fault)
}

function checkPrompt(prompt: Record<string, unknown>, path: string, fault: Fault): void {
  const args = prompt['arguments']
  if (args !== undefined) checkObjectSchema(args, `${path}.arguments`, 'arguments: Type.Object({ … })', fault)
  const properties: Record<string, unknown> = isRecord(args) && isRecord(args['properties']) ? args['properties'] : {}
  for (const [key, property] of Object.entries(properties))
    if (isRecord(property) && property['type'] !== undefined && property['type'] !== 'string')
      fault(
        `${path}.arguments.${key}`,
        `is of type ${quote(property['type'])}, and MCP sends prompt arguments as text`,
        'Take a string and read it in run',
      )
  if (prompt['complete'] !== undefined) checkFunction(prompt['complete'], `${path}.complete`, COMPLETE, fault)
  checkFunction(prompt['run'], `${path}.run`, 'run: (args, ctx) => …', fault)
}

const COMPLETE = 'complete: ({ name, value }, ctx) => […]'

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

function checkObjectSchema(value: unknown, path: string, example: string, fault: Fault): void {
  if (isRecord(value) && value['type'] === 'object') return
  const found = isRecord(value) ? `a schema of type ${quote(value['type'])}` : kindOf(value)
  fault(path, `is ${found}, not an object schema`, `Write: ${example}`)
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
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 80))
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : kindOf(value)
}
