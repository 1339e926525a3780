import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, chownSync, cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { packedRegistry } from '../../tests/fixtures/projects/packed-registry.ts'
import { blocksOf } from '../../tests/fixtures/markdown-blocks.ts'
import { imageStore, runInteractive, startContainer, type Container, type Image } from './image.ts'
import { deployedProject, type DeployedProject } from './project.ts'
import { cannotRunImages } from './tools.ts'

const root = join(import.meta.dirname, '../..')
/** Nothing in the image knows it. */
const UID = 12_345

describe('the image of a project', { skip: cannotRunImages() }, () => {
  const secrets = mkdtempSync(join(tmpdir(), 'patchbay-secrets-'))
  using disposed = new DisposableStack()
  const stack = disposed.move()
  let project: DeployedProject
  let image: Image
  let store: ReturnType<typeof imageStore>
  let origin: string
  let container: Container

  before(async () => {
    stack.defer(() => rmSync(secrets, { recursive: true }))
    const registry = await packedRegistry()
    stack.defer(() => registry.close())
    origin = registry.origin
    store = stack.use(imageStore())
    project = stack.use(
      await deployedProject(async (folder) => {
        const options = ['--package-lock-only', '--no-audit', '--no-fund', '--silent', '--prefer-offline']
        // The registry is in this process: it must not be blocked.
        await promisify(execFile)('npm', ['install', ...options, `--registry=${registry.origin}`], { cwd: folder })
        symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
      }),
    )
    const dockerfile = join(root, 'deploy/Dockerfile')
    image = await store.build({ context: project.folder, dockerfile, registry: registry.origin })
    writeFileSync(join(secrets, 'greeting'), 'Servus\n')
    chmodSync(secrets, 0o755)
    const keys = mkdtempSync(join(tmpdir(), 'patchbay-mounted-keys-'))
    stack.defer(() => rmSync(keys, { recursive: true }))
    chmodSync(keys, 0o755)
    cpSync(join(project.folder, 'keys'), keys, { recursive: true })
    chownSync(join(keys, 'mcp.keys.json'), UID, UID)
    container = await startContainer(image, {
      uid: UID,
      env: { MCP_DEPLOYMENT: 'production', HELLO_GREETING_FILE: '/run/secrets/greeting' },
      volumes: { '/run/secrets': secrets, '/srv/mcp/keys': keys },
    })
  })
  after(async () => {
    await container?.[Symbol.asyncDispose]()
    stack.dispose()
  })

  /** What the tool answers to a call from inside. */
  const greeting = async (): Promise<string> => {
    const body = {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: {
        name: 'hello_people_greet',
        arguments: { name: 'Ada' },
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientInfo': { name: 'inside', version: '1' },
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    }
    const headers = {
      authorization: `Bearer ${project.key}`,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'hello_people_greet',
    }
    const request = JSON.stringify({ method: 'POST', headers, body: JSON.stringify(body) })
    return container.exec(
      'node',
      '-e',
      `fetch('http://127.0.0.1:3000/mcp', ${request}).then(async (r) => console.log(await r.text()))`,
    )
  }
  const health = () => container.exec(...image.config.Healthcheck.Test.slice(1))

  test('runs without root, and says which ports and which signal are its own', () => {
    const { User, StopSignal, ExposedPorts, Healthcheck } = image.config
    assert.deepEqual(
      { User, StopSignal, ports: Object.keys(ExposedPorts), how: Healthcheck.Test[0] },
      { User: '10001:10001', StopSignal: 'SIGTERM', ports: ['3000/tcp', '3001/tcp'], how: 'CMD' },
    )
  })

  test('holds no keys, no environment file and no state of the machine that built it', async () => {
    const listed = await container.exec('sh', '-c', 'ls -A . && ls keys && ls node_modules/mcp-patchbay')
    assert.doesNotMatch(listed, /^(\.env|\.patchbay|secrets|src)$/m)
    assert.match(listed, /^mcp\.lock\.json$/m)
  })

  test('runs with any uid on a root that it cannot write', async () => {
    assert.equal((await container.exec('id', '-u')).trim(), String(UID))
    await assert.rejects(container.exec('touch', '/srv/mcp/x'), /Read-only file system/)
  })

  test('is healthy by its own HEALTHCHECK', async () => {
    await health()
  })

  test('reads a secret from a file, and again on SIGHUP', async () => {
    assert.match(await greeting(), /\*\*Servus, Ada!\*\*/)
    writeFileSync(join(secrets, 'greeting'), 'Moin\n')
    container.kill('SIGHUP')
    await container.logged('plugin_reloaded')
    assert.match(await greeting(), /\*\*Moin, Ada!\*\*/)
  })

  test('on SIGTERM serves while it leaves, and ends with 0', async () => {
    container.kill('SIGTERM')
    await container.logged('leaving')
    assert.match(await greeting(), /\*\*Moin, Ada!\*\*/)
    assert.equal(await container.exited, 0)
    await assert.rejects(health())
  })

  test('is made of a new project by the commands of the README, and serves on stdin and stdout', async () => {
    const lines = blocksOf(join(root, 'README.md')).flatMap(({ text }) => text.trim().split('\n'))
    const [built = '', started = ''] = lines.filter((line) => line.startsWith('docker '))
    assert.equal(built, 'docker build --tag my-server .')
    const [, args = ''] = /^docker run --rm --interactive my-server (.+)$/.exec(started) ?? []
    const folder = mkdtempSync(join(tmpdir(), 'patchbay-new-'))
    stack.defer(() => rmSync(folder, { recursive: true }))
    const shell = (line: string) =>
      promisify(execFile)('sh', ['-c', line], {
        cwd: folder,
        env: { ...process.env, npm_config_registry: origin, npm_config_yes: 'true' },
      })
    await shell('npx mcp-patchbay init . && npm install --no-audit --no-fund && npx mcp-patchbay lock')
    const made = await store.build({
      context: folder,
      dockerfile: join(folder, 'Dockerfile'),
      registry: origin,
      tag: 'new',
      ignoreFile: join(folder, '.dockerignore'),
    })
    const clientInfo = { name: 'readme', version: '1' }
    const messages = [
      { id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo } },
      { method: 'notifications/initialized' },
      { id: 2, method: 'tools/call', params: { name: 'hello_people_greet', arguments: { name: 'Ada' } } },
    ]
    const input = messages.map((message) => `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`).join('')
    assert.match(await runInteractive(made, args.split(' '), input), /\*\*Hello, Ada!\*\*/)
  })
})
