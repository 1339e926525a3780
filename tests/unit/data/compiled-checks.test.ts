import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileCheck } from '../../../host/src/data/schema/compile-check.ts'
import { Type } from '../../../host/src/data/type.ts'
import { fits } from '../../../host/src/data/typebox-value.ts'
import { lockSchema } from '../../../host/src/pin/lock/lock.ts'

const digest = `sha256-${'0'.repeat(64)}`
const lock = {
  lockfileVersion: 1,
  deployments: {
    default: {
      plugins: {
        jira: {
          use: '@acme/mcp-jira',
          version: '2.3.1',
          integrity: 'sha512-q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQ== sha1-x',
          tree: digest,
          apiVersion: 1,
          capabilities: { hosts: ['a'], env: [], fs: { read: [], write: ['b'] }, credentials: 'brokered', native: true },
          server: { command: ['x'], args: [], env: ['A'], share: 'caller', roots: ['.'] },
          document: { from: './api.json', digest },
          surface: digest,
          tools: { issues_get: { digest, access: 'read' }, issues_set: { digest, access: 'write' } },
        },
      },
    },
  },
}

/** What stands in for every value, one at a time. */
const OTHERS = [
  null,
  true,
  0,
  1,
  1.5,
  -1,
  2,
  '',
  'x',
  'read',
  digest,
  `${digest}\n`,
  [],
  ['x'],
  [1],
  {},
  { x: 1 },
  { issues_get: null },
]
const KEYS = ['', 'x', 'X', 'a b', '__proto__', 'constructor', 'x'.repeat(65)]

/** The lock with each of its values replaced, each key taken out, and other keys put in. */
function* changed(value: unknown): Generator {
  yield* OTHERS
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) for (const other of changed(item)) yield value.with(index, other)
    yield [...value, 1]
  } else if (typeof value === 'object' && value !== null) {
    const entries: readonly [string, unknown][] = Object.entries(value)
    for (const [index, [key, item]] of entries.entries()) {
      yield Object.fromEntries(entries.toSpliced(index, 1))
      for (const other of changed(item)) yield { ...value, [key]: other }
      for (const name of KEYS) yield Object.fromEntries([...entries, [name, item]])
    }
  }
}

test('the lock is checked as TypeBox checks it, whichever of its parts is another', () => {
  const isLock = compileCheck(lockSchema)
  assert.equal(isLock(lock), true)
  let [checked, refused] = [0, 0]
  for (const other of changed(lock)) {
    checked++
    const expected = fits(lockSchema, other)
    if (!expected) refused++
    assert.equal(isLock(other), expected, JSON.stringify(other))
  }
  assert.ok(checked > 900 && refused > 800 && refused < checked, `${refused} of ${checked}`)
})

for (const [what, schema] of [
  ['a keyword', Type.Array(Type.String(), { maxItems: 1 })],
  ['a type', Type.Unknown({ type: 'null' })],
  ['an object that may have more keys', Type.Object({ x: Type.String() })],
] as const)
  test(`a schema with ${what} that is not known cannot be compiled`, () => {
    assert.throws(() => compileCheck(schema), /compileCheck/)
  })
