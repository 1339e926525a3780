import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reloading, revisionPlugin } from '../../fixtures/plugins/reloading.ts'
import { runPatchbay } from '../../fixtures/projects/patchbay-process.ts'
import { sourceTree } from '../../fixtures/plugins/source-tree.ts'

const config = {
  pluginDirs: ['../../packages/plugins'],
  plugins: ['../../packages/billing', { use: '../../packages/mail.ts', isolation: 'process' }],
}
const packages = {
  'packages/billing/package.json': JSON.stringify({
    name: '@acme/billing',
    version: '1.0.0',
    type: 'module',
    exports: './src/index.ts',
  }),
  'packages/billing/src/index.ts': revisionPlugin('billing', 1, { head: `import { x } from '@acme/shared'\nvoid x` }),
  'packages/shared/package.json': JSON.stringify({ name: '@acme/shared', type: 'module', exports: './src/index.ts' }),
  'packages/shared/src/index.ts': 'export const x: number = 1',
  'packages/mail.ts': revisionPlugin('mail', 1),
  'packages/plugins/notes/index.ts': revisionPlugin('notes', 1),
  'apps/host/mcp.config.json': JSON.stringify(config),
}
const isReplaced = ({ outcome }: { readonly outcome: string }) => outcome === 'replaced'

for (const [what, marker] of [
  ['a repository', { '.git/HEAD': 'ref: refs/heads/main' }],
  ['a git worktree', { '.git': 'gitdir: ../elsewhere' }],
  ['an npm workspace', { 'package.json': JSON.stringify({ workspaces: ['packages/*', 'apps/*'] }) }],
  ['a pnpm workspace', { 'pnpm-workspace.yaml': 'packages: [packages/*]' }],
] as const)
  test(`a config serves plugins from anywhere in ${what}, and their edits`, async (t) => {
    const tree = { ...packages, ...marker }
    const at = await reloading(t, tree, { file: 'apps/host/mcp.config.json' })
    at.link('packages/shared', 'node_modules/@acme/shared')
    at.write('packages/billing/src/index.ts', revisionPlugin('billing', 2, { head: `import { x } from '@acme/shared'\nvoid x` }))
    await at.reloads.next(({ after }) => after?.instance === 'billing' && after.state === 'active')
    assert.deepEqual([await at.call('billing_rev'), await at.call('mail_rev'), await at.call('notes_rev')], ['2', '1', '1'])
    at.write('packages/shared/src/index.ts', 'export const x: number = 2')
    await at.reloads.next(({ instance }) => instance === 'billing')
    at.write('packages/mail.ts', revisionPlugin('mail', 2))
    await at.reloads.next((report) => report.instance === 'mail' && isReplaced(report))
    assert.equal(await at.call('mail_rev'), '2')
  })

test('a path that leaves the repository is refused, and the lock records and freezes one that does not', async () => {
  using tree = sourceTree({
    'outside/index.ts': `throw new Error('imported')`,
    'repo/.git/HEAD': '',
    'repo/packages/mail.ts': revisionPlugin('mail', 1),
    'repo/apps/host/mcp.config.json': JSON.stringify({ plugins: ['../../packages/mail.ts', '../../../outside'] }),
  })
  const at = { cwd: tree.path('repo/apps/host') }
  const { plugins } = JSON.parse((await runPatchbay(['list', '--json'], at)).stdout) as {
    plugins: { state: string; reason: { message: string } | null }[]
  }
  assert.deepEqual(
    plugins.map(({ state }) => state),
    ['active', 'failed'],
  )
  assert.match(plugins[1]?.reason?.message ?? '', new RegExp(`it is outside ${tree.path('repo')}$`))
  const deployments = { production: { frozen: true } }
  tree.write('repo/apps/host/mcp.config.json', JSON.stringify({ plugins: ['../../packages/mail.ts'], deployments }))
  const frozen = { ...at, env: { MCP_DEPLOYMENT: 'production' } }
  await runPatchbay(['lock'], frozen)
  assert.match((await runPatchbay(['call', 'mail_rev'], frozen)).stdout, /^1/)
  tree.write('repo/packages/mail.ts', revisionPlugin('mail', 2))
  const { code, stderr } = await runPatchbay(['call', 'mail_rev'], frozen)
  assert.notEqual(code, 0)
  assert.match(stderr, /mcp\.lock\.json/)
})
