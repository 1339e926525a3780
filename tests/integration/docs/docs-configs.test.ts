import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { HostConfig } from 'mcp-patchbay'
import { resolveConfig } from '../../../host/src/config/file/resolve-config.ts'
import { validateConfig } from '../../../host/src/config/file/validate-config.ts'
import { blocksOf } from '../../fixtures/markdown-blocks.ts'
import { createPageProject } from '../../fixtures/http/page-project.ts'

const docs = join(import.meta.dirname, '../../../docs')

for (const page of globSync('**/*.md', { cwd: docs })) {
  const blocks = blocksOf(join(docs, page)).filter(
    ({ language, text }) => language === 'ts' && /^\/\/ \S*mcp\.config\.ts$/m.test(text),
  )
  if (blocks.length === 0) continue
  test(`every config in docs/${page} is one that the host takes`, async () => {
    for (const block of blocks) {
      using project = createPageProject([block])
      const [, file = ''] = /^\/\/ (\S+)$/m.exec(block.text) ?? []
      const { default: config } = (await import(pathToFileURL(join(project.folder, file)).href)) as { default: HostConfig }
      const source = { file: join(project.folder, file), text: block.text }
      validateConfig(config, source)
      const { plugins, pluginDirs } = resolveConfig(config, { source })
      assert.ok(plugins.length + pluginDirs.length > 0, `${page}, line ${block.line}`)
    }
  })
}
