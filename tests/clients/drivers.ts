// Each client by its own public interface. What the packages export is typed here as far as it is used: they are not installed where
// this repository is checked.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

/** Where a client connects to. */
export interface Target {
  /** Over Streamable HTTP. */
  readonly http?: URL
  readonly sse?: URL
  readonly stdio?: Command
}

export interface Command {
  readonly command: string
  readonly args: string[]
}

/** A client that is connected. */
export interface RealClient {
  readonly tools: () => Promise<readonly string[]>
  readonly call: (name: string, args: Record<string, unknown>, options?: { readonly signal?: AbortSignal }) => Promise<string>
  readonly close: () => Promise<void>
}

export interface Driver {
  readonly name: string
  readonly over: 'stdio' | 'http' | 'sse'
  readonly connect: (target: Target, onChanged: () => void) => Promise<RealClient>
  /** Tells the server that a call is not wanted any more. */
  readonly cancels: boolean
  /** Hears of changed lists. */
  readonly hears: boolean
  /** The same client goes on after the host was started again. The others have to connect again. */
  readonly survives: boolean
}

const load = (specifier: string): Promise<any> => import(specifier) // oxlint-disable-line typescript/no-explicit-any
const info = { name: 'trial', version: '1' }
const textOf = ({ content = [] }: { content?: readonly { readonly type: string; readonly text?: string }[] }) =>
  content.flatMap((item) => (item.type === 'text' ? [item.text] : [])).join('\n')

/** The official SDK's first major version; `http` where the release has it. */
function sdk1(release: string, over: Driver['over']): Driver {
  const at = `sdk-${release}`
  const hasSignal = release !== '1.0'
  return {
    name: `@modelcontextprotocol/sdk ${release} over ${over}`,
    over,
    cancels: hasSignal,
    hears: true,
    survives: false,
    async connect(target, onChanged) {
      const [{ Client }, types] = await Promise.all([load(`${at}/client/index.js`), load(`${at}/types.js`)])
      const client = new Client(info, { capabilities: {} })
      client.setNotificationHandler(types.ToolListChangedNotificationSchema, onChanged)
      await client.connect(await sdk1Transport(at, over, target))
      return {
        tools: async () => (await client.listTools()).tools.map(({ name }: { name: string }) => name),
        call: async (name, args, options) =>
          textOf(await client.callTool({ name, arguments: args }, undefined, { ...options, timeout: 60_000 })),
        close: () => client.close(),
      }
    },
  }
}

async function sdk1Transport(at: string, over: Driver['over'], { http, sse, stdio }: Target): Promise<unknown> {
  if (over === 'stdio') return new (await load(`${at}/client/stdio.js`)).StdioClientTransport({ ...stdio, ...wholeEnvironment })
  if (over === 'http') return new (await load(`${at}/client/streamableHttp.js`)).StreamableHTTPClientTransport(http)
  // The first releases take the event source of the browser.
  Object.assign(globalThis, { EventSource: (globalThis as { EventSource?: unknown }).EventSource ?? (await eventSource()) })
  return new (await load(`${at}/client/sse.js`)).SSEClientTransport(sse)
}

const eventSource = async (): Promise<unknown> => {
  const found = await load('eventsource')
  return found.EventSource ?? found.default
}

/** The npm of a test has its settings in variables. */
const wholeEnvironment = { env: process.env, stderr: 'ignore' as const }

/** The SDK's second major version. */
function sdk2(mode: 'legacy' | 'auto', over: Driver['over']): Driver {
  return {
    name: `@modelcontextprotocol/client 2.4 (${mode}) over ${over}`,
    over,
    cancels: true,
    hears: true,
    survives: mode === 'auto',
    async connect({ http, sse, stdio }, onChanged) {
      const { Client, StreamableHTTPClientTransport, SSEClientTransport } = await load('@modelcontextprotocol/client')
      const { StdioClientTransport } = await load('@modelcontextprotocol/client/stdio')
      const client = new Client(info, { versionNegotiation: { mode } })
      client.setNotificationHandler('notifications/tools/list_changed', onChanged)
      await client.connect(
        over === 'stdio'
          ? new StdioClientTransport({ ...stdio, ...wholeEnvironment })
          : over === 'http'
            ? new StreamableHTTPClientTransport(http)
            : new SSEClientTransport(sse),
      )
      if (mode === 'auto') await client.listen({ toolsListChanged: true })
      return {
        tools: async () => (await client.listTools()).tools.map(({ name }: { name: string }) => name),
        call: async (name, args, options) =>
          textOf(await client.callTool({ name, arguments: args }, { ...options, timeout: 60_000 })),
        close: () => client.close(),
      }
    },
  }
}

function aiSdk(over: Driver['over']): Driver {
  return {
    name: `@ai-sdk/mcp over ${over}`,
    over,
    cancels: over === 'http',
    hears: false,
    survives: over === 'http',
    async connect({ http, sse, stdio }) {
      const { createMCPClient } = await load('@ai-sdk/mcp')
      const { StdioMCPTransport } = await load('@ai-sdk/mcp/mcp-stdio')
      const client = await createMCPClient({
        transport:
          over === 'stdio'
            ? new StdioMCPTransport({ ...stdio, env: process.env, stderr: 'ignore' })
            : { type: over, url: String(over === 'http' ? http : sse) },
      })
      return {
        tools: async () => (await client.listTools()).tools.map(({ name }: { name: string }) => name),
        call: async (name, args, options) => textOf(await client.callTool({ name, arguments: args, options })),
        close: () => client.close(),
      }
    },
  }
}

/** A proxy that makes a remote server one on stdio, driven by a client on stdio. */
function mcpRemote(strategy: 'http' | 'sse'): Driver {
  const inner = sdk1('1.32', 'stdio')
  return {
    ...inner,
    name: `mcp-remote over ${strategy}`,
    over: strategy,
    survives: true,
    connect({ http, sse }, onChanged) {
      const url = String(strategy === 'http' ? http : sse)
      const args = [join(import.meta.dirname, 'node_modules/mcp-remote/dist/proxy.js'), url, '--allow-http']
      const command = { command: process.execPath, args: [...args, '--transport', `${strategy}-only`] }
      return inner.connect({ stdio: command }, onChanged)
    },
  }
}

function mastra(over: 'stdio' | 'http'): Driver {
  return {
    name: `@mastra/mcp over ${over}`,
    over,
    cancels: true,
    hears: true,
    survives: true,
    async connect({ http, stdio }, onChanged) {
      const { MCPClient } = await load('@mastra/mcp')
      const server = over === 'http' ? { url: http } : { ...stdio, env: process.env, stderr: 'ignore' }
      const client = new MCPClient({ id: `trial ${Math.random()}`, servers: { pb: server }, timeout: 60_000 })
      await client.tools.onListChanged('pb', onChanged)
      type Tool = { execute: (input: unknown, context: unknown) => Promise<Parameters<typeof textOf>[0] | string> }
      const all = async () => (await client.listTools()) as Record<string, Tool>
      return {
        tools: async () => Object.keys(await all()).map((name) => name.slice('pb_'.length)),
        async call(name, args, options) {
          const tool = (await all())[`pb_${name}`]
          if (!tool) throw new Error(`There is no ${name}`)
          const answer = await tool.execute(args, { abortSignal: options?.signal })
          // It gives the structured answer where there is one.
          return typeof answer === 'string' ? answer : textOf(answer) || JSON.stringify(answer)
        },
        close: () => client.disconnect(),
      }
    },
  }
}

/** A command that does one thing and ends. */
function inspector(over: Driver['over']): Driver {
  return {
    name: `MCP Inspector's command line over ${over}`,
    over,
    cancels: false,
    hears: false,
    survives: true,
    async connect({ http, sse, stdio }) {
      const where = stdio ? [stdio.command, ...stdio.args] : [String(over === 'http' ? http : sse), '--transport', over]
      const ask = async (...options: string[]): Promise<Record<string, unknown>> => {
        const program = join(import.meta.dirname, 'node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js')
        // Options of ours stand behind a `--`, or it takes them for its own.
        const args = stdio ? ['--cli', ...options, '--', ...where] : ['--cli', ...where, ...options]
        const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
        const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
        if (code !== 0) throw new Error(`The Inspector ended with ${String(code)}: ${err}${out}`)
        return JSON.parse(out) as Record<string, unknown>
      }
      return {
        tools: async () => ((await ask('--method', 'tools/list'))['tools'] as { name: string }[]).map(({ name }) => name),
        call: async (name, args) => {
          const pairs = Object.entries(args).flatMap(([key, value]) => ['--tool-arg', `${key}=${String(value)}`])
          return textOf(await ask('--method', 'tools/call', '--tool-name', name, ...pairs))
        },
        close: async () => {},
      }
    },
  }
}

export const DRIVERS: readonly Driver[] = [
  sdk1('1.0', 'stdio'),
  sdk1('1.0', 'sse'),
  ...['1.10', '1.20', '1.32'].flatMap((release) => (['stdio', 'http', 'sse'] as const).map((over) => sdk1(release, over))),
  ...(['stdio', 'http', 'sse'] as const).map((over) => sdk2('legacy', over)),
  sdk2('auto', 'stdio'),
  sdk2('auto', 'http'),
  ...(['stdio', 'http', 'sse'] as const).map(aiSdk),
  mcpRemote('http'),
  mcpRemote('sse'),
  mastra('stdio'),
  mastra('http'),
  ...(['stdio', 'http', 'sse'] as const).map(inspector),
]
