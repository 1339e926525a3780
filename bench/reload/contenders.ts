import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { linkPackages, write, writeMcpUse, writePlugin, writeSdkServer, writeXmcp, type Edited } from './project.ts'

/** One way to work on an MCP server and see an edit. */
export interface Contender {
  readonly name: string
  readonly prefix?: string
  /** Where MCP clients of 2025 connect. */
  readonly path?: string
  readonly transport?: 'http' | 'sse'
  /** Does not show an edit to connected clients at all, as measured: wait this long instead. */
  readonly blindMs?: number
  prepare(folder: string, port: number): Prepared
}

export interface Prepared {
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly edited: Edited
}

const peers = join(import.meta.dirname, '../peers')
const modules = join(peers, 'node_modules')
const bin = (path: string) => join(modules, path)

function restarter(name: string, args: readonly string[]): Contender {
  return {
    name,
    prepare(folder, port) {
      linkPackages(folder, modules)
      return { args, env: { PORT: String(port) }, edited: writeSdkServer(folder) }
    },
  }
}

export const contenders: readonly Contender[] = [
  {
    name: 'patchbay dev',
    prefix: 'bench_',
    prepare(folder, port) {
      const edited = writePlugin(folder)
      write(
        folder,
        'mcp.config.json',
        JSON.stringify({ pluginDirs: ['./plugins'], listen: { http: { port }, management: { port: 0 } } }),
      )
      return { args: [join(import.meta.dirname, '../../host/bin/patchbay.mjs'), 'dev'], edited }
    },
  },
  {
    name: 'mcp-use dev',
    prepare(folder, port) {
      linkPackages(folder, modules)
      const args = [
        'dev',
        '--port',
        String(port),
        '--host',
        '127.0.0.1',
        '--path',
        folder,
        '--entry',
        'server.ts',
        '--no-open',
        '--no-inspector',
      ]
      return { args: [bin('mcp-use/dist/bin.js'), ...args], edited: writeMcpUse(folder) }
    },
  },
  restarter('nodemon', [
    bin('nodemon/bin/nodemon.js'),
    '--quiet',
    '--watch',
    '.',
    '--ext',
    'ts,json',
    '--exec',
    process.execPath,
    'server.ts',
  ]),
  restarter('node --watch', ['--watch', '--watch-preserve-output', 'server.ts']),
  restarter('tsx watch', [bin('tsx/dist/cli.mjs'), 'watch', '--clear-screen=false', 'server.ts']),
  {
    name: 'xmcp dev',
    prepare(folder, port) {
      linkPackages(folder, modules)
      return { args: [bin('xmcp/dist/cli.js'), 'dev'], edited: writeXmcp(folder, port) }
    },
  },
  {
    name: 'mcp-hub dev mode',
    prefix: 'svc__',
    transport: 'sse',
    blindMs: 2_500,
    prepare(folder, port) {
      linkPackages(folder, modules)
      const edited = writeSdkServer(folder)
      const dev = { enabled: true, watch: ['**/*.ts'], cwd: folder }
      const svc = { command: process.execPath, args: [join(folder, 'server.ts')], env: { STDIO: '1' }, dev }
      const config = write(folder, 'hub.json', JSON.stringify({ mcpServers: { svc } }))
      // It has no option for the address it listens on.
      const loopback = write(
        folder,
        'loopback.mjs',
        `import { Server } from 'node:net'\nconst { listen } = Server.prototype\nServer.prototype.listen = function (port, ...rest) {\n  return typeof port === 'object' ? listen.call(this, { ...port, host: '127.0.0.1' }, ...rest) : listen.call(this, Number(port), '127.0.0.1', ...rest.filter((one) => typeof one === 'function'))\n}\n`,
      )
      return { args: ['--import', loopback, bin('mcp-hub/dist/cli.js'), '--port', String(port), '--config', config], edited }
    },
  },
]

/** Installs the pinned peers beside this file, without their scripts, unless they are there. */
export function installPeers(): void {
  const wanted = JSON.parse(readFileSync(join(peers, 'package.json'), 'utf8')) as { dependencies: Record<string, string> }
  const isThere = Object.entries(wanted.dependencies).every(([name, version]) => {
    const file = join(modules, name, 'package.json')
    return existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version === version
  })
  if (isThere) return
  console.error('installing the peers …')
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: peers,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}
