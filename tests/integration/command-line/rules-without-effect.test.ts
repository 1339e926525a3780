import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { runPatchbay, startPatchbay } from '../../fixtures/projects/patchbay-process.ts'
import { pinnedProject, pluginSource, tool } from '../../fixtures/projects/pinned-project.ts'

const slip = { plugins: ['./plugins/notes'], tools: { deny: ['notes_items_dorp'] } }
const rule = 'tools.deny: "notes_items_dorp" matches no tool; did you mean "notes_items_drop"?'
const project = pinnedProject({
  'mcp.config.json': JSON.stringify(slip),
  'plugins/notes/index.js': pluginSource({ tools: [tool(), tool({ name: 'items_drop', access: 'write' })] }),
})
after(() => project[Symbol.dispose]())

describe('a deny that matches nothing', { concurrency: 2 }, () => {
  test('is a warning in list', async () => {
    const { code, stdout } = await runPatchbay(['list'], { cwd: project.root })
    assert.equal(code, 0)
    assert.ok(stdout.includes(`warning: ${rule}\n`), stdout)
    const { stdout: json } = await runPatchbay(['list', '--json'], { cwd: project.root })
    assert.deepEqual((JSON.parse(json) as { warnings: unknown }).warnings, [rule])
  })

  test('keeps a frozen deployment from starting', async () => {
    await project.patchbay(['lock'])
    const { code, stdout, stderr } = await runPatchbay(['start', '--frozen', '--port', '0', '--management-port', '0'], {
      cwd: project.root,
    })
    assert.deepEqual([code, stdout], [78, ''])
    assert.match(
      stderr,
      /mcp\.config\.json has rules without effect, and the deployment is frozen:\n {2}tools\.deny: "notes_items_dorp"/,
    )
  })

  test('is a warning at the start, and on a reload that brings another', async () => {
    await using host = await startPatchbay(['--watch'], { cwd: project.root })
    assert.equal((await host.logged('rule_without_effect'))['rule'], rule)
    project.write('mcp.config.json', JSON.stringify({ ...slip, tools: { deny: ['notes_items_dorp', 'wiki_*'] } }))
    const second = await host.logged('rule_without_effect', (line) => line['rule'] !== rule)
    assert.equal(second['rule'], 'tools.deny: "wiki_*" matches no tool')
    assert.equal(host.log.filter((line) => line.event === 'rule_without_effect').length, 2, 'each is said once')
    assert.equal(await host.stop(), 0)
  })
})
