/**
 * Reloads a plugin of every kind of file thousands of times in a whole host with a heap of 96 MB, while clients of three eras call it,
 * slow calls included. Exits 1 when a call fails or is lost, a session ends, the process dies, or old versions are not collected.
 *
 *   npm run soak -- 2000
 */
import { spawnSync } from 'node:child_process'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { Client } from '@modelcontextprotocol/client'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { createHost } from '../../host/src/host.ts'
import { sourceTree } from '../fixtures/plugins/source-tree.ts'

const [reloads = '2000', inside] = process.argv.slice(2)
const heapMb = 96

if (inside) await soak(Number(reloads))
else {
  const flags = [`--max-old-space-size=${heapMb}`, '--conditions=@mcp-patchbay/source']
  const { status, signal } = spawnSync(process.execPath, [...flags, import.meta.filename, reloads, 'inside'], {
    stdio: 'inherit',
  })
  if (signal) console.log(`died of ${signal}`)
  process.exitCode = status === 0 ? 0 : 1
}

async function soak(count: number): Promise<void> {
  let collected = 0
  const registry = new FinalizationRegistry(() => collected++)
  Object.assign(globalThis, { soakVersion: (definition: object) => registry.register(definition, undefined) })
  using tree = sourceTree()
  save(tree, 0)
  await using host = await createHost(
    { pluginDirs: ['./plugins'] },
    { file: tree.path('mcp.config.ts'), env: {}, expectReloads: true },
  )
  const { url = '' } = await host.listen({ http: { port: 0 } })
  const clients = await Promise.all((['auto', 'legacy', 'legacy'] as const).map((mode) => connect(url, mode)))
  let calls = 0
  let cancelled = 0
  let peak = 0
  host.on('drained', (drained) => (cancelled += drained.cancelled))
  const load = { over: false }
  const calling = Promise.all(
    clients.map(async (client, index) => {
      while (!load.over) {
        const answer = await client.callTool({ name: 'soak_slow', arguments: { ms: index * 25 } })
        const [content] = answer.content as { text?: string }[]
        const [entry, helper] = JSON.parse(content?.text ?? '') as [number, number]
        if (entry !== helper) throw new Error(`${entry} and ${helper} answered together`)
        calls++
      }
    }),
  )
  const startedAt = performance.now()
  for (let revision = 1; revision <= count; revision++) {
    await Promise.race([host.apply({ changed: save(tree, revision) }), calling])
    await Promise.race([setTimeout(5), calling])
    peak = Math.max(peak, process.memoryUsage().heapUsed)
    if (revision % 250 === 0 || revision === count) {
      const rate = (revision / (performance.now() - startedAt)) * 1000
      console.log(
        `${revision} reloads, ${calls} calls, ${cancelled} lost, ${collected} versions collected, peak heap ${toMb(peak)} MB, RSS ${toMb(process.memoryUsage.rss())} MB, ${rate.toFixed(0)} reloads/s`,
      )
    }
  }
  load.over = true
  await calling
  await Promise.all(clients.map((client) => client.close()))
  await setImmediate()
  if (cancelled > 0) throw new Error(`${cancelled} calls were lost`)
  // The last versions wait for a collection that has had no reason yet.
  if (collected < 0.9 * count) throw new Error(`Only ${collected} of ${count} versions were collected`)
}

function save(tree: ReturnType<typeof sourceTree>, revision: number): Set<string> {
  const filler = `// ${revision} ${'x'.repeat(100)}\n`.repeat(200)
  return new Set([
    tree.write(
      'plugins/soak/index.ts',
      `import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
import { setTimeout } from 'node:timers/promises'
import { helper } from './helper.ts'
import common from './common.cjs'
const plugin = definePlugin({
  name: 'soak', config: Type.Object({}), isAuthConfigured: () => true, createClient: () => ({ common }),
  tools: [defineTool({
    name: 'slow', description: 'Revision ${revision}.', access: 'read', input: Type.Object({ ms: Type.Integer({ maximum: ${1_000 + revision} }) }),
    async run({ ms }) { await setTimeout(ms); return JSON.stringify([${revision}, helper]) },
  })],
})
globalThis.soakVersion(plugin)
export default plugin
${filler}`,
    ),
    tree.write('plugins/soak/helper.ts', `export const helper: number = ${revision}\n${filler}`),
    tree.write('plugins/soak/common.cjs', `module.exports = { revision: ${revision} }\n${filler}`),
  ])
}

async function connect(url: string, mode: 'auto' | 'legacy'): Promise<Client> {
  const client = new Client({ name: 'soak', version: '1' }, { versionNegotiation: { mode } })
  await client.connect(new StreamableHTTPClientTransport(new URL(url)))
  return client
}

function toMb(bytes: number): number {
  return Math.round(bytes / 1024 / 1024)
}
