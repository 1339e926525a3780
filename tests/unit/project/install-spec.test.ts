import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSpec } from '../../../host/src/project/spec.ts'
import { sourceTree } from '../../fixtures/plugins/source-tree.ts'

for (const [text, name, range] of [
  ['mcp-jira', 'mcp-jira', 'latest'],
  ['@acme/mcp-jira', '@acme/mcp-jira', 'latest'],
  ['@acme/mcp-jira@2.3.1', '@acme/mcp-jira', '2.3.1'],
  ['@acme/mcp-jira@^2.3.0 <2.4', '@acme/mcp-jira', '^2.3.0 <2.4'],
  ['mcp-jira@next', 'mcp-jira', 'next'],
] as const)
  test(`reads ${text} as a package of the registry`, () => {
    assert.deepEqual(parseSpec(text, '/'), { kind: 'registry', name, range })
  })

test('reads paths of folders and tarballs', () => {
  using tree = sourceTree({ 'folder/package.json': '{}', 'x.tgz': '' })
  for (const [text, file] of [
    ['./folder', 'folder'],
    ['./x.tgz', 'x.tgz'],
    ['x.tgz', 'x.tgz'],
    [tree.path('folder'), 'folder'],
  ] as const)
    assert.deepEqual(parseSpec(text, tree.root), { kind: 'file', file: tree.path(file) })
})

for (const text of [
  '',
  'http://example.com/x.tgz',
  'git+ssh://git@example.com/x.git',
  'github:acme/mcp-jira',
  'acme/mcp-jira',
  'file:///etc/x.js',
  'data:text/javascript,0',
  'node:fs',
  'npm:other@1.0.0',
  '@acme/../../x',
  'a@npm:b',
  'a@http://example.com',
  './nothing',
  '/etc/passwd',
  '--registry=http://example.com',
  'Upper',
])
  test(`refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseSpec(text, '/'), { code: 'INSTALL_SPEC' })
  })
