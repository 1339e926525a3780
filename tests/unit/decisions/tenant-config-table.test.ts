import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Secret, Type } from '@mcp-patchbay/plugin-api'
import { SecretValue } from '@mcp-patchbay/plugin-api/host'
import { resolveConfig } from '../../../host/src/config/file/resolve-config.ts'
import { normalizeEntry } from '../../../host/src/config/schema/schema.ts'
import { entryCredentials } from '../../../host/src/plugin/settings/credential-policy.ts'
import { readEntryConfig } from '../../../host/src/plugin/settings/entry-config.ts'
import { changedInstances, readTenantConfigs, tenantsWith } from '../../../host/src/plugin/settings/tenant-config.ts'
import { activeRecord, emptyPlugin } from '../../fixtures/projects/snapshots.ts'

const optional = { plain: Type.Optional(Type.String()), secret: Type.Optional(Secret()) }
const config = Type.Object({
  label: Type.String({ default: 'from the schema' }),
  username: optional.plain,
  oauthClientId: optional.plain,
  personalToken: optional.secret,
  webhookKey: optional.secret,
  net: Type.Optional(Type.Object({ region: optional.plain, key: optional.secret, keys: Type.Optional(Type.Array(Secret())) })),
})
const { surface } = activeRecord(emptyPlugin('desk', [], { config }))
assert.ok(surface)
const ofDesk = surface

/** Where a value may be set, the strongest last. */
const PLACES = ['entry', 'variable of the entry', 'tenant', 'variable of the tenant'] as const
type Place = (typeof PLACES)[number]

/** Reads the config of `acme` where `key` is set in `places`, each to the name of the place. */
function read(keyPath: string, variable: string, places: readonly Place[]) {
  const inline = (place: Place) => {
    const [key = '', part] = keyPath.split('.')
    return places.includes(place) ? { [key]: part === undefined ? place : { [part]: place } } : {}
  }
  const env = {
    ...(places.includes('variable of the entry') && { [`DESK_${variable}`]: 'variable of the entry' }),
    ...(places.includes('variable of the tenant') && { [`ACME_DESK_${variable}`]: 'variable of the tenant' }),
  }
  const resolved = resolveConfig({ tenants: { acme: { plugins: { desk: { config: inline('tenant') } } } } })
  const entry = normalizeEntry({ use: './desk', config: inline('entry') })
  const environment = {
    env,
    configDir: '/',
    credentialsOf: (of: typeof entry) => entryCredentials(resolved, of),
    tenants: resolved.tenants,
  }
  const base = readEntryConfig({ instance: 'desk', surface: ofDesk, entry }, environment)
  const acme = readTenantConfigs({ instance: 'desk', surface: ofDesk, entry, base }, environment).get('acme')
  assert.ok(acme?.ok && base.ok)
  return { base, acme }
}

/** [key path, variable behind the prefix, whose it is when only the entry has it] */
const KEYS = [
  ['label', 'LABEL', 'shared'],
  ['net.region', 'NET_REGION', 'shared'],
  ['username', 'USERNAME', 'entry'],
  ['oauthClientId', 'OAUTH_CLIENT_ID', 'entry'],
  ['personalToken', 'PERSONAL_TOKEN', 'entry'],
  ['webhookKey', 'WEBHOOK_KEY', 'entry'],
  ['net.key', 'NET_KEY', 'entry'],
] as const

describe('of the places that set a value a tenant gets the last', () => {
  for (const [keyPath, variable, whose] of KEYS)
    for (let mask = 0; mask < 2 ** PLACES.length; mask++) {
      const places = PLACES.filter((_, index) => mask & (1 << index))
      const usable = whose === 'shared' ? places : places.filter((place) => place.includes('tenant'))
      const expected = usable.at(-1) ?? (keyPath === 'label' ? 'from the schema' : undefined)
      test(`${keyPath} set by ${places.join(', ') || 'nobody'}: ${expected ?? 'unset'}`, () => {
        const { acme, base } = read(keyPath, variable, places)
        const value = keyPath
          .split('.')
          .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], acme.config)
        if (places.length === 0 && keyPath === 'label') assert.equal(acme.sources['label'], 'default')
        const isSecret = /Token|[kK]ey$/.test(keyPath)
        assert.equal(isSecret ? acme.secrets.get(keyPath) : value, expected)
        assert.equal(value instanceof SecretValue, isSecret && expected !== undefined)
        const ofEntry = places.filter((place) => !place.includes('tenant')).at(-1)
        if (isSecret) assert.equal(base.secrets.get(keyPath), ofEntry, 'and nobody else gets the secret of a tenant')
      })
    }
})

test("an object of the tenant is merged into the entry's, key by key", () => {
  const resolved = resolveConfig({ tenants: { acme: { plugins: { desk: { config: { net: { key: 'acmes' } } } } } } })
  const entry = normalizeEntry({ use: './desk', config: { net: { region: 'eu', key: 'entrys', keys: ['entrys-too'] } } })
  const environment = {
    env: {},
    configDir: '/',
    credentialsOf: () => entryCredentials(resolved, entry),
    tenants: resolved.tenants,
  }
  const base = readEntryConfig({ instance: 'desk', surface: ofDesk, entry }, environment)
  const acme = readTenantConfigs({ instance: 'desk', surface: ofDesk, entry, base }, environment).get('acme')
  assert.ok(acme?.ok)
  assert.equal((acme.config['net'] as { region: string }).region, 'eu')
  assert.deepEqual([...acme.secrets], [['net.key', 'acmes']])
  assert.ok(base.ok && base.secrets.size >= 2)
})

test('what everybody needs and only tenants have is missing from the entry, whose other settings they have all the same', () => {
  const needs = activeRecord(
    emptyPlugin('desk', [], { config: Type.Object({ url: Type.String(), label: optional.plain }) }),
  ).surface
  assert.ok(needs)
  const resolved = resolveConfig({ tenants: { acme: { plugins: { desk: { config: { url: 'https://acme.example' } } } } } })
  const entry = normalizeEntry({ use: './desk', config: { label: 'shared' } })
  const environment = {
    env: {},
    configDir: '/',
    credentialsOf: () => entryCredentials(resolved, entry),
    tenants: resolved.tenants,
  }
  const base = readEntryConfig({ instance: 'desk', surface: needs, entry }, environment)
  assert.equal(base.ok, false)
  const acme = readTenantConfigs({ instance: 'desk', surface: needs, entry, base }, environment).get('acme')
  assert.deepEqual(acme?.ok && acme.config, { url: 'https://acme.example', label: 'shared' })
})

test('a tenant has settings of its own for the instances that it names, though it says nothing of them', () => {
  const { tenants } = resolveConfig({
    tenants: { acme: { plugins: { desk: {} } }, umbrella: { plugins: { tracker: { config: { label: 'x' } } } }, initech: {} },
  })
  assert.deepEqual(tenantsWith(tenants, 'desk'), ['acme'])
  assert.deepEqual(tenantsWith(tenants, 'tracker'), ['umbrella'])
  assert.deepEqual(tenantsWith(tenants, 'constructor'), [])
})

for (const [what, before, after, expected] of [
  ['the same', { acme: { desk: { label: 'a' } } }, { acme: { desk: { label: 'a' } } }, []],
  ['another value', { acme: { desk: { label: 'a' } } }, { acme: { desk: { label: 'b' } } }, ['desk']],
  ['a new tenant', {}, { acme: { desk: { label: 'a' } } }, ['desk']],
  ['a tenant that is gone', { acme: { desk: { label: 'a' } } }, {}, ['desk']],
  ['settings that moved to another tenant', { acme: { desk: { label: 'a' } } }, { umbrella: { desk: { label: 'a' } } }, ['desk']],
  ['one of two instances', { acme: { desk: { label: 'a' }, tracker: {} } }, { acme: { desk: { label: 'a' } } }, ['tracker']],
] as const)
  test(`between two configs with ${what} these instances changed: ${expected.join(', ') || 'none'}`, () => {
    const settings = (of: Readonly<Record<string, Readonly<Record<string, object>>>>) =>
      resolveConfig({
        tenants: Object.fromEntries(
          Object.entries(of).map(([tenant, plugins]) => [
            tenant,
            { plugins: Object.fromEntries(Object.entries(plugins).map(([instance, own]) => [instance, { config: { ...own } }])) },
          ]),
        ),
      }).tenants
    assert.deepEqual([...changedInstances(settings(before), settings(after))], expected)
  })
