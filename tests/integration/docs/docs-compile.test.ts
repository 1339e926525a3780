import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { blocksOf } from '../../fixtures/markdown-blocks.ts'
import { createPagesProject } from '../../fixtures/http/page-project.ts'

const docs = join(import.meta.dirname, '../../../docs')

test('the TypeScript of every page of docs/ compiles as strictly as ours', async () => {
  // The pages about plugins are read as one: the test of one page is that of the module of another.
  const pages = Object.groupBy(globSync('**/*.md', { cwd: docs }).toSorted(), (page) => page.replace(/^plugins\/.*/, 'plugins'))
  const blocks = Object.entries(pages).map(
    ([name, files = []]) => [name, files.flatMap((page) => blocksOf(join(docs, page)))] as const,
  )
  const typed = blocks.flatMap(([, ofPage]) => ofPage.filter(({ language }) => language === 'ts'))
  assert.ok(typed.length > 10, `${typed.length} blocks`)
  using project = createPagesProject(Object.fromEntries(blocks))
  assert.equal(await project.compile(), '')
})
