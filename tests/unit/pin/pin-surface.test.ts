import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestSurface, digestTool, type PluginDescriptors, type WireDescriptor } from '../../../host/src/pin/surface.ts'

const tool: WireDescriptor = {
  name: 'jira_issues_get',
  title: 'Get issue',
  description: 'Read one issue. Returns its title.',
  inputSchema: { type: 'object', properties: { key: { type: 'string', minLength: 1 } }, required: ['key'] },
  outputSchema: { type: 'object', properties: { title: { type: 'string' } } },
  annotations: { readOnlyHint: true },
  icons: [{ src: 'https://acme.example/icon.png' }],
  execution: { taskSupport: 'forbidden' },
  _meta: { 'acme.example/team': 'core' },
}

test('gives a tool the same digest whatever the order of its keys', () => {
  const reordered = Object.fromEntries(Object.entries(tool).toReversed())
  const schema = { required: ['key'], properties: { key: { minLength: 1, type: 'string' } }, type: 'object' }
  assert.equal(digestTool({ ...reordered, inputSchema: schema }), digestTool(tool))
})

test('gives a tool the same digest whatever the whitespace of its source', () => {
  assert.equal(digestTool(JSON.parse(JSON.stringify(tool, null, 8))), digestTool(tool))
})

for (const [what, changed] of [
  ['a zero-width space in the description', { description: 'Read one issue.\u200b Returns its title.' }],
  ['a trailing space in the description', { description: 'Read one issue. Returns its title. ' }],
  ['the name', { name: 'jira_issues_get2' }],
  ['the title', { title: 'Get Issue' }],
  ['a schema', { inputSchema: { type: 'object', properties: { key: { type: 'string' } }, required: ['key'] } }],
  ['the order of a list', { icons: [{ src: 'b' }, { src: 'a' }] }],
  ['an annotation', { annotations: { readOnlyHint: false } }],
  ['the output schema', { outputSchema: { type: 'object' } }],
  ['the execution', { execution: { taskSupport: 'optional' } }],
  ['the metadata', { _meta: {} }],
] as const) {
  test(`gives a tool another digest when ${what} changes`, () => {
    assert.notEqual(digestTool({ ...tool, ...changed }), digestTool(tool))
  })
}

test('writes a digest as sha256- and hex, so that sha256sum can check it', () => {
  // printf '{"a":1}' | sha256sum
  assert.equal(digestTool({ a: 1 }), 'sha256-015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862')
})

const surface: PluginDescriptors = {
  tools: {
    issues_get: { access: 'read', descriptor: tool },
    issues_list: { access: 'read', descriptor: { name: 'jira_issues_list' } },
  },
  resources: [{ uri: 'jira://a' }, { uri: 'jira://b' }],
  resourceTemplates: [{ uriTemplate: 'jira://{key}' }],
  prompts: [{ name: 'triage' }, { name: 'review' }],
}

test('gives a plugin the same surface whatever the order it declares things in', () => {
  const reordered: PluginDescriptors = {
    prompts: surface.prompts?.toReversed() ?? [],
    resourceTemplates: surface.resourceTemplates ?? [],
    resources: surface.resources?.toReversed() ?? [],
    tools: Object.fromEntries(Object.entries(surface.tools).toReversed()),
  }
  assert.deepEqual(digestSurface(reordered), digestSurface(surface))
})

for (const [what, change] of [
  ['a tool is gone', { tools: { issues_get: { access: 'read', descriptor: tool } } }],
  ['a resource changes', { resources: [{ uri: 'jira://a' }, { uri: 'jira://b', title: 'B' }] }],
  ['a resource is listed twice', { resources: [{ uri: 'jira://a' }, { uri: 'jira://b' }, { uri: 'jira://b' }] }],
  ['a template changes', { resourceTemplates: [{ uriTemplate: 'jira://{id}' }] }],
  [
    'a prompt becomes a resource',
    { prompts: [{ name: 'triage' }], resources: [...(surface.resources ?? []), { name: 'review' }] },
  ],
] as const) {
  test(`gives a plugin another surface when ${what}`, () => {
    assert.notEqual(digestSurface({ ...surface, ...change }).surface, digestSurface(surface).surface)
  })
}

test('keeps a tool named __proto__ apart from the prototype', () => {
  const tools = Object.fromEntries([['__proto__', { access: 'read' as const, descriptor: { name: 'x' } }]])
  const { tools: digests } = digestSurface({ tools })
  assert.deepEqual(Object.keys(digests), ['__proto__'])
})

test('names the place of a value that is no JSON', () => {
  const descriptor = { name: 'x', inputSchema: { default: Number.NaN } }
  assert.throws(() => digestSurface({ tools: { x: { access: 'read', descriptor } } }), {
    code: 'PIN_NOT_JSON',
    message: /^\$\.inputSchema\.default is NaN/,
  })
})
