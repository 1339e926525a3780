import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { startPatchbay } from '../../fixtures/projects/patchbay-process.ts'
import { rawClient } from '../../fixtures/http/raw-client.ts'
import { configJson, revisionPlugin } from '../../fixtures/plugins/reloading.ts'
import { sourceTree } from '../../fixtures/plugins/source-tree.ts'

/** A user namespace has limits of its own, which its root may set. */
const limited = (watches: number) => [
  'unshare',
  '--user',
  '--map-root-user',
  'sh',
  '-c',
  `echo ${watches} > /proc/sys/user/max_inotify_watches && exec "$@"`,
  'sh',
]
const [command = '', ...args] = limited(100)
const canLimit = spawnSync(command, [...args, 'true']).status === 0

test(
  'where the system watches no more files, the log names the limit and edits are found by looking',
  { skip: !canLimit && 'no user namespaces here' },
  async () => {
    using tree = sourceTree({
      'mcp.config.json': configJson({ listen: { http: { port: 0 } } }),
      'plugins/a/index.ts': revisionPlugin('a', 1, { head: `import './lib/x.ts'` }),
      'plugins/a/lib/x.ts': '',
    })
    await using host = await startPatchbay(['--watch', '--config', tree.path('mcp.config.json')], {
      cwd: tree.root,
      within: limited(2),
    })
    const { level, reason } = await host.logged('watch_polling')
    assert.equal(level, 'warn')
    assert.match(String(reason), /max_user_watches.+sudo sysctl fs\.inotify\.max_user_watches=524288/)
    for (const revision of [2, 3]) {
      tree.write('plugins/a/index.ts', revisionPlugin('a', revision))
      await host.logged('plugin_reloaded', ({ generation }) => Number(generation) >= revision)
      assert.match((await rawClient(host.url).call('a_rev')).text, new RegExp(`"text":"${revision}"`))
    }
    tree.write('plugins/b/index.ts', revisionPlugin('b', 1))
    await host.logged('plugin_added')
  },
)
