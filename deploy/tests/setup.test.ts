/**
 * "Standard set-up in five minutes" of docs/setup.md, command by command as printed, by a person who has a copy of the repository and our
 * packages from npm. No Docker runs here. `docker compose up` is mapped: what compose.yaml says of the service `patchbay` is built by
 * buildah and run as deploy/tests/image.ts does, with the user, environment, volumes and read-only root that stand there; for the service
 * `redis` runs this machine's redis-server beside it; `--wait` is the HEALTHCHECK of the image; and lines with curl run where
 * localhost has the container's ports. `claude mcp add` is not run: its address and header are used by the SDK's client.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { blocksIn } from '../../tests/fixtures/markdown-blocks.ts'
import { packedRegistry } from '../../tests/fixtures/projects/packed-registry.ts'
import { imageStore, startContainer, type Container } from './image.ts'
import { cannotRunImages, missing } from './tools.ts'

const root = join(import.meta.dirname, '../..')
const page = join(root, 'docs/setup.md')
const run = promisify(execFile)

/** What the test reads of a service; compose.yaml may say no more than is known here, or the test would not map it. */
interface Service {
  readonly build?: { readonly context: string; readonly dockerfile: string }
  readonly image?: string
  readonly command?: readonly string[]
  readonly user: string
  readonly environment?: Readonly<Record<string, string>>
  readonly volumes?: readonly string[]
  readonly ports?: readonly string[]
}
const KNOWN = new Set(
  `build image command user environment env_file ports volumes read_only tmpfs cap_drop security_opt mem_limit pids_limit
  stop_grace_period restart depends_on`.split(/\s+/),
)

describe('the standard set-up of the page', { skip: cannotRunImages() || missing('redis-server', 'curl') }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-setup-'))
  const project = join(folder, 'my-mcp')
  using disposed = new DisposableStack()
  const stack = disposed.move()
  const section = blocksIn(page, '## Standard set-up in five minutes').map(({ text }) => text)
  const commands = (start: string): string => section.find((text) => text.startsWith(start)) ?? assert.fail(`no block ${start}`)
  let env: Record<string, string>
  let container: Container | undefined

  before(async () => {
    stack.defer(() => rmSync(folder, { recursive: true }))
    const registry = await packedRegistry()
    stack.defer(() => registry.close())
    const ofSystem = (process.env['PATH'] ?? '').split(':').filter((part) => !part.includes('node_modules'))
    env = {
      PATH: [dirname(process.execPath), ...ofSystem].join(':'),
      npm_config_registry: registry.origin,
      npm_config_prefer_offline: 'true',
      npm_config_update_notifier: 'false',
      NODE_ENV: '',
    }
    mkdirSync(join(folder, 'copy'))
    cpSync(join(root, 'deploy'), join(folder, 'copy/deploy'), { recursive: true })
    await shell(commands('cp -r'), join(folder, 'copy'))
    const exported = await shell(`${commands('export PATCHBAY_KEY')}\nprintf '%s %s' "$PATCHBAY_KEY" "$PATCHBAY_USER"`, project)
    const [PATCHBAY_KEY = '', PATCHBAY_USER = ''] = exported.split(' ')
    Object.assign(env, { PATCHBAY_KEY, PATCHBAY_USER })

    const [up = ''] = commands('docker compose').split('\n')
    const [, file = '', directory = ''] =
      /^docker compose -f (\S+) --project-directory (\S+) up --build --detach --wait$/.exec(up) ?? assert.fail(up)
    const service = await composeUp(join(project, file), join(project, directory), registry.origin)
    container = service.container
    // --wait
    for (;;)
      if (
        await container.exec(...service.healthcheck).then(
          () => true,
          () => false,
        )
      )
        break
  })
  after(async () => {
    await container?.[Symbol.asyncDispose]()
    stack.dispose()
  })

  const shell = async (line: string, cwd: string): Promise<string> =>
    (await run('sh', ['-ec', line], { cwd, env: { ...process.env, ...env, NODE_TEST_CONTEXT: undefined } })).stdout
  const atHost = (line: string): Promise<string> => (container ?? assert.fail('it runs')).shell(line, { cwd: project, env })

  async function composeUp(file: string, directory: string, registry: string) {
    const text = readFileSync(file, 'utf8').replace(
      /\$\{(\w+):-([^}]*)\}/g,
      (_, name: string, otherwise: string) => env[name] ?? otherwise,
    )
    const { services } = parse(text) as { readonly services: Readonly<Record<string, Service>> }
    for (const service of Object.values(services))
      assert.deepEqual(
        Object.keys(service).filter((key) => !KNOWN.has(key)),
        [],
      )
    const { patchbay, redis } = services
    assert.ok(patchbay?.build && redis?.command)
    const dockerfile = join(directory, patchbay.build.dockerfile)
    const image = await stack.use(imageStore()).build({ context: join(directory, patchbay.build.context), dockerfile, registry })
    const volumes = (patchbay.volumes ?? []).map((volume) => {
      const [source = '', target = '', mode] = volume.split(':')
      assert.equal(mode, 'ro')
      return [target, join(directory, source)]
    })
    const started = await startContainer(image, {
      uid: Number.parseInt(patchbay.user, 10),
      env: patchbay.environment ?? {},
      volumes: Object.fromEntries(volumes),
      beside: redis.command.map((word) => `'${word}'`).join(' '),
      names: ['redis'],
    })
    return { container: started, healthcheck: image.config.Healthcheck.Test.slice(1) }
  }

  test('starts a host that is healthy', async () => {
    assert.match(await atHost(commands('docker compose').split('\n').slice(1).join('\n')), /^\{"status":"ok"/)
  })

  test('answers the first call, and none without the key', async () => {
    assert.match(await atHost(commands('curl')), /\*\*Hello, Ada!\*\*/)
    const without = commands('curl').replace('$PATCHBAY_KEY', 'pbk_me_wrong').replace('curl -s', "curl -s -w '%{http_code}'")
    assert.match(await atHost(without), /401$/)
  })

  test('shares its cache through Redis', async () => {
    const metrics = await atHost('curl -s 127.0.0.1:3001/metrics')
    assert.match(metrics, /^patchbay_cache_store_up 1$/m)
  })

  test('serves a client that has the address and the header of the page', async () => {
    const { mcpServers } = JSON.parse(commands('{')) as {
      mcpServers: { 'my-mcp': { url: string; headers: { Authorization: string } } }
    }
    const { url, headers } = mcpServers['my-mcp']
    const added = `claude mcp add --transport http my-mcp ${url} --header "Authorization: ${headers.Authorization.replace('pbk_me_…', '$PATCHBAY_KEY')}"`
    assert.equal(commands('claude').trim(), added)
    const program = `
      import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
      const client = new Client({ name: 'page', version: '1' })
      const headers = { Authorization: 'Bearer ' + process.env.PATCHBAY_KEY }
      await client.connect(new StreamableHTTPClientTransport(new URL('${url}'), { requestInit: { headers } }))
      console.log((await client.listTools()).tools.map(({ name }) => name).join())
      await client.close()`
    const line = `cd '${root}' && '${process.execPath}' --input-type=module -e "$PROGRAM"`
    const answer = await (container ?? assert.fail()).shell(line, { cwd: project, env: { ...env, PROGRAM: program } })
    assert.equal(answer.trim(), 'hello_people_greet')
  })
})
