import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reloading, revisionPlugin } from '../../fixtures/plugins/reloading.ts'

/** What npm 11 writes into every new project. */
const npmInit = JSON.stringify({ name: 'project', version: '1.0.0', main: 'index.js', type: 'commonjs' })

test('plugins with import and export run in a project of npm init, in TypeScript and JavaScript, inline and isolated, and are reloaded', async (t) => {
  const names = ['typescript', 'javascript', 'isolated', 'own']
  const at = await reloading(
    t,
    {
      'package.json': npmInit,
      'plugins/typescript/index.ts': revisionPlugin('typescript', 1, { head: `import { x } from './lib.js'\nvoid x` }),
      'plugins/typescript/lib.ts': 'export const x: number = 1',
      'plugins/javascript.js': revisionPlugin('javascript', 1),
      'plugins/isolated/index.ts': revisionPlugin('isolated', 1),
      'plugins/own/package.json': npmInit,
      'plugins/own/index.js': revisionPlugin('own', 1),
    },
    { config: { plugins: [{ use: './plugins/isolated', isolation: 'process' }] } },
  )
  for (const name of names) assert.equal(await at.call(`${name}_rev`), '1')
  for (const name of ['typescript', 'isolated']) {
    at.write(`plugins/${name}/index.ts`, revisionPlugin(name, 2))
    await at.reloads.next(({ instance }) => instance === name)
    assert.equal(await at.call(`${name}_rev`), '2')
  }
})
