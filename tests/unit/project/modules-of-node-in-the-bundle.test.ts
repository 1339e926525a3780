import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { inAscii } from '../../../scripts/in-ascii.mjs'
import { withoutFacades } from '../../../scripts/without-facades.mjs'

const fs = 'globalThis.process.getBuiltinModule("node:fs")'

for (const [line, expected] of [
  ['import fs from "node:fs";', `const fs = ${fs};`],
  ['import * as fs$1 from "node:fs";', `const fs$1 = ${fs};`],
  ['import { readFileSync, statSync as stat } from "node:fs";', `const { readFileSync, statSync: stat } = ${fs};`],
  ['import fs, { statSync } from "node:fs";', `const fs = ${fs}, { statSync } = ${fs};`],
  // As two packages in one chunk import it.
  ['import process$1, { default as process$2 } from "node:fs";', `const process$1 = ${fs}, process$2 = ${fs};`],
  ['import { t as fs } from "./chunks/fs.js";', 'import { t as fs } from "./chunks/fs.js";'],
  ['import "node:fs";', 'import "node:fs";'],
] as const)
  test(`the bundle takes a module of Node as it is: ${line}`, () => {
    assert.equal(withoutFacades(`a\n${line}\nb`).code, `a\n${expected}\nb`)
  })

test('an import of a module of Node in another form ends the build', () => {
  assert.throws(() => withoutFacades('import defer fs from "node:fs";'), /no known form: defer fs/)
})

for (const [what, code, value] of [
  ['in a text', "'a – b'", 'a – b'],
  ['beyond the first plane', "'😀'", '😀'],
  ['in a template', '`…${1}é`', '…1é'],
  ['in a pattern', '/[–😀]+$/u.exec("x–😀")[0]', '–😀'],
  ['behind a backslash that stands for nothing', "'\\–'", '–'],
  ['behind one that stands for itself', "'\\\\–'", '\\–'],
  ['in a name', '((größe) => größe)(1)', 1],
] as const)
  test(`the bundle is ASCII, and means the same: a character ${what}`, () => {
    const written = inAscii(code)
    assert.match(written, /^[\0-\x7f]+$/)
    assert.equal(runInNewContext(written), value)
  })

test('no chunk of the bundle has a character that makes V8 keep it with two bytes for each', () => {
  const bundle = join(import.meta.dirname, '../../../host/bundle')
  const wide = globSync('**/*.js', { cwd: bundle }).filter(
    (file) => !/^[\0-\x7f]*$/.test(readFileSync(join(bundle, file), 'utf8')),
  )
  assert.deepEqual(wide, [])
})
