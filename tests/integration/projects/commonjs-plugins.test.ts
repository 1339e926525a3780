import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reloading, revisionPlugin } from '../../fixtures/plugins/reloading.ts'

const commonJs = (head = '') => `const { definePlugin, defineTool, Type } = require('@mcp-patchbay/plugin-api')
${head}
module.exports = definePlugin({ name: 'a', config: Type.Object({}), isAuthConfigured: () => true, createClient: () => ({}),
  tools: [defineTool({ name: 'rev', description: 'Says its revision.', access: 'read', input: Type.Object({}), run: () => '1' })] })`

// Each left an ES module half imported, which CommonJS then could not require.
const neighbours = {
  'that imports a file that does not exist': `import './nope.ts'`,
  'that imports node:module': `import { createRequire } from 'node:module'`,
  'that imports the same package and fails': `import 'typebox/value'\nimport './nope.ts'`,
  'that imports the same file and fails': `import '../../lib/shared.mjs'\nimport './nope.ts'`,
  'that waits at its top level': `await new Promise((resolve) => setTimeout(resolve, 50))`,
}

for (const [which, head] of Object.entries(neighbours))
  test(`a CommonJS plugin loads beside one ${which}`, async (t) => {
    const at = await reloading(
      t,
      {
        'lib/shared.mjs': 'export const shared = 1',
        'plugins/a/index.cjs': commonJs(`require('typebox/value'); require('../../lib/shared.mjs')`),
        'plugins/b/index.ts': revisionPlugin('b', 1, { head }),
      },
      { watch: false },
    )
    assert.equal(await at.call('a_rev'), '1')
  })
