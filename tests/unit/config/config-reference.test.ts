import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { configSchema } from '../../../host/src/config/schema/schema.ts'
import { configReference } from '../../fixtures/config-reference.ts'

const page = join(import.meta.dirname, '../../../docs/config.md')
const section = /(?<=<!-- config-reference -->\n)[\s\S]*?(?=<!-- \/config-reference -->)/

test('docs/config.md describes every key of the config as the schema does', () => {
  const expected = `\n${configReference(configSchema)}\n\n`
  const text = readFileSync(page, 'utf8')
  // UPDATE_SNAPSHOTS=1 node --test … writes it anew.
  if (process.env['UPDATE_SNAPSHOTS'])
    writeFileSync(
      page,
      text.replace(section, () => expected),
    )
  assert.equal(section.exec(readFileSync(page, 'utf8'))?.[0], expected)
})
