import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Contender } from './contenders.ts'
import type { Edited } from './project.ts'

/** A contender at work in a folder of its own. */
export interface Running extends AsyncDisposable {
  readonly edited: Edited
  connect(): Promise<McpClient>
}

export interface McpClient {
  readonly sdk: Client
  readonly sessionId: string | undefined
  close(): Promise<void>
}

/** Starts a contender and waits until it lists its tools. Throws with what it printed when it does not. */
export async function start(contender: Contender): Promise<Running> {
  const folder = realpathSync.native(mkdtempSync(join(tmpdir(), 'bench-reload-')))
  const port = await freePort()
  const { args, env, edited } = contender.prepare(folder, port)
  // A process group of its own: most contenders start more processes, and all have to go.
  const child = spawn(process.execPath, args, {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, NODE_ENV: 'development', NO_COLOR: '1', ...env },
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (printed = (printed + text).slice(-2_000)))
  const url = new URL(`http://127.0.0.1:${port}${contender.path ?? '/mcp'}`)
  const running: Running = {
    edited,
    connect: () => connect(url, contender.transport ?? 'http'),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
        const exited = once(child, 'exit')
        process.kill(-child.pid, 'SIGKILL')
        await exited
      }
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
  const deadline = performance.now() + 60_000
  for (;;) {
    try {
      const client = await running.connect()
      const { tools } = await client.sdk.listTools()
      await client.close()
      if (tools.length > 0) return running
      throw new Error('it lists no tools')
    } catch (error) {
      if (performance.now() > deadline) {
        await running[Symbol.asyncDispose]()
        throw new Error(`${contender.name} did not come up: ${printed}`, { cause: error })
      }
      await setTimeout(100)
    }
  }
}

async function connect(url: URL, kind: 'http' | 'sse'): Promise<McpClient> {
  const sdk = new Client({ name: 'bench', version: '1' })
  // The one that is cut off asks its caller, not itself, what to do next.
  const transport =
    kind === 'sse'
      ? new SSEClientTransport(url)
      : new StreamableHTTPClientTransport(url, {
          reconnectionOptions: {
            maxRetries: 0,
            initialReconnectionDelay: 1,
            maxReconnectionDelay: 1,
            reconnectionDelayGrowFactor: 1,
          },
        })
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK has no other way
  sdk.onerror = () => {}
  await sdk.connect(transport, { timeout: 5_000 })
  return {
    sdk,
    sessionId: 'sessionId' in transport ? transport.sessionId : undefined,
    close: () => sdk.close().catch(() => {}),
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return address.port
}
