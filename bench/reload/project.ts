import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The file that is saved, in every contender's project, and what it holds. */
export interface Edited {
  readonly file: string
  readonly content: (mark: string) => string
}

/** Eighteen TypeScript files of 10 kB that import each other as a tree; with entry and description they are a plugin of twenty. */
export function writeLibrary(folder: string): void {
  const files = 18
  for (let index = 0; index < files; index++) {
    const children = [2 * index + 1, 2 * index + 2].filter((child) => child < files)
    let code = children.map((child) => `import { file${child}x0 } from './file${child}.ts'\n`).join('')
    for (let part = 0; code.length < 10_000; part++)
      code += `export function file${index}x${part}(value: number, text: string = 'text ${part}'): string {\n  const doubled: number = value * 2\n  return text.repeat(doubled > 3 ? 1 : 0) + String(doubled)\n}\n`
    write(folder, `lib/file${index}.ts`, `${code}export default [${children.map((child) => `file${child}x0`).join(', ')}]\n`)
  }
}

export function write(folder: string, path: string, content: string): string {
  const file = join(folder, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
  return file
}

export function linkPackages(folder: string, packages: string): void {
  mkdirSync(folder, { recursive: true })
  symlinkSync(packages, join(folder, 'node_modules'))
  write(folder, 'package.json', JSON.stringify({ name: 'bench', private: true, type: 'module', version: '1.0.0' }))
}

/** `description.ts`, which every contender's entry imports. */
export function describedIn(folder: string): Edited {
  const content = (mark: string) => `export const description: string = 'Waits, then gives back its text. ${mark}'\n`
  const file = write(folder, 'description.ts', content('first'))
  return { file, content }
}

/** A plugin of ours in `plugins/bench`. */
export function writePlugin(folder: string): Edited {
  const plugin = join(folder, 'plugins/bench')
  writeLibrary(plugin)
  write(
    plugin,
    'index.ts',
    `import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
import { setTimeout } from 'node:timers/promises'
import { description } from './description.ts'
import { file0x0 } from './lib/file0.ts'
export default definePlugin({
  name: 'bench',
  config: Type.Object({}),
  isAuthConfigured: () => true,
  createClient: () => ({ file0x0 }),
  tools: [
    defineTool({
      name: 'slow', description, access: 'read',
      input: Type.Object({ text: Type.String(), ms: Type.Integer() }),
      async run({ text, ms }) { await setTimeout(ms); return text },
    }),
  ],
})
`,
  )
  return describedIn(plugin)
}

const registration = `const schema = { text: z.string(), ms: z.number().int() }
const run = async ({ text, ms }: { text: string; ms: number }) => {
  await setTimeout(ms)
  return { content: [{ type: 'text' as const, text }] }
}
`

/** A server with sessions, as the SDK's documentation shows it; `stdio` where it is behind a hub. */
export function writeSdkServer(folder: string): Edited {
  writeLibrary(folder)
  write(
    folder,
    'server.ts',
    `import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { z } from 'zod'
import { description } from './description.ts'
import './lib/file0.ts'
${registration}
function build(): McpServer {
  const server = new McpServer({ name: 'sdk', version: '1.0.0' })
  server.registerTool('slow', { description, inputSchema: schema }, run)
  return server
}
const sessions = new Map<string, StreamableHTTPServerTransport>()
if (process.env['STDIO']) await build().connect(new StdioServerTransport())
else createServer(async (request, response) => {
  const id = request.headers['mcp-session-id']
  if (typeof id === 'string') {
    const known = sessions.get(id)
    if (known) return void (await known.handleRequest(request, response))
    return void response.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', error: { code: -32001, message: 'Session not found' }, id: null }))
  }
  const transport: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (opened) => void sessions.set(opened, transport),
  })
  await build().connect(transport)
  await transport.handleRequest(request, response)
}).listen(Number(process.env['PORT']), '127.0.0.1')
`,
  )
  return describedIn(folder)
}

export function writeMcpUse(folder: string): Edited {
  writeLibrary(folder)
  write(
    folder,
    'server.ts',
    `import { setTimeout } from 'node:timers/promises'
import { MCPServer } from 'mcp-use'
import { z } from 'zod'
import { description } from './description.ts'
import './lib/file0.ts'
${registration}
const server = new MCPServer({ name: 'mcp-use', version: '1.0.0', host: '127.0.0.1', logging: false } as never)
server.tool({ name: 'slow', description, inputSchema: z.object(schema) } as never, run as never)
export default server
`,
  )
  return describedIn(folder)
}

/** xmcp reads a tool's description from its own file. */
export function writeXmcp(folder: string, port: number): Edited {
  writeLibrary(join(folder, 'src'))
  write(
    folder,
    'tsconfig.json',
    JSON.stringify({
      compilerOptions: {
        target: 'es2022',
        module: 'esnext',
        moduleResolution: 'bundler',
        strict: true,
        skipLibCheck: true,
        allowImportingTsExtensions: true,
        noEmit: true,
      },
      include: ['src', 'xmcp-env.d.ts'],
    }),
  )
  write(
    folder,
    'xmcp.config.ts',
    `const config = { http: { port: ${port}, host: '127.0.0.1', endpoint: '/mcp' }, typescript: { skipTypeCheck: true }, paths: { tools: 'src/tools', prompts: false, resources: false } }\nexport default config\n`,
  )
  const content = (mark: string) => `import { z } from 'zod'
import '../lib/file0.ts'
export const schema = { text: z.string(), ms: z.number().int() }
export const metadata = { name: 'slow', description: 'Waits, then gives back its text. ${mark}' }
export default async function run({ text, ms }: { text: string; ms: number }): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, ms))
  return text
}
`
  return { file: write(folder, 'src/tools/slow.ts', content('first')), content }
}
