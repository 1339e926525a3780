import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createHost } from 'mcp-patchbay'
import { RawSession } from '../../fixtures/http/raw-session.ts'
import { rawClient } from '../../fixtures/http/raw-client.ts'
import { startUpstream } from '../../fixtures/http/upstream.ts'
import { sourceTree } from '../../fixtures/plugins/source-tree.ts'

const SERVER = 'canary/server+token=1'
const PASSWORD = 'canary horse & battery'
const OWN = 'canary-own-token-77'

/** Everything that must not be in an answer: as it is, and in what an echo makes of it. */
const FORMS = [SERVER, PASSWORD, OWN].flatMap((secret) => [
  secret,
  encodeURIComponent(secret),
  encodeURIComponent(secret).toLowerCase(),
  JSON.stringify(secret).slice(1, -1),
  secret.replaceAll('/', '\\/'),
  Buffer.from(secret).toString('base64').replace(/=+$/, '').slice(0, -1),
  Buffer.from(`ada:${secret}`).toString('base64').slice(8, -4),
])

/** Shows what its client heard of the service, in every place that an answer has. */
const PLUGIN = `
import { definePlugin, defineTool, defineResource, definePrompt, elicit, hasCredential, inputRequired, Secret, Type } from '@mcp-patchbay/plugin-api'
const input = Type.Object({})
const any = { description: 'Shows', access: 'read', input }
const heard = (client) => client.text('/echo')
const secret = Type.Optional(Secret())
export default definePlugin({
  name: 'echo',
  config: Type.Object({ apiUrl: Type.String(), personalToken: secret, username: Type.Optional(Type.String()), password: secret }),
  isAuthConfigured: hasCredential,
  createClient: ({ http }) => http,
  tools: [
    defineTool({ ...any, name: 'text', run: (_, { client }) => heard(client) }),
    defineTool({ ...any, name: 'spelled', run: async (_, { client }) => (await heard(client)).split('').join('.') }),
    defineTool({ ...any, name: 'bytes', run: async (_, { client }) => {
      const { body, headers } = await client.request('/echo')
      return JSON.stringify([Buffer.from(body).toString('hex'), headers])
    } }),
    defineTool({ ...any, name: 'structured', output: Type.Record(Type.String(), Type.Any()),
      run: async (_, { client }) => ({ [await heard(client)]: { deep: [await client.json('/json')] } }) }),
    defineTool({ ...any, name: 'items', run: async (_, { client }) => [
      { type: 'text', text: await heard(client), _meta: { more: await heard(client) } },
      { type: 'resource', resource: { uri: 'echo://x', blob: btoa(await heard(client)) } },
      { type: 'image', mimeType: 'image/png', data: btoa(await heard(client)) },
    ] }),
    defineTool({ ...any, name: 'error', run: async (_, { client }) => { throw new Error(await heard(client)) } }),
    defineTool({ ...any, name: 'failing', run: (_, { client }) => client.text('/fail') }),
    defineTool({ ...any, name: 'steps', run: async (_, call) => {
      const text = await heard(call.client)
      call.progress(1, { message: text })
      call.log.warn(text, { text })
      return text
    } }),
    defineTool({ ...any, name: 'asks', interactive: true, run: async (_, { client }) =>
      inputRequired({ requests: { name: elicit(await heard(client), { type: 'object', properties: {} }) }, state: await heard(client) }) }),
  ],
  resources: [defineResource({ name: 'page', uri: 'echo://page', description: 'Shows', read: (_, __, { client }) => heard(client) })],
  prompts: [definePrompt({ name: 'say', description: 'Shows', run: (_, { client }) => heard(client) })],
})
`

for (const isolation of ['inline', 'process'] as const)
  test(`no answer of a plugin shows a secret that its service sends back (${isolation})`, async (t) => {
    const { answers, texts } = await everyAnswer(t, isolation)
    for (const [what, text] of answers)
      for (const form of FORMS) assert.ok(!text.includes(form), `${what} shows ${form}: ${text}`)
    for (const [what, text] of answers) assert.match(text, /redacted|%5Bredacted|W3JlZGFjdGVkX|5b72656461637465645d/, what)
    assert.match(texts['spelled'] ?? '', /\[\.r\.e\.d\.a\.c\.t\.e\.d\.\]/, 'the plugin itself did not see it')
  })

async function everyAnswer(t: TestContext, isolation: 'inline' | 'process') {
  const upstream = await startUpstream((response, { headers, path }) => {
    const line = String(headers['authorization'])
    const value = line.slice(line.indexOf(' ') + 1)
    const pair = line.startsWith('Basic') ? Buffer.from(value, 'base64').toString() : value
    const echo = [line, pair, encodeURIComponent(pair), btoa(line), JSON.stringify(line), pair.replaceAll('/', '\\/')].join(' | ')
    response.writeHead(path === '/fail' ? 400 : 200, {
      'x-echo': line,
      'content-type': path === '/json' ? 'application/json' : 'text/plain',
    })
    response.end(path === '/json' ? JSON.stringify({ [line]: echo }) : echo)
  })
  t.after(() => upstream[Symbol.asyncDispose]())
  const tree = sourceTree({
    'token/index.js': PLUGIN,
    'basic/index.js': PLUGIN,
    'mcp.config.ts': '',
  })
  t.after(() => tree[Symbol.dispose]())
  const entry = { isolation, serverCredentials: 'allow' } as const
  const host = await createHost(
    {
      plugins: [
        { ...entry, use: './token', as: 'token', config: { apiUrl: upstream.url, personalToken: SERVER } },
        { ...entry, use: './basic', as: 'basic', config: { apiUrl: upstream.url, username: 'ada', password: PASSWORD } },
      ],
    },
    { file: tree.path('mcp.config.ts'), patienceMs: Infinity },
  )
  t.after(() => host.close({ graceMs: 0 }))
  const { url = '' } = await host.listen({ http: { port: 0 } })
  const client = rawClient(new URL(url))
  const session = await RawSession.open(new URL(url))
  const answers: [string, string][] = []
  const texts: Record<string, string> = {}
  const meta = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } }, progressToken: 'p' }
  for (const [instance, headers] of [
    ['token', {}],
    ['basic', {}],
    ['token', { 'x-upstream-token-authorization': `Bearer ${OWN}` }],
  ] as const) {
    const note = (what: string, text: string) => answers.push([`${instance} ${Object.values(headers).join()} ${what}`, text])
    for (const tool of ['text', 'spelled', 'bytes', 'structured', 'items', 'error', 'failing', 'steps', 'asks']) {
      const params = {
        name: `${instance}_${tool}`,
        arguments: {},
        _meta: { ...meta, 'io.modelcontextprotocol/logLevel': 'debug' },
      }
      const modern = await client.post('tools/call', params, headers)
      texts[tool] = modern.text
      if (tool === 'spelled') continue
      if (tool === 'error') assert.match(modern.text, /failed/)
      else note(tool, modern.text)
      const older = {
        jsonrpc: '2.0',
        id: nextId++,
        method: 'tools/call',
        params: { ...params, _meta: { progressToken: nextId } },
      }
      if (tool !== 'asks' && tool !== 'error')
        note(`${tool} of 2025`, await (await session.request('POST', headers, older)).text())
    }
    const { text: listed } = await client.post('resources/list')
    const { result } = JSON.parse(listed) as { result: { resources: readonly { name: string; uri: string }[] } }
    const { uri = '' } = result.resources.find(({ name }) => name.startsWith(instance)) ?? {}
    note('resource', (await client.post('resources/read', { uri }, headers)).text)
    note('prompt', (await client.post('prompts/get', { name: `${instance}_say` }, headers)).text)
  }
  return { answers, texts }
}

let nextId = 500
