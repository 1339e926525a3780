import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHost } from 'mcp-patchbay'
import { sourceTree } from '../fixtures/plugins/source-tree.ts'

const source = `import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
const tool = (name, more) => defineTool({ name, description: 'Does.', access: 'read', input: Type.Object({}), run: (given) => JSON.stringify(given), ...more })
export default definePlugin({
  name: 'notes', config: Type.Object({}), isAuthConfigured: () => true, createClient: () => ({}),
  tools: [
    tool('bad_get', { input: Type.Unsafe({ type: 'object', properties: { a: { pattern: '\\\\pL{1000}'.repeat(300) } } }) }),
    tool('worse_add', { access: 'write', output: Type.Unsafe({ type: 'object', properties: { a: { $ref: '#/$defs/b' } } }) }),
    tool('items_get', { input: Type.Unsafe({
      type: 'object',
      properties: { 'x-amz.date': { type: 'string', format: 'json', example: 1 }, limit: { type: 'integer', default: 20 }, tag: { type: 'string' } },
    }) }),
    tool('named_get', { title: 'A title of its own' }),
  ],
})`

for (const isolation of ['inline', 'process'] as const)
  test(`a tool whose schema cannot be used is left out by name, and its plugin serves (${isolation})`, async () => {
    using tree = sourceTree({ 'plugins/notes/index.mjs': source })
    const warned: Readonly<Record<string, unknown>>[] = []
    const log = {
      debug() {},
      info() {},
      error() {},
      warn: (event: string, fields = {}) => void warned.push({ event, ...fields }),
      child: () => log,
    }
    await using host = await createHost(
      { plugins: [{ use: './plugins/notes', isolation }] },
      { file: tree.path('mcp.config.json'), env: {}, log, patienceMs: Infinity },
    )
    const [notes] = host.list().plugins
    assert.equal(notes?.state, 'active')
    assert.deepEqual(
      notes.tools.map(({ name }) => name),
      ['notes_items_get', 'notes_named_get'],
    )
    assert.deepEqual(
      notes.warnings.map(({ name, leftOut }) => [name, leftOut]),
      [
        ['notes_bad_get', true],
        ['notes_worse_add', true],
      ],
    )
    const lines = warned.filter(({ event }) => event === 'item_skipped')
    assert.deepEqual(
      lines.map(({ name }) => name),
      ['bad_get', 'worse_add'],
    )
    assert.match(String(lines[0]?.['problem']), /input\/properties\/a\/pattern .* more than 2000 states/)
    assert.match(String(lines[1]?.['problem']), /output\/properties\/a\/\$ref "#\/\$defs\/b" is not in this schema/)
    // Pairing is by name, not by place.
    const given = Object.freeze({ 'x-amz.date': '{', tag: null })
    const answer = await host.call('notes_items_get', given)
    assert.deepEqual(answer.kind === 'result' && answer.result.content, [{ type: 'text', text: '{"x-amz.date":"{","limit":20}' }])
    assert.deepEqual(given, { 'x-amz.date': '{', tag: null })
    assert.deepEqual(
      [...host.snapshot.tools.values()].map(({ wire }) => wire['title']),
      ['Items get', 'A title of its own'],
    )
    // The lock digests what the author wrote.
    assert.equal(notes.tools.length, host.snapshot.plugins[0]?.surface?.tools.length)
    assert.equal(host.snapshot.plugins[0]?.surface?.tools[0]?.wire['title'], undefined)
  })
