// A plugin gets the same arguments, and a caller the same words, whether it runs in the host or in a process of its own.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHost } from 'mcp-patchbay'
import { sourceTree } from '../fixtures/plugins/source-tree.ts'

/** Tells what it got, long texts by a digest. */
const PLUGIN = `
import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
const short = (value) => {
  if (typeof value === 'string' && value.length > 99) return value.length + ' ' + createHash('sha256').update(value, 'utf16le').digest('hex')
  if (typeof value !== 'object' || value === null) return value
  return Array.isArray(value) ? value.map(short) : new Map(Object.entries(value).map(([key, member]) => [key, short(member)]))
}
const tool = (name, text, more = {}) => defineTool({
  name, description: 'Tell what came', access: 'read', run: (input) => inspect(short(input), { depth: 100, breakLength: Infinity }),
  input: Type.Object({ text, size: Type.Optional(Type.Integer({ default: 3 })), more: Type.Optional(Type.Unknown()), list: Type.Optional(Type.Array(Type.String())) }, more),
})
const plugin = definePlugin({
  name: 'tell', config: Type.Object({}), isAuthConfigured: () => true, createClient: () => ({}),
  tools: [
    tool('open', Type.String()),
    tool('closed', Type.String({ minLength: 1, maxLength: 25000 }), { additionalProperties: false }),
    tool('strict', Type.String({ pattern: '^[^!]*$' })),
  ],
})
export default plugin`

/** Arguments as they are sent; TEXT stands for a text. */
const ARGUMENTS: readonly string[] = [
  '{"text":"TEXT"}',
  ' { "text" : "TEXT" , "size" : 5 } ',
  '{}',
  '{"size":4}',
  '{"text":7}',
  '{"text":null}',
  '{"text":"TEXT","size":null}',
  '{"text":"TEXT","size":"TEXT"}',
  '{"text":["TEXT"],"size":1.5}',
  '{"text":"TEXT","list":["TEXT","a","TEXT"],"more":{"b":"TEXT"}}',
  '{"text":"TEXT","list":["TEXT",1]}',
  '{"text":"TEXT","extra":1}',
  '{"text":"TEXT","extra":"TEXT"}',
  '{"text":"a","text":"TEXT"}',
  '{"text":"TEXT","text":"a"}',
  '{"text":"TEXT","__proto__":{"polluted":1}}',
  '{"text":"TEXT","__proto__":"TEXT"}',
  '{"text":"TEXT","more":{"constructor":"TEXT","__proto__":null}}',
  '{"text":"TEXT\\ud800"}',
  '{"text":"TEXT","more":"\\udc00 \\u0000 \\ud83d\\ude00"}',
  '{"text":"TEXT\\n\\"\\u00e9"}',
  '{"text":"TEXTé😀\u2028"}',
  '{"text":"TEXT!"}',
  '{"text":"TEXTTEXT"}',
  '{"text":"TEXT","more":[1e400,-1e400,12345678901234567890,1e-400,0.1,1E3,{"deep":1e999}]}',
  '{"text":"TEXT","size":1e400}',
  '{"text":"TEXT","size":-0,"more":[0,-0,{"deep":-0.0}]}',
  '{"text":"TEXT","size":12345678901234567890}',
  '{"text":"TEXT","more":"mcp-patchbay:text:0"}',
  '{"text":"TEXT","more":"\\u006dcp-patchbay:text:0"}',
  `{"text":"TEXT","more":${'['.repeat(50)}"TEXT"${']'.repeat(50)}}`,
  `{"text":"TEXT","more":${'['.repeat(100)}"TEXT"${']'.repeat(100)}}`,
  '{"text":"TEXT\n"}',
  '{"text":"TEXT\\x"}',
  '{"text":"TEXT}',
  '{"text":"TEXT"',
  '\ufeff{"text":"TEXT"}',
  '["TEXT"]',
  '"TEXT"',
]
const TEXTS = ['a', 'x'.repeat(24_000), 'é'.repeat(12_000)]

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
}

/** The ways of a call: on the fast path of each era, and by the SDK, which has those that ask for progress. */
const WAYS = [
  { name: '2026-07-28', revision: '2026-07-28', meta: META },
  { name: '2026-07-28 by the SDK', revision: '2026-07-28', meta: { ...META, progressToken: 1 } },
  { name: '2025-06-18', revision: '2025-06-18', meta: undefined },
  { name: '2025-06-18 by the SDK', revision: '2025-06-18', meta: { progressToken: 1 } },
]

test('arguments are the same in the host and in a process of its own, in every era, and so is what is wrong with them', async (t) => {
  using tree = sourceTree({ 'tell/index.js': PLUGIN })
  const host = await createHost(
    {
      plugins: [
        { use: './tell', as: 'inside' },
        { use: './tell', as: 'apart', isolation: 'process' },
      ],
    },
    { file: tree.path('mcp.config.ts'), env: {}, patienceMs: Infinity },
  )
  t.after(() => host.close({ graceMs: 0 }))
  const { url = '' } = await host.listen({ http: { port: 0, sessions: { mode: 'stateless' } }, management: false })

  const tell = async (tool: string, args: string, { revision, meta }: (typeof WAYS)[number]) => {
    const end = meta ? `,"_meta":${JSON.stringify(meta)}` : ''
    const response = await fetch(url, {
      method: 'POST',
      body: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${tool}","arguments":${args}${end}}}`,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': revision,
        ...(revision === '2026-07-28' && { 'mcp-method': 'tools/call', 'mcp-name': tool }),
      },
    })
    const body = await response.text()
    const { result, error } = JSON.parse(body.startsWith('{') ? body : body.slice(body.indexOf('data: ') + 6)) as Answer
    const said = result
      ? `${result.isError ? 'error: ' : ''}${result.content[0]?.text ?? ''}`
      : `${error?.code} ${error?.message}`
    return `${response.status} ${said.replaceAll(/inside|apart/g, 'tell')}`
  }

  const answers = new Set<string>()
  const cases = ARGUMENTS.flatMap((written) => [
    ...TEXTS.map((text) => ({ tool: 'open', written, text, ways: WAYS })),
    ...['closed', 'strict'].map((tool) => ({ tool, written, text: 'x'.repeat(24_000), ways: WAYS.slice(0, 1) })),
  ])
  for (const { tool, written, text, ways } of cases) {
    const args = written.replaceAll('TEXT', text)
    const what = `${tool} ${written} with ${text.length} characters`
    const told = await Promise.all(
      ways.map(async (way) => {
        const [inside, apart] = await Promise.all([tell(`inside_${tool}`, args, way), tell(`apart_${tool}`, args, way)])
        assert.equal(apart, inside, `${what}: ${way.name}`)
        return inside
      }),
    )
    const [modern = '', bySdk = modern] = told
    assert.equal(modern, bySdk, what)
    answers.add(modern.slice(0, 60))
  }
  assert.ok(answers.size > 30, `${answers.size} different answers`)
  assert.equal(Reflect.get({}, 'polluted'), undefined)
})

interface Answer {
  readonly result?: { readonly isError?: boolean; readonly content: readonly { readonly text: string }[] }
  readonly error?: { readonly code: number; readonly message: string }
}
