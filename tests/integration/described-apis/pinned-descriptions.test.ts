import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { HostConfig } from '../../../host/src/config/schema/schema.ts'
import { createHost } from '../../../host/src/host.ts'
import { formatDiff } from '../../../host/src/pin/difference/format-diff.ts'
import { openProject } from '../../../host/src/project/open-project.ts'
import { approve } from '../../../host/src/project/project-pins.ts'
import { describedProject } from '../../fixtures/projects/described-project.ts'

const pets = `openapi: 3.1.0
info: { title: Pets, version: '1' }
paths:
  /pets:
    get: { operationId: listPets, summary: Lists the pets, responses: { '200': { description: ok } } }
    post: { operationId: addPet, summary: Adds a pet, responses: { '200': { description: ok } } }
`
const entry = { use: 'openapi:./pets.yaml', as: 'pets', config: { apiUrl: 'https://pets.example/v1' } }
const config: HostConfig = { plugins: [entry], deployments: { production: { frozen: true } } }
const project = () => describedProject({ 'pets.yaml': pets, 'other.yaml': pets }, config)

describe('the description of an API in the lock', { concurrency: 2 }, () => {
  test('a changed byte of it refuses the plugin of a frozen host, until it is approved', async () => {
    using folder = project()
    await folder.lock()
    const lock = JSON.parse(readFileSync(folder.path('mcp.lock.json'), 'utf8')) as {
      deployments: { default: { plugins: { pets: { document: { from: string; digest: string } } } } }
    }
    const { document } = lock.deployments.default.plugins.pets
    assert.equal(document.from, 'pets.yaml')
    assert.match(document.digest, /^sha256-[0-9a-f]{64}$/)
    {
      await using started = await folder.start({ ...config, frozen: true })
      assert.deepEqual([started.plugin().state, started.plugin().pinned], ['active', 'pinned'])
    }
    // A comment: no tool is another.
    writeFileSync(folder.path('pets.yaml'), `${pets}# reviewed\n`)
    {
      await using started = await folder.start({ ...config, frozen: true })
      const { state, pinned, reason } = started.plugin()
      assert.deepEqual([state, pinned, reason?.code], ['failed', 'changed', 'PIN_DOCUMENT'])
      assert.match(reason?.message ?? '', /Plugin "pets".*pets\.yaml is sha256-[0-9a-f]{64}, the lock says sha256-/)
      assert.ok(reason?.fix.some((step) => step.includes('npx mcp-patchbay approve pets')))
      assert.deepEqual(started.tools(), [])
    }
    const approved = await approve(await openProject({ config: folder.path('mcp.config.json') }), 'pets')
    assert.match(
      formatDiff('pets', approved?.differences ?? []),
      /^pets\n {2}~ document: pets\.yaml sha256-\S+ -> pets\.yaml sha256-\S+\n$/,
    )
    await using started = await folder.start({ ...config, frozen: true })
    assert.equal(started.plugin().pinned, 'pinned')
  })

  test('a description that does not exist is an error of the path in the entry or the variable, and not of the plugin', async () => {
    using folder = project()
    const of = async (use: string, env: Readonly<Record<string, string>> = {}) => {
      const plugins = [{ ...entry, use }]
      await using host = await createHost({ plugins }, { file: folder.path('mcp.config.json'), env, patienceMs: Infinity })
      const reason = host.list().plugins[0]?.reason
      return [reason?.code, reason?.message.replace(folder.path('.'), ''), reason?.fix[0]?.slice(0, 43)]
    }
    const said = (problem: string) => `Plugin "pets" has no OpenAPI description: ${problem}`
    const inEntry = `Fix the path in the entry "pets": use: 'opena`.slice(0, 43)
    assert.deepEqual(await of('openapi:./nope.yaml'), ['PLUGIN_DOCUMENT', said('/nope.yaml does not exist'), inEntry])
    assert.deepEqual(await of('openapi:./node_modules'), ['PLUGIN_DOCUMENT', said('/node_modules is not a file'), inEntry])
    assert.deepEqual(await of('openapi:./pets.yaml', { PETS_DOCUMENT: folder.path('gone.yaml') }), [
      'PLUGIN_DOCUMENT',
      said('/gone.yaml does not exist'),
      'Fix the path in the variable that names it:',
    ])
  })

  test('another file, or none, is not what was approved, whoever names it', async () => {
    using folder = project()
    await folder.lock()
    {
      await using started = await folder.start({ ...config, frozen: true, plugins: [{ ...entry, use: 'openapi:./other.yaml' }] })
      assert.equal(started.plugin().reason?.code, 'PIN_CAPABILITY')
    }
    // A variable wins over the entry. Both files may be read.
    const both = { ...entry, capabilities: { fs: { read: ['other.yaml'] } } }
    writeFileSync(folder.path('mcp.config.json'), JSON.stringify({ ...config, pluginDirs: [], plugins: [both] }))
    await folder.lock()
    const frozen = { ...config, pluginDirs: [], plugins: [both], frozen: true }
    const env = { PETS_DOCUMENT: folder.path('other.yaml') }
    await using host = await createHost(frozen, { file: folder.path('mcp.config.json'), env, patienceMs: Infinity })
    const [plugin] = host.list().plugins
    assert.equal(plugin?.reason?.code, 'PIN_DOCUMENT')
    assert.match(plugin.reason.message, /reads other\.yaml, the lock says pets\.yaml/)
  })

  test('not frozen, the list says how it stands to the lock, and an edit serves', async () => {
    using folder = project()
    await folder.lock()
    {
      await using started = await folder.start(config)
      assert.equal(started.host.list().plugins[0]?.pinned, 'pinned')
    }
    writeFileSync(folder.path('pets.yaml'), pets.replace('Lists the pets', 'Lists all pets'))
    await using started = await folder.start(config)
    const [listed] = started.host.list().plugins
    assert.deepEqual([listed?.pinned, listed?.state, listed?.reason], ['changed', 'active', null])
    assert.deepEqual(started.tools(), ['pets_list_pets', 'pets_add_pet'])
  })
})
