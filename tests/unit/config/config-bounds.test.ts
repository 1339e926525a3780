import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseData } from '../../../host/src/config/file/parse-data.ts'
import { validateConfig } from '../../../host/src/config/file/validate-config.ts'
import { HostError } from '../../../host/src/errors.ts'
import { collectPackages } from '../../../host/src/pin/tree/package-graph.ts'
import { sourceTree } from '../../fixtures/plugins/source-tree.ts'

const read = (text: string, kind: 'json' | 'yaml') => {
  try {
    parseData({ file: `mcp.config.${kind}`, text }, kind, (shown) => shown)
    return 'read'
  } catch (error) {
    return error instanceof HostError ? error.message : String(error)
  }
}

// Each took seconds to minutes where the bound was missing.
const hostile: readonly (readonly [what: string, kind: 'json' | 'yaml', text: string, problem: RegExp])[] = [
  ['20,000 objects in each other', 'json', `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`, /nested deeper than 64/],
  ['100,000 arrays in each other', 'json', '['.repeat(100_000) + ']'.repeat(100_000), /nested deeper than 64/],
  ['an object in each other in YAML', 'yaml', `${'{a: '.repeat(20_000)}1${'}'.repeat(20_000)}`, /nested deeper than 64/],
  ['lists in each other in YAML', 'yaml', `${'- '.repeat(20_000)}a`, /nested deeper than 64/],
  ['more values than a config has', 'json', JSON.stringify(Array.from({ length: 150_000 }, () => 1)), /more than 100000 values/],
]
for (const [what, kind, text, problem] of hostile)
  test(`a config of ${what} is refused before anything looks at all of it`, () => {
    assert.match(read(text, kind), problem)
  })

test('of many unknown keys the first are told with their lines, and how many more there are', () => {
  const config = Object.fromEntries(Array.from({ length: 30_000 }, (_, at) => [`plugin${at}`, 1]))
  const text = JSON.stringify(config, null, 1)
  assert.throws(
    () => validateConfig(config, { file: 'mcp.config.json', text }),
    (error) => {
      assert.ok(error instanceof HostError)
      assert.match(error.message, /has 51 errors:\n {2}line 2: plugin0: unknown key; did you mean "plugins"\?\n/)
      assert.match(error.message, /and 29950 more/)
      return true
    },
  )
})

test('a line of a megabyte without a key costs one look', () => {
  const text = `a: ${' '.repeat(500_000)}x\n- ${' x'.repeat(250_000)}\n`
  assert.throws(() => validateConfig({ a: 1 }, { file: 'mcp.config.yaml', text }), { code: 'CONFIG_INVALID' })
})

test('a package.json that declares more dependencies than a package has is refused by name', async () => {
  const dependencies = Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`dependency-${at}`, '1.0.0']))
  using tree = sourceTree({ 'package.json': JSON.stringify({ name: 'many', dependencies }) })
  await assert.rejects(collectPackages(tree.path('.')), {
    code: 'PIN_UNREADABLE',
    message: /declares 20000 dependencies, more than the 1000/,
  })
  tree.write('package.json', JSON.stringify({ name: 'long', description: 'x'.repeat(2_000_000) }))
  await assert.rejects(collectPackages(tree.path('.')), { code: 'PIN_UNREADABLE', message: /bytes, more than the 1048576/ })
})
