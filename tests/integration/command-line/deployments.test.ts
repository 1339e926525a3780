import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { authoredPackage } from '../../fixtures/projects/package.ts'
import { v2 } from '../../fixtures/http/mcp-clients.ts'
import { pinnedProject, pluginSource } from '../../fixtures/projects/pinned-project.ts'

const command = join(import.meta.dirname, '../../../host/bin/patchbay.mjs')

/** `patchbay start --deployment NAME` on a free port, until the test ends; where it serves. */
async function serve(t: TestContext, folder: string, deployment: string): Promise<URL> {
  const { PATH, HOME } = process.env
  const args = [command, 'start', '--deployment', deployment, '--port', '0', '--management-port', '0']
  const child = spawn(process.execPath, args, { cwd: folder, env: { PATH, HOME }, stdio: ['ignore', 'ignore', 'pipe'] })
  t.after(async () => {
    if (child.exitCode === null && child.kill('SIGTERM')) await once(child, 'exit')
  })
  const said: string[] = []
  for await (const line of createInterface(child.stderr)) {
    said.push(line)
    const { event, url } = JSON.parse(line) as { event: string; url?: string }
    if (event !== 'listening' || url === undefined) continue
    child.stderr.resume()
    return new URL(url)
  }
  throw new Error(`${deployment} did not start: ${said.join('\n')}`)
}

test('two deployments of one config serve two versions of one plugin at the same time, each pinned', async (t) => {
  using source = authoredPackage('@acme/mcp-jira')
  using project = pinnedProject(
    { 'package.json': '{ "private": true }' },
    {
      plugins: [{ use: '@acme/mcp-jira', as: 'jira', version: '2.3.1', isolation: 'inline' }],
      log: { format: 'json' },
      deployments: {
        production: { frozen: true },
        staging: { frozen: true, plugins: [{ as: 'jira', use: 'jira-staging', version: '2.4.0' }] },
      },
    },
  )
  execFileSync(
    'npm',
    [
      'install',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--offline',
      source.release('2.3.1'),
      `jira-staging@file:${source.release('2.4.0')}`,
    ],
    { cwd: project.root, stdio: 'pipe' },
  )
  for (const deployment of ['production', 'staging'])
    assert.equal((await project.patchbay(['lock', '--deployment', deployment])).code, 0)

  const [production, staging] = await Promise.all([serve(t, project.root, 'production'), serve(t, project.root, 'staging')])
  const clients = await Promise.all([v2(t, production), v2(t, staging)])
  assert.deepEqual(await Promise.all(clients.map((client) => client.call('jira_version_get'))), ['2.3.1', '2.4.0'])
  assert.notEqual(production.port, staging.port)
})

test('a deployment without a section in the lock refuses, whatever the others pin', async () => {
  using project = pinnedProject(
    { 'plugins/notes/index.ts': pluginSource() },
    { pluginDirs: ['./plugins'], deployments: { staging: { frozen: true } } },
  )
  await project.lock()
  const { stdout } = await project.patchbay(['list', '--deployment', 'staging'])
  assert.match(stdout, /Plugin "notes" is not in mcp\.lock\.json/)
})
