import { normalizeEntry } from '../../config/schema/schema.ts'
import { isObject, type JsonObject, type JsonSchema } from '../../data/json.ts'
import type { Validators } from '../../data/schema/validate.ts'
import type { PluginRecord } from '../../plugin/run/plugin-record.ts'
import type { SearchCatalog, SnapshotItem, SnapshotTool } from './snapshot.ts'
import { ToolIndexes } from './tool-index.ts'

export const TOOLS_SEARCH = 'tools_search'
export const TOOLS_DESCRIBE = 'tools_describe'
export const TOOLS_CALL = 'tools_call'

/** How many hits a search gives where the caller does not say. */
export const DEFAULT_HITS = 10

/** Made once for a host. No plugin can have these names: `tools` is not accepted as an instance name. */
export function createSearchCatalog(validators: Validators): SearchCatalog {
  const indexes = new ToolIndexes()
  const create = (name: string, access: 'read' | 'write', wire: Wire): SnapshotTool =>
    Object.freeze({
      kind: 'tool',
      name: `${OWN}_${name}`,
      localName: name,
      access,
      tags: [],
      permissions: [],
      plugin: OWN_RECORD,
      timeoutMs: undefined,
      needsApproval: false,
      surface: { name, access, tags: [], permissions: [], safePaths: [], interactive: false, wire },
      wire: Object.freeze({ name: `${OWN}_${name}`, ...wire }),
      validateInput: validators.completing(wire.inputSchema),
      validateOutput: undefined,
    })
  return Object.freeze({
    search: create('search', 'read', SEARCH),
    describe: create('describe', 'read', DESCRIBE),
    call: create('call', 'write', CALL),
    callReadOnly: create('call', 'read', { ...CALL, annotations: { readOnlyHint: true } }),
    indexOf: (classKey: string, tools: readonly SnapshotTool[]) => indexes.follow(classKey, tools),
  })
}

/** What `tools_call` is asked to call. */
export interface InnerCall {
  readonly name: string
  readonly args: Readonly<Record<string, unknown>>
}

/** Undefined for arguments that `tools_call` itself has to refuse: those that do not fit its schema, and a call of itself. */
export function innerCall(args: unknown): InnerCall | undefined {
  if (!isObject(args)) return undefined
  const { name, arguments: inner = {}, ...others } = args
  if (typeof name !== 'string' || name === TOOLS_CALL || !isObject(inner) || Object.keys(others).length > 0) return undefined
  return { name, args: inner }
}

/** Whether it is the host that answers, and no plugin. */
export function isOwnTool({ plugin }: SnapshotItem): boolean {
  return plugin === OWN_RECORD
}

const OWN = 'tools'

const OWN_RECORD: PluginRecord = Object.freeze({
  instance: OWN,
  entry: normalizeEntry({ use: OWN, isolation: 'inline' }),
  state: 'active',
})

type Wire = JsonObject & { readonly description: string; readonly inputSchema: JsonSchema }

const SEARCH: Wire = Object.freeze({
  title: 'Search tools',
  description:
    'Find tools by what they do. Most tools of this server are not in the list: search here first. Gives the best first; the first few with ' +
    'their whole definition, ready to be called with tools_call.',
  inputSchema: {
    type: 'object',
    properties: {
      query: {
        type: 'string',
        minLength: 1,
        maxLength: 400,
        description: 'What is to be done, in a few plain words: "merge a pull request"',
      },
      limit: { type: 'integer', minimum: 1, maximum: 50, default: DEFAULT_HITS, description: 'How many tools at most' },
    },
    required: ['query'],
    additionalProperties: false,
  },
  annotations: { readOnlyHint: true, openWorldHint: false },
})

const DESCRIBE: Wire = Object.freeze({
  title: 'Describe tools',
  description: 'The whole definitions of tools by name: what each takes and gives.',
  inputSchema: {
    type: 'object',
    properties: {
      names: {
        type: 'array',
        items: { type: 'string', maxLength: 256 },
        minItems: 1,
        maxItems: 50,
        description: 'Names as tools_search gives them',
      },
    },
    required: ['names'],
    additionalProperties: false,
  },
  annotations: { readOnlyHint: true, openWorldHint: false },
})

const CALL: Wire = Object.freeze({
  title: 'Call a tool',
  description: 'Call a tool that tools_search found. Gives what the tool itself gives.',
  inputSchema: {
    type: 'object',
    properties: {
      name: { type: 'string', description: 'The name of the tool, as tools_search gives it' },
      arguments: { type: 'object', description: 'Its arguments, as its inputSchema says' },
    },
    required: ['name'],
    additionalProperties: false,
  },
  annotations: { readOnlyHint: false },
})
