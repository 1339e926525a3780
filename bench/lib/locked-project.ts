import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pinned, SERVER_CORE, type Command } from './server.ts'

const program = join(import.meta.dirname, '../../host/bin/patchbay.mjs')

/** A project of one plugin in TypeScript with so many tools, all in its lock. Gone when disposed. */
export interface LockedProject extends Disposable {
  /** Starts it as a deployment does: over HTTP at a port, or on stdio. */
  command(port: number | undefined): Command
}

export function lockedProject(tools: number): LockedProject {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-bench-'))
  const config = join(folder, 'mcp.config.json')
  mkdirSync(join(folder, 'echo'))
  writeFileSync(join(folder, 'echo/index.ts'), pluginSource(tools))
  writeFileSync(config, JSON.stringify({ plugins: [{ use: './echo' }], listen: { management: false } }))
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder }
  const { status, stderr } = spawnSync(process.execPath, [program, 'lock', '--config', config], { env, encoding: 'utf8' })
  if (status !== 0) throw new Error(`patchbay lock ended with ${status}: ${stderr}`)
  return {
    command(port) {
      const transport = port === undefined ? ['--transport', 'stdio'] : ['--port', String(port)]
      const argv = [process.execPath, program, 'start', '--frozen', '--config', config, ...transport]
      return { argv: [...pinned(SERVER_CORE), ...argv], env: { ...env, NODE_ENV: 'production' } }
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  }
}

function pluginSource(tools: number): string {
  return `import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
const tool = (index: number) =>
  defineTool({
    name: 'search_items_' + index,
    description: 'Searches the items of collection ' + index + ' and returns a page of matches with their key, title and state.',
    access: 'read',
    input: Type.Object({
      query: Type.String({ description: 'Free text, or a filter such as "state:open author:ada".' }),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 20, description: 'How many matches at most.' })),
    }),
    run: ({ query }) => query,
  })
export default definePlugin({
  name: 'bench',
  config: Type.Object({}),
  isAuthConfigured: () => true,
  createClient: () => ({}),
  tools: Array.from({ length: ${tools} }, (_, index) => tool(index)),
})
`
}
