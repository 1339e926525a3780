import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definePlugin, definePrompt, defineResource, defineTool, Type, type ServicePlugin } from '@mcp-patchbay/plugin-api'
import type { EmbeddedEntry } from 'mcp-patchbay'
import { hostUnderTest, type HostUnderTest } from '../../fixtures/projects/host-under-test.ts'
import { revisionPlugin } from '../../fixtures/plugins/reloading.ts'
import { sourceTree } from '../../fixtures/plugins/source-tree.ts'

interface Named extends Parts {
  readonly name: string
}

interface Parts {
  readonly tools?: readonly string[]
  readonly prompts?: readonly string[]
  readonly uris?: readonly string[]
  /** What its tools answer; default its name. */
  readonly says?: string
  /** Resolves before it may start. */
  readonly after?: Promise<unknown>
}

function plugin(name: string, { tools = ['one_get'], prompts = [], uris = [], says = name, after }: Parts = {}): ServicePlugin {
  return definePlugin({
    name,
    config: Type.Object({}),
    isAuthConfigured: () => true,
    createClient: () => undefined,
    start: async () => void (await after),
    tools: tools.map((tool) =>
      defineTool({ name: tool, description: 'Says whose it is.', access: 'read', input: Type.Object({}), run: () => says }),
    ),
    prompts: prompts.map((prompt) => definePrompt({ name: prompt, run: () => says })),
    resources: uris.map((uri, index) => defineResource({ name: `resource_${index}`, uri, read: () => says })),
  }) as ServicePlugin
}

/** Name, state and, where there is one, the reason of each plugin, in the order of the config. */
const states = ({ host }: HostUnderTest) =>
  host.list().plugins.map(({ name, state, reason }) => [name, state, reason?.code ?? '', reason?.message ?? ''])

async function saysWhose(host: HostUnderTest, tool: string): Promise<string> {
  const [{ content }] = await host.callInBothEras(tool)
  return content?.[0]?.text ?? ''
}

/** Two plugins that claim the same name: the later one is refused, whichever was ready first. */
const collisions: readonly (readonly [what: string, first: Named, second: Named])[] = [
  ['the same tool once the instance is before it', { name: 'a_b', tools: ['c'] }, { name: 'a', tools: ['b_c'] }],
  ['the same prompt', { name: 'a_b', prompts: ['c'], tools: [] }, { name: 'a', prompts: ['b_c'], tools: [] }],
  ['the same resource', { name: 'a', uris: ['notes://1'] }, { name: 'b', uris: ['notes://1'] }],
  ['the same template', { name: 'a', uris: ['notes://{id}'] }, { name: 'b', uris: ['notes://{id}'] }],
]
for (const [what, first, second] of collisions)
  test(`of two plugins with ${what} the later one in the config is refused, and the first serves`, async (t) => {
    const started = Promise.withResolvers<void>()
    // The first is ready last: it has its names all the same.
    const slow = plugin(first.name, { ...first, says: 'the first', after: started.promise })
    const quick = plugin(second.name, { ...second, after: Promise.resolve().then(() => setImmediate(started.resolve)) })
    const host = await hostUnderTest(t, [slow, quick])
    assertRefused(host, first.name)
    for (const name of await host.client.tools())
      if (!name.startsWith('healthy_')) assert.equal(await saysWhose(host, name), 'the first')
  })

test('of two folders whose plugins have the same name the later one is refused, every time', async (t) => {
  using tree = sourceTree({
    'plugins/a/index.ts': revisionPlugin('jira', 'the first'),
    'plugins/b/index.ts': revisionPlugin('jira', 'the second', { tools: ['other'] }),
  })
  for (let time = 0; time < 5; time++) {
    const host = await hostUnderTest(t, ['./plugins/a', './plugins/b'], { file: tree.path('mcp.config.json') })
    assertRefused(host, 'jira')
    assert.deepEqual(await host.client.tools(), ['jira_rev', 'healthy_pulse_check'])
    assert.equal(await saysWhose(host, 'jira_rev'), 'the first')
  }
})

test('two entries of a config with the same name are refused before anything starts', async (t) => {
  const twice: readonly EmbeddedEntry[] = [{ use: plugin('jira') }, { use: plugin('jira') }]
  await assert.rejects(hostUnderTest(t, twice), /plugins\[1\]\.use: the same plugin as plugins\[0\]/)
  const named: readonly EmbeddedEntry[] = [
    { use: plugin('a'), as: 'jira' },
    { use: plugin('b'), as: 'jira' },
  ]
  await assert.rejects(hostUnderTest(t, named), /"jira" is also the name of plugins\[0\]/)
})

test('two plugins with the same name serve beside each other when one has another name', async (t) => {
  const entries = [{ use: plugin('jira', { says: 'the first' }) }, { use: plugin('jira', { says: 'the second' }), as: 'jira_eu' }]
  const host = await hostUnderTest(t, entries)
  assert.deepEqual(await host.client.tools(), ['jira_one_get', 'jira_eu_one_get', 'healthy_pulse_check'])
  assert.equal(await saysWhose(host, 'jira_one_get'), 'the first')
  assert.equal(await saysWhose(host, 'jira_eu_one_get'), 'the second')
})

/** The first two plugins: one serves, and the other is told whose the name is. */
function assertRefused(host: HostUnderTest, owner: string): void {
  const [[, one] = [], [, two, code, message] = []] = states(host)
  assert.deepEqual([one, two, code], ['active', 'failed', 'PLUGIN_COLLISION'])
  assert.match(message ?? '', new RegExp(`which "${owner}" already has$`))
}

/** Names that look like another's, like the host's own, or that no client should see. */
const refusedNames: readonly (readonly [what: string, name: string, tool: string, message: RegExp])[] = [
  ['a name in capitals', 'Jira', 'one_get', /name "Jira" is not a name/],
  ['a Cyrillic letter in it', '\u0458ira', 'one_get', /name "јira" is not a name/],
  ['a dot in it', 'a.b', 'one_get', /name "a\.b" is not a name/],
  ['a dot in a tool', 'jira', 'b.c', /tools\[0\]\.name "b\.c" is not a name/],
  ['the name of a method', 'jira', 'tools/list', /tools\[0\]\.name "tools\/list" is not a name/],
  ['a tool in capitals', 'jira', 'One_get', /tools\[0\]\.name "One_get" is not a name/],
  ['a zero-width character', 'jira', 'one\u200b_get', /tools\[0\]\.name .* is not a name/],
  ['the name of a prototype', '__proto__', 'one_get', /name "__proto__" is not a name/],
  ['a tool with no name', 'jira', '', /tools\[0\]\.name "" is not a name/],
  ['a tool with too long a name', 'jira', 'x'.repeat(60), /65 characters long/],
  ["the host's own tools", 'tools', 'search', /"tools" is reserved for the host's own tools/],
  ["the host's own name", 'patchbay', 'one_get', /"patchbay" is reserved/],
]
for (const [what, name, tool, message] of refusedNames)
  test(`a plugin with ${what} is refused, and none of its tools is there`, async (t) => {
    const host = await hostUnderTest(t, [plugin(name, { tools: [tool] })])
    const [[, state, code, reason] = []] = states(host)
    assert.deepEqual([state, code], ['failed', 'PLUGIN_CONTRACT'])
    assert.match(reason ?? '', message)
    assert.deepEqual(await host.client.tools(), ['healthy_pulse_check'])
  })

test('a plugin cannot be mounted under a name of the host', async (t) => {
  for (const as of ['tools', 'patchbay'])
    await assert.rejects(hostUnderTest(t, [{ use: plugin('jira'), as }]), /is a name of the host itself/)
})

test('a plugin made for another version of the contract is refused, and told which side to update', async (t) => {
  const versions: readonly (readonly [version: unknown, fix: RegExp])[] = [
    [2, /^apiVersion: Update the host/],
    [99, /^apiVersion: Update the host/],
    [0, /^apiVersion: Update the plugin/],
    [-1, /^apiVersion: Update the plugin/],
    ['1', /^apiVersion: Update the plugin/],
    [null, /^apiVersion: Update the plugin/],
    [Number.NaN, /^apiVersion: Update the plugin/],
    [undefined, /^apiVersion: Wrap the object in definePlugin/],
  ]
  const entries = versions.map(([apiVersion], index) => ({
    use: { ...plugin(`version_${index}`), apiVersion } as ServicePlugin,
    as: `version_${index}`,
  }))
  const host = await hostUnderTest(t, entries)
  assert.deepEqual(await host.client.tools(), ['healthy_pulse_check'])
  for (const [index, [version, fix]] of versions.entries()) {
    const { state, reason } = host.host.list().plugins[index] ?? assert.fail()
    assert.equal(state, 'failed', String(version))
    assert.match(reason?.message ?? '', /apiVersion is/)
    assert.match(reason?.fix[0] ?? '', fix)
  }
})
