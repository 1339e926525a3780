import assert from 'node:assert/strict'
import { test } from 'node:test'
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
