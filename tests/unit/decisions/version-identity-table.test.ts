import assert from 'node:assert/strict'
import { test } from 'node:test'
import { versionIdentity, type VersionParts } from '../../../host/src/plugin/source/version-identity.ts'

const digests = new Map([
  ['/plugins/a/index.ts', '1'],
  ['/plugins/a/b.ts', '2'],
])
const base: VersionParts = {
  root: '/plugins/a',
  digests: () => digests,
  config: { label: 'x', net: { region: 'eu' } },
  secrets: new Map([
    ['personalToken', 's1'],
    ['net.key', 's2'],
  ]),
  tenants: new Map([
    ['acme', { config: { label: 'y' }, secrets: new Map([['personalToken', 's3']]) }],
    ['umbrella', { config: { label: 'z' }, secrets: new Map() }],
  ]),
}
const files = (...entries: [string, string][]) => ({ digests: () => new Map(entries) })
const acme = (config: Readonly<Record<string, unknown>>, secrets: ReadonlyMap<string, string>) => ({
  tenants: new Map([...(base.tenants ?? []), ['acme', { config, secrets }]]),
})

/** What differs between two versions, and whether what one answered may be given for the other. */
const TABLE: readonly (readonly [what: string, change: Partial<VersionParts>, isSame: boolean])[] = [
  ['nothing', {}, true],
  ['the order in which files were read', files(['/plugins/a/b.ts', '2'], ['/plugins/a/index.ts', '1']), true],
  ['the place of the plugin on the machine', { root: '/srv/a', ...files(['/srv/a/index.ts', '1'], ['/srv/a/b.ts', '2']) }, true],
  ['the order of secrets', { secrets: new Map([...base.secrets].toReversed()) }, true],
  ['a byte of a file', files(['/plugins/a/index.ts', '1'], ['/plugins/a/b.ts', '3']), false],
  ['the name of a file', files(['/plugins/a/index.ts', '1'], ['/plugins/a/c.ts', '2']), false],
  ['which file has which content', files(['/plugins/a/index.ts', '2'], ['/plugins/a/b.ts', '1']), false],
  ['a file more', files(...digests, ['/plugins/a/c.ts', '3']), false],
  ['a file outside of its folder', files(...digests, ['/plugins/shared.ts', '3']), false],
  ['a setting', { config: { label: 'x', net: { region: 'us' } } }, false],
  ['a secret that was rotated', { secrets: new Map([...base.secrets, ['personalToken', 's9']]) }, false],
  ['a secret more', { secrets: new Map([...base.secrets, ['apiKey', '']]) }, false],
  ["a tenant's setting", acme({ label: 'other' }, new Map([['personalToken', 's3']])), false],
  ["a tenant's secret", acme({ label: 'y' }, new Map([['personalToken', 's9']])), false],
  ['a tenant that is gone', { tenants: new Map([...(base.tenants ?? [])].slice(0, 1)) }, false],
  ['having tenants', { tenants: new Map() }, false],
]

for (const [what, change, isSame] of TABLE)
  test(`two versions that differ in ${what} have ${isSame ? 'the same name' : 'other names'}`, () => {
    assert.equal(versionIdentity({ ...base, ...change })() === versionIdentity(base)(), isSame)
  })

test('a version that imports more while it runs has another name from then on', () => {
  const read = new Map(digests)
  const identity = versionIdentity({ ...base, digests: () => read })
  const before = identity()
  assert.equal(identity(), before)
  read.set('/plugins/a/lazy.ts', '4')
  const after = identity()
  assert.notEqual(after, before)
  assert.equal(identity(), after)
})

test('code that is in memory has a name of its own each time, which stays', () => {
  const { root: _, ...inMemory } = base
  const [one, other] = [versionIdentity({ ...inMemory, root: undefined }), versionIdentity({ ...inMemory, root: undefined })]
  assert.equal(one(), one())
  assert.notEqual(one(), other())
})
