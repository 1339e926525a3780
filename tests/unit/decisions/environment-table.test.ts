import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret, Type } from '@mcp-patchbay/plugin-api'
import { resolveConfig } from '../../../host/src/config/file/resolve-config.ts'
import { normalizeEntry, type EmbeddedEntry } from '../../../host/src/config/schema/schema.ts'
import {
  connectionVariables,
  findSharedVariables,
  hostReaders,
  pluginReaders,
  unreadVariables,
  unusedSecretLines,
  type EnvironmentReader,
  type ReadingPlugin,
} from '../../../host/src/plugin/settings/environment-readers.ts'
import { activeRecord, emptyPlugin } from '../../fixtures/projects/snapshots.ts'

/** A plugin with the settings `region` and `signingKey`, of which nothing uses the second by itself. */
function plugin(instance: string, entry: Partial<EmbeddedEntry> = {}, isRaw = false): ReadingPlugin {
  const config = Type.Object({ region: Type.String({ default: '' }), signingKey: Type.Optional(Secret()) })
  const made = emptyPlugin('desk', [], { config, ...(isRaw && { capabilities: { credentials: 'raw' } }) })
  return { instance, entry: normalizeEntry({ use: './desk', ...entry }), surface: activeRecord(made).surface }
}

const config = (variable: string, instance: string): EnvironmentReader => ({
  variable,
  reader: `${variable} of ${instance}`,
  instance,
})
const grant = (variable: string, instance: string): EnvironmentReader => ({
  variable,
  reader: `capabilities.env of ${instance}`,
  instance,
  isGrant: true,
})
const own = (variable: string, reader: string): EnvironmentReader => ({ variable, reader, instance: undefined })

test('a variable is shared where one thing reads it and another does, or is granted it', () => {
  const table: [what: string, readers: EnvironmentReader[], shared: boolean][] = [
    ['one reader', [config('A', 'a')], false],
    ['the same reader twice', [own('A', 'one client'), own('A', 'one client')], false],
    ['two readers', [config('A', 'a'), config('A', 'b')], true],
    ['two of the host', [own('A', 'one client'), own('A', 'another')], true],
    ['a plugin and a grant of it to another', [config('A', 'a'), grant('A', 'b')], true],
    ['the host and a grant', [own('A', 'the host itself'), grant('A', 'b')], true],
    ['a plugin and a grant of it to itself', [config('A', 'a'), grant('A', 'a')], false],
    ['two grants', [grant('A', 'a'), grant('A', 'b')], false],
    ['two variables', [config('A', 'a'), config('B', 'b')], false],
  ]
  for (const [what, readers, shared] of table) {
    assert.equal(findSharedVariables(readers).length, shared ? 1 : 0, what)
    assert.equal(findSharedVariables(readers.toReversed()).length, shared ? 1 : 0, what)
  }
})

test('the variables of the host and their _FILE variants are read by it', () => {
  const { auth } = resolveConfig({
    auth: { stateKeyVariable: 'STATE_KEY', accounts: { store: './a', keyVariable: ['ACCOUNTS_KEY', 'OLD_KEY'] } },
  })
  const read = hostReaders({ auth }).map(({ variable }) => variable)
  for (const variable of ['STATE_KEY', 'STATE_KEY_FILE', 'ACCOUNTS_KEY', 'ACCOUNTS_KEY_FILE', 'OLD_KEY', 'NODE_OPTIONS'])
    assert.ok(read.includes(variable), variable)
})

test('a variable that nothing reads is named with the instance of the longest name that it begins with', () => {
  const plugins = [plugin('desk'), plugin('desk_eu')]
  const tenants = {}
  const readers = plugins.flatMap((one) => pluginReaders(one, tenants))
  const lines = (env: Record<string, string>, of = plugins) => unreadVariables(env, of, { tenants, readers })
  const [line, ...more] = lines({ DESK_EU_REGIN: 'x' })
  assert.deepEqual(more, [])
  assert.match(line ?? '', /^DESK_EU_REGIN is set, but nothing reads it; did you mean DESK_EU_REGION\..* env desk_eu$/)
  assert.equal(lines({ DESK_COLOUR: 'x', DESK_EU_COLOUR: 'x' }).length, 2)
  assert.deepEqual(lines({ DESK_REGION: 'x', DESK_EU_REGION_FILE: '/x', DESK_COLOUR: '', OTHER: 'x' }), [])
  const unreadable = [plugin('desk'), { ...plugin('desk_eu'), surface: undefined }]
  assert.deepEqual(lines({ DESK_EU_COLOUR: 'x' }, unreadable), [])
})

test('a variable of a program that many machines have is no slip of a plugin of the same name', () => {
  const plugins = ['git', 'github', 'desk'].map((instance) => plugin(instance))
  const readers = plugins.flatMap((one) => pluginReaders(one, {}))
  for (const [name, isTold] of [
    ['GIT_SSL_CAINFO', false],
    ['GIT_AUTHOR_NAME', false],
    ['GIT_SSL_CAINF', true],
    ['GIT_REGIN', true],
    ['GITHUB_SHA', false],
    ['GITHUB_TOKEN', true],
    ['DESK_SERVICE_HOST', false],
    ['DESK_SERVICE_PORT_HTTPS', false],
    ['DESK_PORT_443_TCP_ADDR', false],
    ['DESK_PORT_443', true],
    ['DESK_SSL_CAINFO', true],
  ] as const)
    assert.equal(unreadVariables({ [name]: 'x' }, plugins, { tenants: {}, readers }).length, isTold ? 1 : 0, name)
})

test('how a service is reached is read for plugins that reach one through the host', () => {
  const of = (config: Record<string, never>, hosts: string[] = []) =>
    connectionVariables(
      'desk',
      activeRecord(emptyPlugin('desk', [], { config: Type.Object(config), capabilities: { hosts } })).surface,
    )
  assert.deepEqual(of({}), [])
  assert.equal(of({ apiUrl: Type.String() as never }).length, 4)
  assert.equal(of({}, ['https://uploads.example.com']).length, 4)
  assert.equal(connectionVariables('desk', undefined).length, 4, 'what could not be read may read any')
})

test('a secret that reaches nothing is named, unless the plugin is given its secrets', () => {
  const table: [entry: Partial<EmbeddedEntry>, isRaw: boolean, expected: RegExp | undefined][] = [
    [{ isolation: 'inline' }, false, /is a secret that nothing uses/],
    [{ isolation: 'process' }, false, /is a secret that nothing uses/],
    [{ isolation: 'inline', capabilities: { credentials: 'raw' } }, false, undefined],
    [{ isolation: 'process', capabilities: { credentials: 'raw' } }, false, /is granted, but the plugin does not declare/],
    [{ isolation: 'process', capabilities: { credentials: 'raw' } }, true, undefined],
    [
      { isolation: 'inline' },
      true,
      /declares credentials: 'raw', and its entry does not grant that.*capabilities: \{ credentials: 'raw' \}/,
    ],
    [{ isolation: 'inline', capabilities: { credentials: 'raw' } }, true, undefined],
  ]
  for (const [entry, isRaw, expected] of table) {
    const lines = unusedSecretLines([plugin('desk', entry, isRaw)])
    assert.equal(lines.length, expected ? 1 : 0, JSON.stringify([entry, isRaw, lines]))
    if (expected) assert.match(lines[0] ?? '', expected)
  }
})
