import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { configSchema } from '../../../host/src/config/schema/schema.ts'
import { isObject } from '../../../host/src/data/json.ts'

const root = join(import.meta.dirname, '../../..')

/** Everything that acts, without what only says what a config may hold, and without comments. */
const acting = globSync('host/src/**/*.ts', { cwd: root })
  .filter((file) => !/config[\\/]schema[\\/](?:.*schema|schema-parts|defaults)\.ts$/.test(file))
  .map((file) => readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*$/gm, ''))
  .join('\n')

/** The settings by their paths: what holds no further section. `NAME` stands for names that people choose. */
function leavesOf(schema: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (!isObject(schema)) return []
  const { properties, patternProperties, items, anyOf } = schema
  const parts = (of: unknown) => (isObject(of) ? Object.entries(of) : [])
  const branches = Array.isArray(anyOf)
    ? anyOf.filter((part) => isObject(part) && (isObject(part['properties']) || isObject(part['items'])))
    : []
  const below = [
    ...parts(properties).flatMap(([key, part]) => leavesOf(part, [...path, key])),
    ...parts(patternProperties).flatMap(([, part]) => leavesOf(part, [...path, 'NAME'])),
    ...(isObject(items) ? leavesOf(items, [...path, '[]']) : []),
    ...branches.flatMap((part) => leavesOf(part, path)),
  ]
  return below.length > 0 ? below : [path]
}

/** Reads a property of that name: `x.name`, `x['name']`, or `{ name }` taken apart. */
function isRead(name: string): boolean {
  return new RegExp(`\\.${name}\\b|\\['${name}'\\]|[{,]\\s*${name}\\s*(?:[,}=]|:\\s*[a-zA-Z{])`).test(acting)
}

test('every setting that a config may hold is read by something that acts', () => {
  const leaves = leavesOf(configSchema).filter(([first]) => first !== 'deployments')
  assert.ok(leaves.length > 120, `${leaves.length} settings`)
  const unread = leaves.filter((path) => {
    const name = path.findLast((key) => key !== 'NAME' && key !== '[]') ?? ''
    return !isRead(name)
  })
  assert.deepEqual(
    unread.map((path) => path.join('.')),
    [],
  )
})

test('a setting that nothing reads would be noticed', () => {
  assert.equal(isRead('aSettingThatNothingReads'), false)
})
