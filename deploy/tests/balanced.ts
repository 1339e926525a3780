import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { startPatchbay, type PatchbayProcess } from '../../tests/fixtures/projects/patchbay-process.ts'
import { startRedis, type TestRedis } from '../../tests/fixtures/redis.ts'

const root = join(import.meta.dirname, '../..')
const NAMES = ['A', 'B', 'C'] as const

/** Three hosts of one project, with one Redis, behind the haproxy of deploy/haproxy. */
export interface Balanced {
  /** Of /mcp, at the balancer. */
  readonly url: URL
  readonly hosts: readonly PatchbayProcess[]
  readonly redis: TestRedis
  /** Ends one as a rollout does, and starts another in its place. Gives how it ended. */
  restart(index: number): Promise<number | NodeJS.Signals>
  /** Starts another where one has ended. */
  replace(index: number): Promise<void>
  writeConfig(extra: Readonly<Record<string, unknown>>): void
  /** The plugin `echo`, whose tool says this version. */
  writePlugin(version: number): void
  /** Has one host after the other read its config again. */
  reload(): Promise<void>
}

export async function balanced(t: TestContext, sessions: 'stateful' | 'stateless'): Promise<Balanced> {
  const redis = await startRedis(t)
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-replicas-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'plugins/echo'), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const writeConfig = (extra: Readonly<Record<string, unknown>>): void => {
    const config = {
      pluginDirs: ['./plugins'],
      listen: { http: { port: 3000, sessions: { mode: sessions } }, management: { port: 3001 } },
      cache: { store: redis.url },
      limits: { leaveMs: 1_500 },
      ...extra,
    }
    writeFileSync(join(folder, 'mcp.config.json'), JSON.stringify(config))
  }
  const writePlugin = (version: number): void => writeFileSync(join(folder, 'plugins/echo/index.ts'), pluginOf(version))
  writeConfig({})
  writePlugin(1)

  const ports = await freePorts(7)
  const [listen = 0] = ports
  const args = NAMES.map((_, index) => ['--port', String(ports[index + 1]), '--management-port', String(ports[index + 4])])
  const start = (index: number) => startPatchbay(args[index], { cwd: folder })
  const hosts = await Promise.all(NAMES.map((_, index) => start(index)))
  t.after(() => Promise.all(hosts.map((host) => host[Symbol.asyncDispose]())))
  const replace = async (index: number): Promise<void> => void (hosts[index] = await start(index))

  const places = NAMES.flatMap((name, index) => [
    [name, `127.0.0.1:${ports[index + 1]}`],
    [`${name}_MANAGEMENT`, String(ports[index + 4])],
  ])
  const balancer = spawn('haproxy', ['-db', '-f', join(root, 'deploy/haproxy/haproxy.cfg')], {
    env: { PATH: `${process.env['PATH']}:/usr/sbin`, LISTEN: `127.0.0.1:${listen}`, ...Object.fromEntries(places) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const said = text(balancer.stderr)
  const exited = once(balancer, 'exit')
  t.after(async () => {
    balancer.kill('SIGKILL')
    await exited
  })
  const url = new URL(`http://127.0.0.1:${listen}/mcp`)
  while (!(await fetch(url).catch(() => undefined)))
    if (balancer.exitCode !== null) throw new Error(`haproxy ended with ${balancer.exitCode}: ${await said}`)

  return {
    url,
    hosts,
    redis,
    async restart(index) {
      const code = await hosts[index]?.stop()
      await replace(index)
      return code ?? -1
    },
    replace,
    writeConfig,
    writePlugin,
    async reload() {
      for (const host of hosts) {
        const seen = host.log.length
        host.kill('SIGHUP')
        await host.logged('config_loaded', (line) => host.log.indexOf(line) >= seen)
      }
    },
  }
}

function pluginOf(version: number): string {
  return `
import { setTimeout } from 'node:timers/promises'
import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'

const say = defineTool({
  name: 'text_say',
  description: 'Says a text again, from version ${version}.',
  access: 'read',
  input: Type.Object({ text: Type.String() }),
  run: async ({ text }) => {
    await setTimeout(20)
    return \`${version}:\${text}\`
  },
})
const keep = defineTool({
  name: 'text_keep',
  description: 'Says a text again; replicas share the answer.',
  access: 'read',
  input: Type.Object({ text: Type.String() }),
  cache: { ttlMs: 60_000, scope: 'shared' },
  run: ({ text }) => text,
})
export default definePlugin({
  name: 'echo',
  config: Type.Object({}),
  isAuthConfigured: () => true,
  createClient: () => ({}),
  tools: [say, keep],
})
`
}

/** Below those that the kernel gives to connections: a host that starts again must find its port free. */
async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>()
  while (ports.size < count) {
    const server = createServer().listen(randomInt(15_000, 32_000), '127.0.0.1')
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    )
    if (!isFree) continue
    const address = server.address()
    if (typeof address === 'object' && address !== null) ports.add(address.port)
    server.close()
    await once(server, 'close')
  }
  return [...ports]
}
