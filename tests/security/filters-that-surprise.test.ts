import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HostConfig } from 'mcp-patchbay'
import { reloading, revisionPlugin } from '../fixtures/plugins/reloading.ts'
import { rawClient } from '../fixtures/http/raw-client.ts'

const plugins = {
  'plugins/a/index.ts': revisionPlugin('a', 1, { tools: ['rev', 'more'] }),
  'plugins/b/index.ts': revisionPlugin('b', 1),
}
const all = ['a_rev', 'a_more', 'b_rev']
const a = ['a_rev', 'a_more']
const toolsets = { first: ['a_*'], second: ['b_*'] }

/** Filters that are allowed and seldom meant: what is served, and what the log says about it. */
const filters: readonly (readonly [what: string, config: HostConfig, served: readonly string[], warnings: readonly RegExp[]])[] =
  [
    ['tools.allow is empty', { tools: { allow: [] } }, [], [/^tools\.allow is empty/]],
    ['tools.enable is empty', { tools: { enable: [] } }, [], [/^tools\.enable is empty: no tool is served$/]],
    ['tools.enable names what is not there', { tools: { toolsets, enable: ['frist'] } }, [], [/"frist".*first/]],
    ['tools.enable names one that is there and one that is not', { tools: { toolsets, enable: ['first', 'x'] } }, a, [/"x"/]],
    [
      'tools.enable names the same twice',
      { tools: { toolsets, enable: ['first', 'first'] } },
      a,
      [/tools\.enable.*"first" more than once/],
    ],
    ['tools.allow names the same twice', { tools: { allow: ['a_*', 'a_*'] } }, a, [/tools\.allow.*"a_\*" more than once/]],
    ['tools.deny denies everything', { tools: { deny: ['*'] } }, [], []],
    ['everything is allowed and nothing denied', { tools: { allow: ['*'], deny: [] } }, all, []],
  ]
for (const [what, config, served, warnings] of filters)
  test(`serves ${served.length} of 3 tools where ${what}, and warns of ${warnings.length === 0 ? 'nothing' : 'it'}`, async (t) => {
    const { url, lines } = await reloading(t, plugins, { config, watch: false })
    assert.deepEqual(await rawClient(url).tools(), served)
    for (const name of all.filter((tool) => !served.includes(tool)))
      assert.match((await rawClient(url).call(name)).text, new RegExp(`"Unknown tool: ${name}"`))
    const said = lines.all.filter(({ event }) => event === 'config_warning' || event === 'rule_without_effect')
    assert.equal(said.length, warnings.length, JSON.stringify(said))
    for (const [index, warning] of warnings.entries())
      assert.match(String(said[index]?.['warning'] ?? said[index]?.['rule']), warning)
  })

test('a request that asks for toolsets nobody has sees nothing, and one that says nothing sees everything', async (t) => {
  const { url } = await reloading(t, plugins, { config: { tools: { toolsets } }, watch: false })
  const client = rawClient(url)
  assert.deepEqual(await client.tools(), all)
  assert.deepEqual(await client.tools({ 'x-patchbay-toolsets': 'second' }), ['b_rev'])
  assert.deepEqual(await client.tools({ 'x-patchbay-toolsets': 'second,second' }), ['b_rev'])
  assert.deepEqual(await client.tools({ 'x-patchbay-toolsets': 'third' }), [])
  for (const malformed of ['', ' ', 'a b', 'first,,second', '*'])
    assert.equal((await client.post('tools/list', {}, { 'x-patchbay-toolsets': malformed })).status, 400, malformed)
})
