import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pinned, SERVER_CORE } from './server.ts'
import { requestOf } from './wire.ts'

const TOOLS = 5
const program = join(import.meta.dirname, '../../host/bin/patchbay.mjs')

/** A project with so many plugins, each a folder of two files with five tools. Gone when disposed. */
export interface PluginFolders extends Disposable {
  /** From the spawn of `patchbay start` to the whole of the first `tools/list`, in ms. The host stays for `stayMs`, then is stopped. */
  start(options?: { stayMs?: number }): Promise<number>
}

export function pluginFolders(count: number, cache: string): PluginFolders {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-bench-'))
  const write = (path: string, content: string) => writeFileSync(join(folder, path), content)
  for (let index = 0; index < count; index += 1) {
    mkdirSync(join(folder, `plugins/p${index}`), { recursive: true })
    write(`plugins/p${index}/index.ts`, pluginSource(index))
    write(`plugins/p${index}/answer.ts`, `export const answer = (text: string): string => '${index} ' + text\n`)
  }
  const config = { pluginDirs: ['./plugins'], cache: { store: cache }, listen: { http: { port: 0 }, management: false } }
  write('mcp.config.json', JSON.stringify(config))
  return {
    async start({ stayMs = 0 } = {}) {
      const startedAt = performance.now()
      const argv = [...pinned(SERVER_CORE), process.execPath, program, 'start', '--config', join(folder, 'mcp.config.json')]
      const child = spawn(argv[0] ?? '', argv.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] })
      try {
        const { headers, body } = requestOf({ method: 'tools/list', params: {} })
        const answer = await fetch(await listening(child.stderr), { method: 'POST', headers, body })
        const listed = (await answer.text()).split('"inputSchema"').length - 1
        const ms = performance.now() - startedAt
        if (listed !== count * TOOLS) throw new Error(`${listed} tools of ${count * TOOLS} were listed`)
        await new Promise((resolve) => setTimeout(resolve, stayMs))
        return ms
      } finally {
        child.kill('SIGTERM')
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      }
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  }
}

/** The address in the log, of which the rest is read as well, so that the child does not block. */
async function listening(stderr: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: stderr })) {
    const { msg, event = msg, url } = JSON.parse(line) as { msg?: string; event?: string; url?: string }
    if (event !== 'listening' || url === undefined) continue
    stderr.resume()
    return url
  }
  throw new Error('patchbay ended before it listened')
}

function pluginSource(index: number): string {
  const tools = Array.from(
    { length: TOOLS },
    (_, tool) => `
    defineTool({
      name: 'items_${tool}',
      description: 'Searches the items of collection ${tool} and returns a page of matches with their key, title and state.',
      access: 'read',
      input: Type.Object({
        query: Type.String({ description: 'Free text, or a filter such as "state:open author:ada".' }),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 20, description: 'How many matches at most.' })),
      }),
      run: ({ query }) => answer(query),
    }),`,
  )
  return `import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
import { answer } from './answer.ts'
export default definePlugin({
  name: 'p${index}',
  config: Type.Object({ apiUrl: Type.String({ default: 'https://api.example.com' }) }),
  isAuthConfigured: () => true,
  createClient: () => ({}),
  tools: [${tools.join('')}
  ],
})
`
}
