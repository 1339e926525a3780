import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { runPatchbay } from '../../fixtures/projects/patchbay-process.ts'
import { sourceTree } from '../../fixtures/plugins/source-tree.ts'

const plugin = `import { definePlugin, definePrompt, defineResource, elicit, inputRequired, Type } from '@mcp-patchbay/plugin-api'
export default definePlugin({
  name: 'wiki', config: Type.Object({}), isAuthConfigured: () => true, createClient: () => ({}), tools: [],
  prompts: [
    definePrompt({
      name: 'page_sum', description: 'A summary', permissions: ['wiki:read'],
      arguments: Type.Object({ id: Type.String(), words: Type.Optional(Type.String()) }),
      run: ({ id, words }, { principal }) => 'Summarise ' + id + ' in ' + words + ' for ' + principal.id,
    }),
    definePrompt({
      name: 'talk', arguments: Type.Object({}),
      run: () => [
        { role: 'user', content: { type: 'text', text: 'Hello' } },
        { role: 'assistant', content: { type: 'text', text: 'Yes?' } },
      ],
    }),
    definePrompt({
      name: 'ask', arguments: Type.Object({}), interactive: true,
      run: () => inputRequired({ requests: { who: elicit('Who?', { type: 'object', properties: {} }) }, state: {} }),
    }),
  ],
  resources: [
    defineResource({ name: 'home', uri: 'wiki://home', description: 'The first page', read: () => 'Welcome' }),
    defineResource({ name: 'icon', uri: 'wiki://icon', mimeType: 'image/png', read: () => new Uint8Array(5) }),
    defineResource({ name: 'page', uri: 'wiki://pages/{id}', permissions: ['wiki:read'], read: (_uri, { id }) => 'Page ' + id }),
  ],
})
`
const tree = sourceTree({
  'mcp.config.json': JSON.stringify({ pluginDirs: ['./plugins'] }),
  'plugins/wiki/index.js': plugin,
  'ada.json': '{ "id": "ada", "permissions": ["wiki:read"] }',
  'bob.json': '{ "id": "bob" }',
})
after(() => tree[Symbol.dispose]())
const patchbay = (line: string) => runPatchbay(line.split(' '), { cwd: tree.root })

describe('prompts and resources have commands as tools have', { concurrency: 2 }, () => {
  for (const [line, code, out, err] of [
    ['prompt wiki_page_sum id=7 words=10 --as ada.json', 0, /^Summarise 7 in 10 for ada\n$/, /^$/],
    ['prompt wiki_page_sum --input {"id":"7"} --json --as ada.json', 0, /"text": "Summarise 7 in undefined for ada"/, /^$/],
    ['prompt wiki_page_sum --input {"id":7}', 2, /^$/, /"id" of --input is not a string/],
    ['prompt wiki_page_sum', 1, /^$/, /^Invalid arguments for prompt wiki_page_sum: .*id/],
    ['prompt wiki_page_sum id=7 --as bob.json', 1, /^$/, /^Unknown prompt: wiki_page_sum/],
    ['prompt wiki_talk', 0, /^user:\nHello\n\nassistant:\nYes\?\n/, /^$/],
    ['prompt wiki_ask', 1, /^$/, /^wiki_ask asks a question that cannot be answered here: there is no terminal/],
    ['prompt', 0, /^PROMPT .*\nwiki_page_sum +id words\? +A summary\n[^]*\nwiki_ask/, /^$/],
    ['prompt --as bob.json', 0, /^(?![^]*page_sum)[^]*wiki_talk/, /^$/],
    ['read wiki://home', 0, /^Welcome\n$/, /^$/],
    ['read wiki://icon', 0, /^\[image\/png, 5 bytes\]\n$/, /^$/],
    ['read wiki://icon --json', 0, /"blob": "AAAAAAA="/, /^$/],
    ['read wiki://pages/7 --as ada.json', 0, /^Page 7\n$/, /^$/],
    ['read wiki://pages/7 --as bob.json', 1, /^$/, /^Resource not found: wiki:\/\/pages\/7/],
    ['read', 0, /^URI .*\nwiki:\/\/home +wiki_home +The first page\n[^]*\nwiki:\/\/pages\/\{id\} +wiki_page/, /^$/],
    ['read --as bob.json --json', 0, /^(?![^]*pages)[^]*"wiki:\/\/home"/, /^$/],
  ] as const)
    test(`patchbay ${line}`, async () => {
      const done = await patchbay(line)
      assert.match(done.stdout, out)
      assert.match(done.stderr, err)
      assert.equal(done.code, code)
    })
})
