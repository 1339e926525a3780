import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync } from 'node:fs'
import { test } from 'node:test'
import type { EntryConfig, HostConfig } from '../../../host/src/config/schema/schema.ts'
import { pinnedProject, pluginSource } from '../../fixtures/projects/pinned-project.ts'

type Grants = NonNullable<EntryConfig['capabilities']>

const withGrants = (capabilities: Grants): HostConfig => ({
  plugins: [{ use: './notes', as: 'notes', capabilities }],
  frozen: true,
})

const wider: Readonly<Record<string, Grants>> = {
  'a host': { hosts: ['https://api.example.com', 'https://evil.example'] },
  'an environment variable': { hosts: ['https://api.example.com'], env: ['AWS_SECRET_ACCESS_KEY'] },
  'a folder to read': { hosts: ['https://api.example.com'], fs: { read: ['data'] } },
  'a folder to write': { hosts: ['https://api.example.com'], fs: { write: ['data'] } },
  'its raw credentials': { hosts: ['https://api.example.com'], credentials: 'raw' },
  'native addons': { hosts: ['https://api.example.com'], native: true },
}

for (const [what, capabilities] of Object.entries(wider))
  test(`frozen, a config that also grants ${what} is refused until it is approved`, async () => {
    const before = withGrants({ hosts: ['https://api.example.com'] })
    using project = pinnedProject({ 'notes/index.ts': pluginSource() }, before)
    await project.lock()
    project.write('mcp.config.json', JSON.stringify(withGrants(capabilities)))
    await using started = await project.start(withGrants(capabilities))
    assert.equal(started.plugin().reason?.code, 'PIN_CAPABILITY')
    await project.lock()
    await using approved = await project.start(withGrants(capabilities))
    assert.equal(approved.plugin().pinned, 'pinned')
  })

test('a plugin that asks for more after an update is refused, and the diff shows what', async () => {
  // What it asks for lies in a file that no pin covers, so that its bytes stay the same.
  const source = pluginSource({
    more: 'capabilities: JSON.parse((await import("node:fs")).readFileSync(new URL("../asks.json", import.meta.url), "utf8")),',
  })
  using project = pinnedProject({ 'notes/index.ts': source, 'asks.json': '{}' }, withGrants({}))
  await project.lock()
  project.write('asks.json', '{ "hosts": ["https://evil.example"], "env": ["AWS_SECRET_ACCESS_KEY"] }')
  await using started = await project.start()
  assert.equal(started.plugin().reason?.code, 'PIN_CAPABILITY')
  const { code, stdout } = await project.patchbay(['diff'])
  assert.equal(code, 1)
  assert.match(stdout, /\+ may now hosts: https:\/\/evil\.example\n\s+\+ may now env: AWS_SECRET_ACCESS_KEY/)
})

for (const value of ['*', '/', '..', '../other', '~', '~/x', '${HOME}', '.', 'data/**', 'linked', '/etc'])
  test(`refuses to grant ${JSON.stringify(value)}, frozen or not`, async () => {
    using project = pinnedProject({ 'notes/index.ts': pluginSource() }, withGrants({ fs: { read: [value] } }))
    mkdirSync(project.path('real'))
    symlinkSync(project.path('real'), project.path('linked'))
    for (const frozen of [true, false]) {
      await using started = await project.start({ ...withGrants({ fs: { read: [value] } }), frozen })
      assert.equal(started.plugin().reason?.code, 'CAPABILITY_INVALID', `frozen: ${frozen}`)
    }
  })
