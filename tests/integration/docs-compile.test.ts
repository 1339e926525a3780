import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { blocksOf } from '../fixtures/markdown-blocks.ts'
import { createPageProject } from '../fixtures/page-project.ts'

const docs = join(import.meta.dirname, '../../docs')

for (const page of globSync('*.md', { cwd: docs })) {
  const blocks = blocksOf(join(docs, page))
  if (!blocks.some(({ language }) => language === 'ts')) continue
  test(`the TypeScript of docs/${page} compiles as strictly as ours`, async () => {
    using project = createPageProject(blocks)
    assert.equal(await project.compile(), '')
  })
}
