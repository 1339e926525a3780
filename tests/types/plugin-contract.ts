// What the compiler must accept and refuse of a plugin. `npm run types` compiles this file: an expected error that is gone is an error.
import {
  defineTool,
  definePlugin,
  definePrompt,
  defineResource,
  hasCredential,
  inputRequired,
  Secret,
  Type,
  type AnyPlugin,
  type CallContext,
  type HttpClient,
  type SecretValue,
  type ServicePlugin,
} from '@mcp-patchbay/plugin-api'
import { callTool, checkPlugin, fakeHttp } from '@mcp-patchbay/plugin-api/testing'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function expectType<_Holds extends true>(): void {}

class Notes {
  readonly http: HttpClient
  constructor(http: HttpClient) {
    this.http = http
  }
  read(id: number): Promise<{ text: string }> {
    return this.http.json(`/notes/${id}`)
  }
}

class Files {
  open(name: string): string {
    return name
  }
}

const input = Type.Object({ id: Type.Integer(), tags: Type.Optional(Type.Array(Type.String())) })
const output = Type.Object({ text: Type.String() })
const config = Type.Object({
  apiUrl: Type.String({ default: 'https://notes.example' }),
  limits: Type.Object({ pageSize: Type.Integer({ default: 20 }) }),
  personalToken: Type.Optional(Secret()),
})

// --- tools: input, client and output are inferred from the one object ---

const notesGet = defineTool({
  name: 'notes_get',
  description: 'Read a note.',
  access: 'read',
  input,
  output,
  run: (given, { client }: CallContext<Notes>) => {
    expectType<Equal<typeof given, { id: number; tags?: string[] }>>()
    return client.read(given.id)
  },
})

const filesOpen = defineTool({
  name: 'files_open',
  description: 'Open a file.',
  access: 'read',
  input: Type.Object({ name: Type.String() }),
  run: ({ name }, { client }: CallContext<Files>) => client.open(name),
})

const ping = defineTool({ name: 'ping', description: 'Answers pong.', access: 'read', input: Type.Object({}), run: () => 'pong' })

// @ts-expect-error access is required: nobody forgets to say whether a tool writes
defineTool({ name: 'a_b', description: 'x', input, run: () => 'x' })

// @ts-expect-error access is one of two words
defineTool({ name: 'a_b', description: 'x', access: 'readonly', input, run: () => 'x' })

// @ts-expect-error a description is required
defineTool({ name: 'a_b', access: 'read', input, run: () => 'x' })

// @ts-expect-error the output says { text: string }
defineTool({ name: 'a_b', description: 'x', access: 'read', input, output, run: () => ({ text: 1 }) })

// @ts-expect-error the output lacks its field
defineTool({ name: 'a_b', description: 'x', access: 'read', input, output, run: async () => ({}) })

// @ts-expect-error without an output a tool returns Markdown or content items
defineTool({ name: 'a_b', description: 'x', access: 'read', input, run: () => ({ text: 'x' }) })

// @ts-expect-error nothing is not an answer
defineTool({ name: 'a_b', description: 'x', access: 'write', input, run: () => {} })

// @ts-expect-error `nmae` is not in the input
defineTool({ name: 'a_b', description: 'x', access: 'read', input, run: ({ nmae }) => String(nmae) })

// @ts-expect-error a scope of the cache is one of two words
defineTool({ name: 'a_b', description: 'x', access: 'read', input, cache: { ttlMs: 1, scope: 'all' }, run: () => 'x' })

defineTool({
  name: 'content',
  description: 'Content items are fine.',
  access: 'read',
  input: Type.Object({}),
  run: () => [{ type: 'text', text: 'x' }] as const,
})

defineTool({
  name: 'asks',
  description: 'So is a question to the client.',
  access: 'write',
  input: Type.Object({}),
  interactive: true,
  run: (_, ctx) => {
    expectType<Equal<typeof ctx.client, unknown>>()
    return ctx.inputResponses ? 'done' : inputRequired({ requests: {} })
  },
})

// --- plugins ---

const plugin = definePlugin({
  name: 'notes',
  config,
  isAuthConfigured: (given) => {
    expectType<Equal<typeof given.limits.pageSize, number>>()
    return hasCredential(given)
  },
  createClient: ({ http, config: given }) => {
    expectType<Equal<typeof given.personalToken, SecretValue | undefined>>()
    expectType<Equal<typeof given.apiUrl, string>>()
    return new Notes(http)
  },
  tools: [notesGet, ping],
  resources: [
    defineResource({
      name: 'note',
      uri: 'notes://{id}',
      read: (_, { id = '' }, { client }: CallContext<Notes>) => client.read(Number(id)).then((note) => note.text),
    }),
  ],
  prompts: [
    definePrompt({
      name: 'summary',
      arguments: Type.Object({ id: Type.String() }),
      run: ({ id }) => `Summarise note ${id}`,
    }),
  ],
})

expectType<Equal<typeof plugin, ServicePlugin<typeof config, Notes>>>()

definePlugin({
  name: 'notes',
  config,
  isAuthConfigured: () => true,
  createClient: ({ http }) => new Notes(http),
  // @ts-expect-error a tool made for Files in a plugin whose client is Notes
  tools: [notesGet, filesOpen],
})

definePlugin({
  name: 'notes',
  config,
  isAuthConfigured: () => true,
  createClient: async ({ http }) => new Notes(http),
  tools: [notesGet],
})

definePlugin({
  name: 'notes',
  config,
  isAuthConfigured: () => true,
  // @ts-expect-error the resource below is made for Files
  createClient: ({ http }) => new Notes(http),
  tools: [],
  resources: [
    defineResource({
      name: 'file',
      uri: 'files://{name}',
      read: (_, { name = '' }, { client }: CallContext<Files>) => client.open(name),
    }),
  ],
})

// @ts-expect-error isAuthConfigured is required: a service says itself whether it can work
definePlugin({ name: 'notes', config, createClient: () => new Files(), tools: [filesOpen] })

definePlugin({
  name: 'notes',
  // @ts-expect-error the config is a TypeBox object
  config: Type.String(),
  isAuthConfigured: () => true,
  createClient: () => new Files(),
  tools: [filesOpen],
})

definePlugin({
  name: 'notes',
  config,
  isAuthConfigured: () => true,
  createClient: ({ config: given }) => {
    // @ts-expect-error a secret is not a string: it has to be revealed, which the host must have granted
    const token: string | undefined = given.personalToken
    // @ts-expect-error the config has no such key
    return new Files().open(`${String(token)}${given.apiURL}`)
  },
  tools: [],
})

definePlugin({
  name: 'notes',
  config,
  isAuthConfigured: () => true,
  createClient: () => new Files(),
  tools: [],
  // @ts-expect-error no such capability
  capabilities: { network: true },
})

// --- whoever takes plugins of any kind ---

const any: AnyPlugin = plugin
checkPlugin(any)
checkPlugin(plugin, { anonymous: true })
export const markdown: Promise<string> = callTool(
  plugin,
  'notes_get',
  { id: 1 },
  { http: fakeHttp([{ path: '/notes/1', json: { text: 'x' } }]) },
)
export const value: Promise<{ text: string }> = callTool<{ text: string }>(plugin, 'notes_get', { id: 1 })

// @ts-expect-error a plugin that did not go through definePlugin has no contract version
export const unstamped: AnyPlugin = { name: 'x', config, isAuthConfigured: () => true, createClient: () => 1, tools: [] }
