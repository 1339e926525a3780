import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import { after, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { blocksOf } from '../fixtures/markdown-blocks.ts'
import { packedRegistry } from '../fixtures/projects/packed-registry.ts'
import { createValidators } from '../../host/src/data/schema/validate.ts'
import type { JsonObject } from '../../host/src/data/json.ts'

const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'new-user-'))
after(() => rmSync(folder, { recursive: true }))
const run = promisify(execFile)

const registry = await packedRegistry(['host', 'plugin-api', 'create', 'plugins/openapi'])
after(() => registry.close())
const env = () => ({
  ...process.env,
  npm_config_registry: registry.origin,
  npm_config_prefer_offline: 'true',
  // What a person answers in a terminal, when npx and npm create ask whether to install: yes.
  npm_config_yes: 'true',
  // Nothing is left of an earlier run.
  npm_config_cache: join(folder, 'npm'),
  NODE_ENV: '',
  NODE_TEST_CONTEXT: undefined,
  TMPDIR: folder,
})
/** A command line as it is printed, in a shell of a machine that has Node and npm. */
const shell = (line: string, cwd: string) => run('sh', ['-c', line], { cwd, env: { ...env(), PATH: path } })
/** Nothing of this repository's node_modules/.bin but Node. */
const path = [
  dirname(process.execPath),
  ...(process.env['PATH'] ?? '').split(':').filter((part) => !part.includes('node_modules')),
].join(':')

const page = (name: string) => blocksOf(join(root, 'docs', name))

/** An OpenAPI description. JSON is YAML too. */
const PETS = JSON.stringify({
  openapi: '3.1.0',
  info: { title: 'Pets', version: '1' },
  servers: [{ url: 'https://pets.example/v1' }],
  paths: { '/pets': { get: { operationId: 'listPets', responses: { '200': { description: 'ok' } } } } },
})

describe('a new user with Node and npm', () => {
  const project = join(folder, 'my-server')

  test('has a project that answers in four commands', async () => {
    const { stdout } = await shell('npx mcp-patchbay init my-server', folder)
    const next = [...stdout.matchAll(/^ {2}(.+)$/gm)].map(([, line]) => line)
    assert.deepEqual(next, [
      'cd my-server',
      'npm install',
      'npm run dev',
      'npx mcp-patchbay call hello_people_greet name=Ada',
      'npm test',
    ])
    await shell('npm install', project)
    assert.equal((await shell('npx mcp-patchbay call hello_people_greet name=Ada', project)).stdout, '**Hello, Ada!**\n')
  })

  test('has the same project by npm create, in the words of the README and of the package', async () => {
    const commands = ['README.md', 'create/README.md'].map((page) => {
      const lines = blocksOf(join(root, page)).flatMap(({ text }) => text.split('\n'))
      return lines.find((line) => line.startsWith('npm create')) ?? assert.fail(page)
    })
    assert.equal(new Set(commands).size, 1)
    const place = join(folder, 'created')
    mkdirSync(place)
    await shell(commands[0] ?? '', place)
    const files = (of: string) =>
      globSync('**/*', {
        cwd: of,
        withFileTypes: true,
        exclude: (entry) => /^node_modules$|^\.patchbay$|-lock\.json$/.test(entry.name),
      })
        .filter((entry) => entry.isFile())
        .map((entry) => [
          relative(of, join(entry.parentPath, entry.name)),
          readFileSync(join(entry.parentPath, entry.name), 'utf8'),
        ])
    assert.deepEqual(files(join(place, 'my-server')), files(project))
    const json = await shell('npm create mcp-patchbay -- --json', join(place, 'my-server')).catch((error: unknown) => error)
    assert.match(String((json as { stderr?: string }).stderr), /^Nothing was written into .*package\.json/m)
    await shell('npm create mcp-patchbay other -- --json', place)
    assert.ok(existsSync(join(place, 'other/mcp.config.ts')))
  })

  test('has tests that pass', async () => {
    const { stdout } = await shell('npm test', project)
    assert.match(stdout, /^. pass [1-9]\d*$/m)
    assert.match(stdout, /^. fail 0$/m)
  })

  test('makes a second plugin, whose test passes and whose tool answers', async () => {
    const { stdout } = await shell('npx mcp-patchbay create-plugin wiki_pages', project)
    const next = [...stdout.matchAll(/^ {2}(.+)$/gm)].map(([, line = '']) => line)
    assert.equal(next.length, 2)
    const [, { stdout: answer }] = [await shell(next[0] ?? '', project), await shell(next[1] ?? '', project)]
    assert.equal(answer, '**Hello, Ada!**\n')
    const { stdout: list } = await shell('npx mcp-patchbay list', project)
    assert.match(list, /^hello .*active[^]*^wiki_pages .*active/m)
    assert.match((await shell('npx mcp-patchbay env wiki_pages', project)).stdout, /^# ?WIKI_PAGES_GREETING=/m)
  })

  test('writes, tests, packs and adds a plugin of TypeScript by what docs/plugins says, block by block', async () => {
    const plugin = join(folder, 'weather')
    const [manifest, tsconfig] = page('plugins/package.md').filter(({ language }) => language === 'json')
    const modules = ['plugins/module.md', 'plugins/testing.md'].flatMap(page).filter(({ language }) => language === 'ts')
    mkdirSync(join(plugin, 'src'), { recursive: true })
    writeFileSync(join(plugin, 'package.json'), manifest?.text ?? '')
    writeFileSync(join(plugin, 'tsconfig.json'), tsconfig?.text ?? '')
    for (const { text } of modules) writeFileSync(join(plugin, /^\/\/ (.+)$/m.exec(text)?.[1] ?? ''), text)
    const [tests, pack, ...others] = page('plugins/testing.md').filter(({ language }) => language === 'sh')
    assert.equal(others.length, 0)
    assert.match((await shell(`set -e\n${tests?.text}`, plugin)).stdout, /^. fail 0$/m)
    const { stdout } = await shell(`set -e\n${pack?.text}`, plugin)
    assert.match(stdout, /^Added weather \(@acme\/mcp-weather 1\.0\.0\) to .*mcp\.config\.json and .*mcp\.lock\.json$/m)
    assert.match(stdout, /^weather +1\.0\.0 +@acme\/mcp-weather +process +unconfigured +pinned +0\/1\n[^]*Set WEATHER_API_KEY/m)
    assert.match(stdout, /^# ?WEATHER_API_URL=/m)
  })

  test('makes a plugin of an OpenAPI description in one command, in a project without the package for it', async () => {
    writeFileSync(join(folder, 'pets.json'), PETS)
    const { stdout } = await shell('npx mcp-patchbay create-plugin pets --openapi ../pets.json --yes', project)
    assert.match(stdout, /^Wrote openapi\/pets\.json\nAdded pets /)
    const { stdout: list } = await shell('npx mcp-patchbay list --tools', project)
    assert.match(list, /^pets_list_pets +read +visible/m)
  })

  test('does what docs/quick-start.md says, command by command', async () => {
    const blocks = blocksOf(join(root, 'docs/quick-start.md')).filter(({ language }) => language === 'sh')
    const [first = [], second = [], third = []] = blocks.map(({ text }) => text.trim().split('\n'))
    assert.equal(blocks.length, 3)
    assert.ok([...first, ...second.slice(-1)].length <= 5, 'five commands to the first call')
    const from = process.hrtime.bigint()
    assert.equal(first.at(-1), 'npm run dev')
    const place = join(folder, 'quick-start')
    mkdirSync(place)
    await shell(['set -e', ...first.slice(0, -1)].join('\n'), place)
    const inProject = join(place, 'my-server')
    const dev = spawn('sh', ['-c', first.at(-1) ?? ''], {
      cwd: inProject,
      env: { ...env(), PATH: path },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // a group of its own: npm and what it starts
    })
    try {
      for await (const line of createInterface(dev.stderr)) if (line.includes('http://127.0.0.1:3000/mcp')) break
      const { stdout } = await shell(['set -e', ...second].join('\n'), inProject)
      assert.match(stdout, /hello_people_greet[^]*\*\*Hello, Ada!\*\*\n$/)
      console.log(`${Number((process.hrtime.bigint() - from) / 1_000_000n) / 1000} s to the first call`)
      writeFileSync(join(inProject, 'petstore.yaml'), PETS)
      // What a person says in a terminal, which there is none of here: yes.
      await shell(['set -e', ...third.map((line) => (/ --/.test(line) ? `${line} --yes` : line))].join('\n'), inProject)
      const { stdout: list } = await shell('npx mcp-patchbay list', inProject)
      for (const name of ['hello', 'wiki', 'pets', 'memory']) assert.match(list, new RegExp(`^${name} .* active `, 'm'))
      assert.match((await shell('npx mcp-patchbay call memory_read_graph', inProject)).stdout, /"entities": \[\]/)
    } finally {
      if (dev.pid !== undefined && dev.exitCode === null) process.kill(-dev.pid, 'SIGTERM')
    }
  })

  test('upgrades, adds an API and looks for faults in the words of the pages, in a project as init makes it', async () => {
    const place = join(folder, 'upgraded')
    await shell('npx mcp-patchbay init upgraded && cd upgraded && npm install && npx mcp-patchbay lock', folder)
    const [upgrade] = page('advanced/upgrade.md').filter(({ language }) => language === 'sh')
    const { stdout } = await shell(`set -e\n${upgrade?.text}`, place)
    assert.match(
      stdout,
      /"build": "[\da-f]{16}"[^]*^Nothing is wrong$[^]*^Everything is what mcp\.lock\.json says$[^]*^. fail 0$/m,
    )
    writeFileSync(join(place, 'petstore.yaml'), PETS)
    const setup = (start: string) =>
      page('setup.md')
        .find(({ text }) => text.startsWith(start))
        ?.text.trim() ?? assert.fail(start)
    // What a person says in a terminal, which there is none of here: yes.
    assert.match((await shell(`${setup('npx mcp-patchbay add openapi:')} --yes`, place)).stdout, /^Added pets /)
    assert.match((await shell(setup('npx mcp-patchbay env'), place)).stdout, /^# HELLO_GREETING=Hello$/m)
    assert.equal((await shell(setup('npx mcp-patchbay doctor'), place)).stdout, 'Nothing is wrong\n')
  })

  test('loses nothing when a command is given twice', async () => {
    await assert.rejects(shell('npx mcp-patchbay init .', project), (error: { code: number; stderr: string }) => {
      assert.match(error.stderr, /^Nothing was written into .*package\.json/)
      return error.code === 1
    })
    await assert.rejects(shell('npx mcp-patchbay create-plugin hello', project), { code: 1 })
    await assert.rejects(shell('npx mcp-patchbay create-plugin my-Wiki', project), /create-plugin my_wiki/)
  })

  test('finds the page of an error on the own machine', async () => {
    await assert.rejects(
      shell('npx mcp-patchbay list --config nothing.ts', project),
      (error: { code: number; stderr: string }) => {
        const [, page = ''] = /^See (.+)#config_not_found$/m.exec(error.stderr) ?? []
        assert.match(readFileSync(page, 'utf8'), /^## CONFIG_NOT_FOUND$/m)
        return error.code === 78
      },
    )
  })

  test('has the schema of the config, which takes a config and refuses a slip', async () => {
    const { stdout } = await shell('npx mcp-patchbay schema', project)
    const faultsOf = createValidators().validator(JSON.parse(stdout) as JsonObject)
    const config = {
      $schema: './mcp.schema.json',
      pluginDirs: ['./plugins'],
      tools: { deny: ['tag:write'] },
      deployments: { production: { readOnly: true } },
    }
    assert.equal(faultsOf(config), undefined)
    assert.match(String(faultsOf({ ...config, readonly: true })), /readonly/)
    rmSync(join(project, 'mcp.config.ts'))
    writeFileSync(join(project, 'mcp.config.json'), JSON.stringify({ $schema: './mcp.schema.json', pluginDirs: ['./plugins'] }))
    assert.match((await shell('npx mcp-patchbay list', project)).stdout, /^hello .*active/m)
  })
})
