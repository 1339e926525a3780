import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import { isCurrent } from '../../../host/bin/bundle.mjs'

function bundled(t: TestContext): { readonly folder: URL; readonly file: string } {
  const path = mkdtempSync(join(tmpdir(), 'patchbay-bundle-'))
  t.after(() => rmSync(path, { recursive: true }))
  const file = join(path, 'a.ts')
  writeFileSync(file, 'export {}')
  const { mtimeMs, size } = statSync(file)
  writeFileSync(join(path, 'made-of.json'), JSON.stringify([['a.ts', mtimeMs, size]]))
  return { folder: pathToFileURL(`${path}/`), file }
}

test('a bundle is run as long as nothing it was made of has changed', (t) => {
  const { folder } = bundled(t)
  assert.equal(isCurrent(folder, folder), true)
})

test('after an edit, also one that leaves the size as it was, the source is run', (t) => {
  const { folder, file } = bundled(t)
  utimesSync(file, new Date(), new Date(Date.now() + 5_000))
  assert.equal(isCurrent(folder, folder), false)
})

test('a file that is gone makes it old', (t) => {
  const { folder, file } = bundled(t)
  rmSync(file)
  assert.equal(isCurrent(folder, folder), false)
})

test('one that was not made, or not to its end, is not run', (t) => {
  const { folder } = bundled(t)
  rmSync(new URL('made-of.json', folder))
  assert.equal(isCurrent(folder, folder), false)
})

test('what the repository runs is made of what stands in it', () => {
  const host = pathToFileURL(`${join(import.meta.dirname, '../../../host')}/`)
  assert.equal(isCurrent(new URL('bundle/', host), host), true, 'run `npm run bundle`')
})
