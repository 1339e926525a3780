import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { lockEntry } from '../../../host/src/pin/verdict/approve.ts'
import type { JsonValue } from '../../../host/src/data/json.ts'
import { canonicalJson } from '../../../host/src/data/canonical-json.ts'
import { noCapabilities } from '../../../host/src/pin/capabilities.ts'
import { compareLock, type Difference, type ObservedInstall } from '../../../host/src/pin/difference/compare.ts'
import { formatDiff, showInvisible } from '../../../host/src/pin/difference/format-diff.ts'
import { compareJson } from '../../../host/src/pin/difference/json-changes.ts'
import { digestSurface, type PluginDescriptors, type WireDescriptor } from '../../../host/src/pin/surface.ts'

const install: ObservedInstall = {
  use: '@acme/mcp-jira',
  source: 'npm',
  version: '2.3.1',
  integrity: 'sha512-aaaa',
  tree: `sha256-${'1'.repeat(64)}`,
  capabilities: { ...noCapabilities, env: ['TZ'] },
}
const get: WireDescriptor = {
  name: 'jira_issues_get',
  description: 'Read one issue.',
  inputSchema: { type: 'object', properties: { key: { type: 'string' } } },
}
const before: PluginDescriptors = {
  tools: { issues_get: { access: 'read', descriptor: get }, issues_list: { access: 'read', descriptor: { name: 'l' } } },
}
const changedGet = {
  ...get,
  description: 'Read one issue.\u200b',
  inputSchema: { type: 'object', properties: { key: { type: 'integer' }, extra: true } },
}
const now: PluginDescriptors = {
  tools: {
    issues_get: { access: 'write', descriptor: changedGet },
    issues_delete: { access: 'write', descriptor: { name: 'd' } },
  },
  prompts: [{ name: 'p' }],
}
const locked = lockEntry(install, { ...digestSurface(before), apiVersion: 1 })

const update: ObservedInstall = {
  use: '@acme/mcp-jira',
  source: 'npm',
  version: '2.4.0',
  integrity: 'sha512-bbbb',
  tree: `sha256-${'2'.repeat(64)}`,
  capabilities: { ...noCapabilities, hosts: ['https://evil.example'] },
}
const file = (of: string, path: string, mode: '100644' | '100755', sha256: string) => ({ package: of, path, mode, sha256 })
const details = {
  files: {
    before: [file('', 'index.js', '100644', 'a'), file('', 'old.js', '100644', 'b'), file('left@1.0.0', 'bin.js', '100644', 'c')],
    after: [file('', 'index.js', '100644', 'x'), file('', 'new.js', '100644', 'b'), file('left@1.0.0', 'bin.js', '100755', 'c')],
  },
  tools: { before: { issues_get: get }, after: { issues_get: changedGet } },
}

test('shows a person everything that an update changed', () => {
  const differences = compareLock(locked, update, { ...digestSurface(now), apiVersion: 2 }, details)
  assert.equal(
    formatDiff('jira_eu', differences),
    `jira_eu
  ~ version: 2.3.1 -> 2.4.0
  ~ integrity: sha512-aaaa -> sha512-bbbb
  ~ tree: sha256-${'1'.repeat(64)} -> sha256-${'2'.repeat(64)}
      ~ index.js
      + new.js
      - old.js
      ~ left@1.0.0/bin.js (mode)
  + may now hosts: https://evil.example
  - no longer env: TZ
  ~ apiVersion: 1 -> 2
  + tool issues_delete
  ~ tool issues_get
      description
        - "Read one issue."
        + "Read one issue.\\u{200b}"
      inputSchema.properties.key.type
        - "string"
        + "integer"
      inputSchema.properties.extra
        + true
  ~ tool issues_get: access read -> write
  - tool issues_list
  ~ resources or prompts
`,
  )
})

test('shows nothing when nothing changed', () => {
  const differences = compareLock(locked, install, { ...digestSurface(before), apiVersion: 1 })
  assert.deepEqual(differences, [])
  assert.equal(formatDiff('jira_eu', differences), '')
})

test('says that a tool changed also when the approved descriptor is not known', () => {
  const [difference] = compareLock(locked, install, {
    ...digestSurface({
      tools: { ...before.tools, issues_list: now.tools['issues_get'] ?? assert.fail('the fixture lacks the tool') },
    }),
    apiVersion: 1,
  })
  assert.deepEqual(difference, { kind: 'tool', tool: 'issues_list', change: 'changed' })
})

test('shows a plugin from a path, which has no version', () => {
  const { version: _version, integrity: _integrity, ...local } = install
  assert.equal(formatDiff('x', compareLock(locked, local, undefined)), 'x\n  ~ version: 2.3.1 -> none\n')
})

for (const [what, hidden, shown] of [
  ['a zero-width space', 'a\u200bb', 'a\\u{200b}b'],
  ['a change of direction', 'a\u202eb', 'a\\u{202e}b'],
  ['a tag character', 'a\u{e0041}b', 'a\\u{e0041}b'],
  ['a variation selector', 'a\ufe0fb', 'a\\u{fe0f}b'],
  ['a Hangul filler', 'a\u3164b', 'a\\u{3164}b'],
  ['a soft hyphen', 'a\u00adb', 'a\\u{ad}b'],
  ['a no-break space', 'a\u00a0b', 'a\\u{a0}b'],
  ['an escape sequence', 'a\u001b[2Jb', 'a\\u{1b}[2Jb'],
  ['a line break', 'a\nb', 'a\\u{a}b'],
  ['half of a surrogate pair', 'a\ud800b', 'a\\u{d800}b'],
] as const) {
  test(`makes ${what} visible`, () => {
    assert.equal(showInvisible(hidden), shown)
  })
}

test('leaves text of any language as it is', () => {
  const text = 'Straße 東京 שלום नमस्ते 👍 (x)'
  assert.equal(showInvisible(text), text)
})

test('prints nothing that a terminal would hide or obey, whatever a plugin is called or says', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const differences: Difference[] = [
        { kind: 'version', locked: '1', observed: text },
        { kind: 'capability', change: 'broadened', capability: 'env', value: text },
        { kind: 'tree', locked: install.tree, observed: update.tree, files: [{ change: 'added', package: text, path: text }] },
        { kind: 'tool', tool: text, change: 'changed', fields: [{ field: text, before: text, after: { [text]: text } }] },
      ]
      assert.doesNotMatch(formatDiff('x', differences), /[^\P{C}\n]|\p{Default_Ignorable_Code_Point}/u)
    }),
  )
})

const json = fc.jsonValue({ maxDepth: 3 }).map((value): JsonValue => JSON.parse(JSON.stringify(value)))

test('finds a difference between two JSON values exactly when their canonical texts differ', () => {
  fc.assert(
    fc.property(json, json, (a, b) => {
      assert.equal(compareJson(a, b).length > 0, canonicalJson(a) !== canonicalJson(b))
      assert.deepEqual(compareJson(a, JSON.parse(canonicalJson(a))), [])
    }),
  )
})

test('finds an empty object that became an empty list, and a key that appeared with null', () => {
  assert.deepEqual(compareJson({ a: {} }, { a: [] }), [{ field: 'a', before: {}, after: [] }])
  assert.deepEqual(compareJson({}, { a: null }), [{ field: 'a', after: null }])
  assert.deepEqual(compareJson(1, 2), [{ field: '$', before: 1, after: 2 }])
})
