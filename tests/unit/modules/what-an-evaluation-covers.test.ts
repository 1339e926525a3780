import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Evaluation } from '../../../host/src/modules/evaluation.ts'
import { digestOf } from '../../../host/src/modules/reading/source-digest.ts'
import { createSourceReader } from '../../../host/src/modules/source.ts'
import type { ReadFile } from '../../../host/src/modules/types.ts'

const evaluation = (root: string | undefined, entry = '/plugins/a/index.ts') => new Evaluation({ id: 1, graph: 'g', entry, root })

for (const [root, file, covers] of [
  ['/plugins/a', '/plugins/a/b.ts', true],
  ['/plugins/a', '/plugins/a/deep/b.ts', true],
  ['/plugins/a', '/plugins/ab/c.ts', false],
  ['/plugins/a', '/plugins/a-b.ts', false],
  ['/plugins/a', '/plugins/b.ts', false],
  ['/plugins/a/', '/plugins/a/b.ts', true],
  ['/', '/plugins/b.ts', true],
  [undefined, '/plugins/a/index.ts', true],
  [undefined, '/plugins/a/b.ts', false],
] as const)
  test(`what is evaluated under ${root ?? 'no folder'} ${covers ? 'has' : 'has not'} ${file}`, () => {
    assert.equal(evaluation(root).covers(file), covers)
  })

test('every file is judged before it runs, also one that only Node can read, and none runs that is refused', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const names = ['a.node', 'a.wasm', 'a.mjs', 'a.cjs', 'a.json', 'a.mts']
  for (const name of names) writeFileSync(join(folder, name), name === 'a.json' ? '{}' : '')
  const seen: ReadFile[] = []
  const read = createSourceReader(
    (code) => code,
    (file) => void seen.push(file),
  )
  for (const name of names) read(join(folder, name), evaluation(folder))
  assert.deepEqual(
    seen,
    names.map((name) => ({ file: join(folder, name), digest: digestOf(join(folder, name)), once: /node|wasm/.test(name) })),
  )
  const refusing = createSourceReader(
    (code) => code,
    () => {
      throw new Error('refused')
    },
  )
  for (const name of names) assert.throws(() => refusing(join(folder, name), evaluation(folder)), /refused/)
})
