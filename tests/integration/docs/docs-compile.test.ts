import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { blocksOf } from '../../fixtures/markdown-blocks.ts'
import { createPagesProject } from '../../fixtures/http/page-project.ts'

const docs = join(import.meta.dirname, '../../../docs')

test('the TypeScript of every page of docs/ compiles as strictly as ours', async () => {
  const pages = globSync('*.md', { cwd: docs }).map((page) => [page, blocksOf(join(docs, page))] as const)
  const blocks = pages.flatMap(([, ofPage]) => ofPage.filter(({ language }) => language === 'ts'))
  assert.ok(blocks.length > 10, `${blocks.length} blocks`)
  using project = createPagesProject(Object.fromEntries(pages))
  assert.equal(await project.compile(), '')
})
