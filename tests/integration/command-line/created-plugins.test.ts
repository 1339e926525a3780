import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { stateOf } from '../../fixtures/projects/folder-state.ts'
import { pinnedProject } from '../../fixtures/projects/pinned-project.ts'

const root = join(import.meta.dirname, '../../..')
const pets = (server: string) => `openapi: 3.1.0
info: { title: Pets, version: '1' }
servers: [{ url: '${server}' }]
paths:
  /pets:
    get: { operationId: listPets, summary: Lists the pets, responses: { '200': { description: ok } } }
`

/** A project that has the package for descriptions, as npm would have installed it. */
function petProject(server = 'https://pets.example/v1/') {
  const project = pinnedProject({ 'package.json': '{ "private": true }', 'api.yaml': pets(server) }, { pluginDirs: [] })
  mkdirSync(project.path('node_modules/@mcp-patchbay'), { recursive: true })
  symlinkSync(join(root, 'plugins/openapi'), project.path('node_modules/@mcp-patchbay/plugin-openapi'))
  return project
}

describe('create-plugin', { concurrency: 2 }, () => {
  test('--openapi copies the description, and its tools are pinned and served', async () => {
    using project = petProject()
    const { code, stdout, stderr } = await project.patchbay(['create-plugin', 'pets', '--openapi', 'api.yaml', '--yes'])
    assert.equal(code, 0, stderr)
    assert.match(stderr, /API, where its credential goes: https:\/\/pets\.example\/v1\n[^]*list_pets +read/)
    assert.match(stdout, /^Wrote openapi\/pets\.yaml\nAdded pets /)
    assert.equal(readFileSync(project.path('openapi/pets.yaml'), 'utf8'), pets('https://pets.example/v1/'))
    const config = JSON.parse(readFileSync(project.path('mcp.config.json'), 'utf8')) as { plugins: unknown }
    assert.deepEqual(config.plugins, [
      { use: 'openapi:./openapi/pets.yaml', as: 'pets', config: { apiUrl: 'https://pets.example/v1' } },
    ])
    const { stdout: list } = await project.patchbay(['list', '--json'])
    assert.match(list, /"name": "pets_list_pets",[^}]*"visible": true/)
    assert.equal((await project.patchbay(['diff'])).stdout, 'Everything is what mcp.lock.json says\n')
  })

  test('add openapi: shows operations, access and size, and writes an entry for the file where it is', async () => {
    using project = petProject()
    const args = ['add', 'openapi:./api.yaml', '--as', 'pets', '--allow', 'GET *']
    const asked = await project.patchbay(args)
    assert.equal(asked.code, 1)
    assert.match(
      asked.stderr,
      /1 tool: 1 read, 0 write, 0 delete or destroy; about \d+ tokens[^]*list_pets +read +\d+ +GET \/pets/,
    )
    assert.ok(!existsSync(project.path('mcp.lock.json')))
    const { code, stdout, stderr } = await project.patchbay([...args, '--yes', '--json'])
    assert.equal(code, 0, stderr)
    const entry = {
      use: 'openapi:./api.yaml',
      as: 'pets',
      operations: { allow: ['GET *'] },
      config: { apiUrl: 'https://pets.example/v1' },
    }
    const added = JSON.parse(stdout) as { entry: unknown; operations: { tokens: number }; leftOut: unknown }
    assert.deepEqual([added.entry, added.leftOut], [entry, []])
    assert.ok(added.operations.tokens > 0)
    const config = JSON.parse(readFileSync(project.path('mcp.config.json'), 'utf8')) as { plugins: unknown }
    assert.deepEqual(config.plugins, [entry])
    for (const [wrong, says] of [
      // Its title.
      [['add', 'openapi:./api.yaml', '--yes'], /The config already uses the name "pets"/],
      [['add', 'openapi:./package.json', '--as', 'x', '--yes'], /it is not an OpenAPI description/],
      [['add', './x', '--allow', 'GET *'], /--allow is for OpenAPI descriptions/],
      [['add', 'openapi:./api.yaml', '--as', 'x', '--env', 'A'], /--env is for MCP servers/],
    ] as const) {
      const refused = await project.patchbay(wrong)
      assert.notEqual(refused.code, 0)
      assert.match(refused.stderr, says)
    }
  })

  test('leaves everything as it was where it does not know the address, has no yes, or cannot read the file', async () => {
    using project = petProject('/v1')
    await project.patchbay(['list']) // makes .patchbay
    const before = stateOf(project.root)
    for (const [args, says] of [
      [['--openapi', 'api.yaml', '--yes'], /where the API is\. Add --api-url/],
      [['--openapi', 'api.yaml', '--api-url', 'https://pets.example'], /there is no terminal to ask on/],
      [['--openapi', 'absent.yaml', '--yes'], /absent\.yaml/],
    ] as const) {
      const { code, stderr } = await project.patchbay(['create-plugin', 'pets', ...args])
      assert.equal(code, 1, stderr)
      assert.match(stderr, says)
      assert.deepEqual(stateOf(project.root), before)
    }
  })

  test('--mcp adds an MCP server under this name', async () => {
    using project = pinnedProject({ 'package.json': '{ "private": true }' }, { pluginDirs: [] })
    const server = join(root, 'tests/fixtures/servers/legacy-server.mjs')
    const { code, stdout, stderr } = await project.patchbay([
      'create-plugin',
      'legacy',
      '--mcp',
      'mcp:exec',
      '--yes',
      '--',
      process.execPath,
      server,
    ])
    assert.equal(code, 0, stderr)
    assert.match(stdout, /^Added legacy \(mcp:exec\)/)
    assert.ok(existsSync(project.path('mcp.lock.json')))
  })

  test('refuses options that mean nothing to what it makes', async () => {
    using project = pinnedProject({}, { pluginDirs: ['./plugins'] })
    for (const args of [['--api-url', 'https://x.example'], ['word']])
      assert.equal((await project.patchbay(['create-plugin', 'pets', ...args])).code, 2, args.join(' '))
  })
})
