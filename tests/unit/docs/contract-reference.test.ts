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

/** Not for who uses the product: the index that people read, and how our own texts and code look. */
const NOT_FOR_MODELS = ['README.md', 'style.md']

test('docs/llms.txt has every page of docs/ once, with the line about it that docs/README.md has', () => {
  const lines = readFileSync(join(root, 'docs/llms.txt'), 'utf8').split('\n')
  const named = lines.flatMap((line) => {
    const [, file = '', about] = /^- \[[^\]]+\]\(([^)]+)\): (\S.{15,})$/.exec(line) ?? []
    assert.ok(!line.includes('](') || about !== undefined, `${line}: a link, a colon and a description`)
    return about === undefined ? [] : [[file, about] as const]
  })
  const pages = globSync('{*,advanced/*,plugins/*}.md', { cwd: join(root, 'docs') })
  assert.deepEqual(named.map(([file]) => file).toSorted(), pages.filter((file) => !NOT_FOR_MODELS.includes(file)).toSorted())
  const index = readFileSync(join(root, 'docs/README.md'), 'utf8')
  const rows = new Map(
    [...index.matchAll(/^\| \[[^\]]+\]\(([^)]+)\) *\| (.*?) *\|$/gm)].map(([, file = '', about = '']) => [file, about]),
  )
  assert.ok(rows.size > 30)
  assert.deepEqual(
    named.filter(([file, about]) => rows.has(file) && rows.get(file) !== about),
    [],
  )
  assert.deepEqual([...rows.keys()].toSorted(), pages.filter((file) => file.includes('/')).toSorted())
})
