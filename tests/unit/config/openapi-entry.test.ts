import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { descriptionOf, packageOf } from '../../../host/src/config/plugin/openapi-entry.ts'
import { resolveConfig } from '../../../host/src/config/file/resolve-config.ts'
import type { EntryConfig } from '../../../host/src/config/schema/schema.ts'

const source = { file: resolve('/p/mcp.config.json'), text: '{}' }
const resolved = (entry: string | EntryConfig) => resolveConfig({ plugins: [entry] }, { source }).plugins[0]

test('openapi: and a file is the plugin of descriptions, which may read that file', () => {
  const entry = resolved('openapi:./apis/pets.yaml')
  assert.equal(entry?.use, '@mcp-patchbay/plugin-openapi')
  assert.equal(entry.isolation, 'process')
  assert.deepEqual(entry.config, { document: resolve('/p/apis/pets.yaml') })
  assert.deepEqual(entry.capabilities.fs, { read: ['apis/pets.yaml'], write: [] })
})

test('what the entry says itself stays', () => {
  const entry = resolved({
    use: 'openapi:pets.yaml',
    as: 'pets',
    operations: { allow: ['GET *'], deny: ['admin'] },
    config: { apiUrl: 'https://pets.example' },
    capabilities: { fs: { read: ['other'] } },
  })
  assert.equal(entry?.as, 'pets')
  assert.equal(entry.operations, undefined)
  const document = resolve('/p/pets.yaml')
  assert.deepEqual(entry.config, { allow: ['GET *'], deny: ['admin'], apiUrl: 'https://pets.example', document })
  assert.deepEqual(entry.capabilities.fs.read, ['other', 'pets.yaml'])
})

test('openapi: and an address reads no file', () => {
  const entry = resolved('openapi:https://pets.example/openapi.json')
  assert.deepEqual(entry?.config, { document: 'https://pets.example/openapi.json' })
  assert.deepEqual(entry.capabilities.fs.read, [])
})

test('operations of another entry are refused, and so is openapi: without a file that it is relative to', () => {
  assert.throws(
    () => resolved({ use: './notes', operations: { allow: ['GET *'] } }),
    /operations: belongs to an entry with use: 'openapi:/,
  )
  assert.throws(() => resolveConfig({ plugins: ['openapi:./pets.yaml'] }), /is a URL/)
})

test('an entry with openapi: uses the package, which is not uninstalled with another entry', () => {
  assert.equal(packageOf('openapi:./pets.yaml'), '@mcp-patchbay/plugin-openapi')
  assert.equal(packageOf('@acme/mcp-weather'), '@acme/mcp-weather')
  assert.equal(packageOf(undefined), undefined)
})

test('the file of a description is watched, and no address', () => {
  const file = (entry: string) => descriptionOf(resolved(entry) ?? { use: '', config: {} })?.file
  assert.equal(file('openapi:./pets.yaml'), resolve('/p/pets.yaml'))
  assert.equal(file('openapi:https://pets.example/openapi.json'), undefined)
  assert.equal(file('./notes'), undefined)
})
