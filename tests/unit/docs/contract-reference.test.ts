import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../../..')
const page = readFileSync(join(root, 'docs/plugins/reference.md'), 'utf8')

const SECTIONS = [
  ['plugin.ts', 'PluginDefinition', '### Fields of a plugin'],
  ['plugin.ts', 'Capabilities', '### Fields of `capabilities`'],
  ['tool.ts', 'Tool', '### Fields of a tool'],
  ['resource.ts', 'Resource', '### Fields of a resource'],
  ['prompt.ts', 'Prompt', '### Fields of a prompt'],
  ['context.ts', 'CallContext', '### Fields of the context of a call'],
  ['context.ts', 'PluginContext', '### Fields of the context of `start`'],
  ['context.ts', 'ClientContext', '### Fields of the context of `createClient`'],
] as const

for (const [file, name, heading] of SECTIONS)
  test(`docs/plugins/reference.md has every field of ${name}, in its order, and no other`, () => {
    const source = readFileSync(join(root, 'plugin-api/src', file), 'utf8')
    const [, body = ''] = new RegExp(`^export interface ${name}\\b.*\\{\\n([^]*?)^\\}$`, 'm').exec(source) ?? []
    const fields = [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, field]) => field)
    assert.ok(fields.length > 4, `${fields.length} fields`)
    const section = page.split(`${heading}\n`)[1]?.split(/^#/m)[0] ?? ''
    assert.deepEqual(
      [...section.matchAll(/^\| `(\w+)`/gm)].map(([, field]) => field),
      fields,
    )
  })

test('docs/llms.txt names pages of docs/ that exist, each once', () => {
  const text = readFileSync(join(root, 'docs/llms.txt'), 'utf8')
  const named = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, file = '']) => file)
  const pages = globSync('{*,advanced/*,plugins/*}.md', { cwd: join(root, 'docs') })
  assert.ok(named.length > 30, `${named.length} pages`)
  assert.deepEqual([named.filter((file) => !pages.includes(file)), new Set(named).size], [[], named.length])
})
