import assert from 'node:assert/strict'
import { test } from 'node:test'
import { markedPosition, stripTypes } from '../../../host/src/modules/typescript.ts'

const deep = [
  `const x = ${'['.repeat(20_000)}${']'.repeat(20_000)}`,
  `type X = ${'Array<'.repeat(5_000)}1${'>'.repeat(5_000)}`,
  `const x = ${'!'.repeat(20_000)}1`,
]

test('code that nests too deeply for the compiler is refused, and that of every other file compiled on', () => {
  for (const code of deep) {
    assert.throws(() => stripTypes(code, '/project/deep.ts'), {
      code: 'MODULE_SYNTAX',
      message: /deep\.ts.* it nests too deeply to be compiled/s,
    })
    assert.equal(stripTypes('const a: number = 1', '/project/good.ts'), 'const a         = 1')
  }
})

test('says the place and the kind of a fault after the compiler broke, as before', () => {
  assert.throws(() => stripTypes(deep[0] ?? '', '/project/deep.ts'))
  assert.throws(
    () => stripTypes('const a = 1\nconst b: = 2', '/project/bad.ts'),
    ({ code, message, cause }: Error & { readonly code: string }) => {
      assert.equal(code, 'MODULE_SYNTAX')
      assert.match(message, /bad\.ts.* Unexpected token/)
      assert.ok(cause instanceof Error)
      assert.deepEqual(markedPosition(cause.stack ?? ''), { line: 2, column: 10 })
      return true
    },
  )
  assert.throws(() => stripTypes('enum A { B }', '/project/enum.ts'), { code: 'MODULE_TYPESCRIPT_SYNTAX' })
})
