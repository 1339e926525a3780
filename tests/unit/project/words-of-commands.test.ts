import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { test } from 'node:test'
import { parseArguments } from '../../../host/src/cli/terminal/arguments.ts'
import { table } from '../../../host/src/cli/terminal/print.ts'
import { addToEnvFile } from '../../../host/src/project/import/env-file.ts'
import { instanceName } from '../../../host/src/project/import/plan-import.ts'
import { sourceTree } from '../../fixtures/plugins/source-tree.ts'

test('key=value is what the schema says: text where it wants text, else JSON where it is any', () => {
  const schema = {
    properties: {
      text: { type: 'string' },
      either: { type: ['null', 'string'] },
      list: { type: 'array' },
      number: { type: 'integer' },
    },
  }
  const inputs: readonly (readonly [readonly string[], string | undefined, object])[] = [
    [[], undefined, {}],
    [['text=7'], undefined, { text: '7' }],
    [['text=a=b'], undefined, { text: 'a=b' }],
    [['text='], undefined, { text: '' }],
    [['either=null'], undefined, { either: 'null' }],
    [['number=7'], undefined, { number: 7 }],
    [['number=x'], undefined, { number: 'x' }],
    [['list=a,b'], undefined, { list: ['a', 'b'] }],
    [['list=["a,b"]'], undefined, { list: ['a,b'] }],
    [['other={"a":1}'], undefined, { other: { a: 1 } }],
    [['toString=true'], undefined, { toString: true }],
    [['text=b'], '{"text":"a","number":1}', { text: 'b', number: 1 }],
  ]
  for (const [pairs, json, expected] of inputs) assert.deepEqual(parseArguments(pairs, json, schema), expected, pairs.join())
  assert.deepEqual(parseArguments(['text=7'], undefined, undefined), { text: 7 })
  for (const pair of ['text', '=7', ''])
    assert.throws(() => parseArguments([pair], undefined, schema), { message: `"${pair}" is not key=value` })
  for (const json of ['[]', '7', '{', ''])
    assert.throws(() => parseArguments([], json, schema), { message: '--input is not a JSON object' })
})

test('the columns of a table are as wide as their widest cell, colours not counted', () => {
  assert.deepEqual(
    table(
      ['A', 'LONG', 'C'],
      [
        ['1', '\u001b[31mred\u001b[39m', '3'],
        ['wide', 'x', ''],
      ],
    ),
    ['A     LONG  C', '1     \u001b[31mred\u001b[39m   3', 'wide  x'],
  )
})

test('the name of a server of a client is one that an entry can have', () => {
  for (const [name, expected] of [
    ['github', 'github'],
    ['GitHub MCP', 'github_mcp'],
    ['__a--b__', 'a_b'],
    ['1password', 'password'],
    ['é', 'server'],
    ['', 'server'],
    ['a'.repeat(40), 'a'.repeat(32)],
    [`${'a'.repeat(31)}-b`, 'a'.repeat(31)],
  ] as const)
    assert.equal(instanceName(name), expected, name)
})

test('secrets of an import go into an environment file as Node reads them back, and replace nothing there', async () => {
  using tree = sourceTree({})
  const file = tree.path('.env')
  const secret = (variable: string, value?: string, means?: string) => ({
    name: variable.toLowerCase(),
    variable,
    value,
    ...(means !== undefined && { means }),
  })
  const add = (...secrets: ReturnType<typeof secret>[]) => addToEnvFile(file, [{ title: 'github', secrets }])
  assert.deepEqual(await add(), { written: [], kept: [], open: [] })
  assert.throws(() => statSync(file), { code: 'ENOENT' })
  const open = secret('LATER', undefined, 'the token of your account')
  assert.deepEqual(await add(secret('PLAIN', 'abc'), secret('HASH', 'a #b'), open), {
    written: ['PLAIN', 'HASH'],
    kept: [],
    open: [open],
  })
  assert.equal(readFileSync(file, 'utf8'), "# github\nPLAIN=abc\nHASH='a #b'\n# the token of your account\nLATER=\n")
  if (process.platform !== 'win32') assert.equal(statSync(file).mode & 0o777, 0o600)
  tree.write('.env', 'PLAIN=other\nSAME=x')
  assert.deepEqual(await add(secret('PLAIN', 'abc'), secret('SAME', 'x'), secret('NEW', '')), {
    written: ['NEW'],
    kept: ['PLAIN'],
    open: [],
  })
  assert.equal(readFileSync(file, 'utf8'), 'PLAIN=other\nSAME=x\n\n# github\nNEW=\n')
  const all = ["it's", 'two\nlines', '"both" and \'both\'', 'a\\nb', ' spaces ', '$HOME', '']
  tree.write('.env', '')
  await add(...all.map((value, index) => secret(`V${index}`, value)))
  const before = { ...process.env }
  process.loadEnvFile(file)
  const found = all.map((_, index) => process.env[`V${index}`])
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name]
  assert.deepEqual(found, all)
  const every = secret('EVERY', '\'"`\n\\n\'"`')
  const { written, open: unwritable } = await add(every)
  assert.deepEqual([written, unwritable[0]?.variable], [[], 'EVERY'])
  assert.match(unwritable[0]?.means ?? '', /^it cannot be written here: put it into a file, and name that in EVERY_FILE$/)
})
