/**
 * The packages as npm would publish them, installed by a stranger into an empty folder: on Node 26, and on Node 24.
 * `npm run test:packages`.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { globSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { blocksOf } from '../fixtures/markdown-blocks.ts'
import { packedRegistry, publishedWorkspaces, type PackedPackage } from '../fixtures/projects/packed-registry.ts'

const root = join(import.meta.dirname, '../..')
const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'patchbay-stranger-'))
after(() => rmSync(folder, { recursive: true }))
const registry = await packedRegistry(publishedWorkspaces())
after(() => registry.close())

const LIMITS = { bytes: 25e6, packages: 25 }
const NODE_24 = '24.22.3'

describe('every package', () => {
  for (const [name, { manifest, files }] of registry.packages) {
    test(`${name} has a README, a licence and what its exports name, and no more than it needs`, () => {
      for (const file of ['README.md', 'LICENSE', 'package.json', ...targets(manifest)]) assert.ok(files.includes(file), file)
      assert.deepEqual(
        files.filter(
          (file) =>
            /\.map$|\.tsbuildinfo$|(?:^|\/)tests?\/|\.test\.|(?:^|\/)src\/|^tsconfig/.test(file) &&
            !file.startsWith('templates/'),
        ),
        [],
      )
    })

    test(`${name} is published for everybody, with provenance, for the Node versions we support`, () => {
      const { publishConfig, license, engines, version } = manifest
      assert.deepEqual(
        { publishConfig, license, engines, version },
        {
          publishConfig: { access: 'public', provenance: true },
          license: 'MIT',
          engines: { node: '^24.15.0 || >=26.0.0' },
          version: registry.packages.get('mcp-patchbay')?.manifest['version'],
        },
      )
    })
  }

  test('npm would publish each as it is: a dry run corrects nothing and warns of nothing', async () => {
    // A registry that has none of them yet.
    const server = createServer((_, res) => res.writeHead(404).end('{}')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    after(() => server.close())
    for (const [name, { bytes, manifest }] of registry.packages) {
      const file = join(folder, 'to-publish.tgz')
      writeFileSync(file, bytes)
      const options = ['--dry-run', '--json', `--registry=http://127.0.0.1:${port}/`, '--tag', 'latest', '--provenance=false']
      const { stdout, stderr } = await run('npm', ['publish', ...options, file])
      assert.doesNotMatch(stderr, /auto-corrected|npm warn (?!This command requires)/i, name)
      const told = JSON.parse(stdout) as Readonly<Record<string, unknown>>
      // npm 11 tells of each package by its name.
      assert.partialDeepStrictEqual(told[name] ?? told, { name, version: manifest['version'] })
    }
  })

  test('the host has its pages beside its code, and the licences of what is inside', () => {
    const { files } = registry.packages.get('mcp-patchbay') ?? assert.fail()
    for (const file of ['docs/errors.md', 'docs/setup.md', 'bundle/licenses.txt', 'bundle/build.txt'])
      assert.ok(files.includes(file), file)
    // It has the times of files on the machine that packed it.
    assert.ok(!files.includes('bundle/made-of.json'))
  })
})

for (const version of ['26', NODE_24]) {
  describe(`a stranger with Node ${version}`, async () => {
    const at = join(folder, `node-${version}`)
    mkdirSync(at, { recursive: true })
    const node = version === '26' ? dirname(process.execPath) : await nodeOf(version)
    const env = {
      ...process.env,
      npm_config_registry: registry.origin,
      npm_config_prefer_offline: 'true',
      npm_config_prefix: join(at, 'global'),
      npm_config_audit: 'false',
      npm_config_fund: 'false',
      NODE_ENV: '',
      NODE_TEST_CONTEXT: undefined,
      PATH: [
        node,
        join(at, 'global/bin'),
        ...(process.env['PATH'] ?? '').split(':').filter((part) => !part.includes('node_modules')),
      ].join(':'),
    }
    const shell = async (line: string, cwd: string) => (await run('sh', ['-c', line], { cwd, env })).stdout
    const project = join(at, 'project')
    mkdirSync(project)

    test('installs at most 25 MB in 25 packages, and none runs a script', async () => {
      writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
      await shell('npm install mcp-patchbay @mcp-patchbay/plugin-api', project)
      assert.match(await shell('node --version', project), new RegExp(`^v${version}`))
      const installed = Object.entries(
        (JSON.parse(readFileSync(join(project, 'node_modules/.package-lock.json'), 'utf8')) as Lock).packages,
      )
      const bytes = diskUse(join(project, 'node_modules'))
      console.log(`${(bytes / 1e6).toFixed(1)} MB in ${installed.length} packages`)
      assert.ok(bytes <= LIMITS.bytes, `${bytes} bytes`)
      assert.ok(installed.length <= LIMITS.packages, `${installed.length} packages`)
      assert.deepEqual(
        installed.filter(([, { hasInstallScript }]) => hasInstallScript),
        [],
      )
    })

    test('has two commands, and the plugin of the README answers, also in a process of its own', async () => {
      const blocks = blocksOf(join(root, 'README.md')).map(({ text }) => text)
      const [, plugin = ''] =
        /(\/\/ plugins\/greeter\/index\.ts\n[^]*)/.exec(blocks.find((text) => text.startsWith('// plugins/greeter')) ?? '') ?? []
      mkdirSync(join(project, 'plugins/greeter'), { recursive: true })
      writeFileSync(join(project, 'plugins/greeter/index.ts'), plugin)
      writeFileSync(join(project, 'mcp.config.ts'), blocks.find((text) => text.startsWith('// mcp.config.ts')) ?? '')
      const call = blocks.find((text) => text.startsWith('npx mcp-patchbay call greeter')) ?? assert.fail()
      assert.equal(await shell(call, project), '**Hello, Ada!**\n')
      assert.equal(await shell(call.replace('mcp-patchbay', 'patchbay'), project), '**Hello, Ada!**\n')
      const isolated = { plugins: [{ use: './plugins/greeter', isolation: 'process' }] }
      writeFileSync(join(project, 'isolated.json'), JSON.stringify(isolated))
      assert.equal(await shell(`${call.trim()} --config isolated.json`, project), '**Hello, Ada!**\n')
    })

    test('says which build it is, and the command of the page computes the same from the installed files', async () => {
      const { version, build } = JSON.parse(await shell('npx mcp-patchbay --version --json', project)) as Record<string, string>
      assert.equal(version, registry.packages.get('mcp-patchbay')?.manifest['version'])
      assert.match(build ?? '', /^[0-9a-f]{16}$/)
      const blocks = blocksOf(join(root, 'docs/advanced/metrics.md')).map(({ text }) => text)
      const command = blocks.find((text) => text.includes('sha256sum')) ?? assert.fail('the page has the command')
      assert.equal((await shell(command, project)).trim(), build)
    })

    test('imports the host in a program of its own, and TypeScript knows its types without a library that is not installed', async () => {
      const program = `
        import { createHost, silentLogger, type Host } from 'mcp-patchbay'
        import greeter from './plugins/greeter/index.ts'
        await using host: Host = await createHost({ plugins: [{ use: greeter }] }, { log: silentLogger })
        host.on('generation', ({ generation }) => generation.toFixed())
        console.log(JSON.stringify(await host.call('greeter_people_greet', { name: 'Ada' })))`
      writeFileSync(join(project, 'program.ts'), program)
      assert.match(await shell('node program.ts', project), /\*\*Hello, Ada!\*\*/)
      const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
        devDependencies: Record<string, string>
      }
      await shell(
        `npm install --no-save typescript@${devDependencies['typescript']} @types/node@${devDependencies['@types/node']}`,
        project,
      )
      const strict = '--noEmit --strict --module nodenext --target esnext --allowImportingTsExtensions --types node'
      await shell(`npx tsc --ignoreConfig ${strict} program.ts mcp.config.ts`, project)
    })

    test('installs the command for the whole machine, and it serves a project', async () => {
      await shell('npm install --global mcp-patchbay', at)
      for (const command of ['mcp-patchbay', 'patchbay'])
        assert.equal(await shell(`${command} call greeter_people_greet name=Ada`, project), '**Hello, Ada!**\n')
    })

    test('is told what a cache in Redis needs, and a command for the whole machine finds it in the project', async () => {
      writeFileSync(join(project, 'redis.json'), JSON.stringify({ cache: { store: 'redis://127.0.0.1:1' } }))
      const output = () => shell('mcp-patchbay cache stats --config redis.json 2>&1 || true', project)
      const [install = ''] = /npm install --save-exact redis@[\d.]+/.exec(await output()) ?? []
      await shell(install, project)
      assert.match(await output(), /redis:\/\/127\.0\.0\.1:1\/? cannot be reached/)
    })
  })
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly hasInstallScript?: boolean }>>
}

/** Paths in a package that its exports and bins name, for those who install it. */
function targets({ exports, bin }: PackedPackage['manifest']): readonly string[] {
  const found: string[] = []
  const visit = (value: unknown, key = ''): void => {
    if (key === '@mcp-patchbay/source') return
    if (typeof value === 'string') found.push(value.replace(/^\.\//, ''))
    else for (const [name, inner] of Object.entries(Object(value))) visit(inner, name)
  }
  visit(exports)
  visit(bin)
  return found
}

/** As `du` counts: whole blocks. */
function diskUse(path: string): number {
  return globSync('**', { cwd: path, withFileTypes: true }).reduce((sum, entry) => {
    const { blocks, size } = lstatSync(join(entry.parentPath, entry.name))
    return sum + (blocks === undefined ? size : blocks * 512)
  }, 0)
}

/** The folder of that version's node, from npm. */
async function nodeOf(version: string): Promise<string> {
  const into = join(folder, `has-node-${version}`)
  mkdirSync(into)
  const name = `node-${process.platform}-${process.arch}`
  const args = ['install', '--prefix', into, '--no-audit', '--no-fund', '--prefer-offline', `${name}@${version}`]
  await run('npm', args)
  const bin = join(into, 'node_modules', name, 'bin')
  assert.ok(readdirSync(bin).includes('node'))
  return bin
}
