import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Contender } from './contenders.ts'
import { write, writeLibrary } from './project.ts'
import { start, type McpClient } from './running.ts'

const host = join(import.meta.dirname, '../../host/bin/patchbay.mjs')
const packages = join(import.meta.dirname, '../../node_modules')
const PLUGINS = 100
const OWN_PACKAGES = ['zod', 'undici', 'jose']

/**
 * The same save in projects that people have: one plugin of twenty files beside 99 others, a helper that all of them share, an assistant that
 * saves ten times a second, and a plugin with packages of its own. Prints Markdown.
 */
export async function measureProjects(saves: number): Promise<void> {
  const shapes: readonly (readonly [string, Contender, number, number?])[] = [
    ['one plugin of 20 files', project('alone', 1), saves],
    [`the same beside ${PLUGINS - 1} others of 20 files`, project('many', PLUGINS), saves],
    [`a helper that ${PLUGINS} plugins share, until all have it`, project('shared', PLUGINS, { isShared: true }), 5],
    ['one plugin, saved every 100 ms', project('run', 1), saves * 2, 100],
    [`one plugin with ${OWN_PACKAGES.join(', ')} in its node_modules`, project('packages', 1, { hasPackages: true }), saves],
  ]
  let alone = Number.NaN
  console.log('| | save → served, median ms | 90 % within | × alone |\n| --- | ---: | ---: | ---: |')
  for (const [name, contender, times, everyMs] of shapes) {
    const all = await measure(contender, times, everyMs)
    const median = quantile(all, 0.5)
    if (Number.isNaN(alone)) alone = median
    console.log(`| ${name} | ${median.toFixed(0)} | ${quantile(all, 0.9).toFixed(0)} | ${(median / alone).toFixed(1)} |`)
  }
}

interface Shape {
  readonly isShared?: boolean
  readonly hasPackages?: boolean
}

function project(name: string, plugins: number, { isShared = false, hasPackages = false }: Shape = {}): Contender {
  return {
    name,
    prepare(folder, port) {
      for (let index = 0; index < plugins; index++) {
        const plugin = join(folder, `plugins/p${index}`)
        writeLibrary(plugin)
        write(plugin, 'description.ts', `export const description: string = 'first'\n`)
        write(plugin, 'index.ts', entry(index, hasPackages))
        if (hasPackages)
          for (const one of OWN_PACKAGES) cpSync(join(packages, one), join(plugin, 'node_modules', one), { recursive: true })
      }
      write(folder, 'shared.ts', `export const shared: string = 'first'\n`)
      write(
        folder,
        'mcp.config.json',
        JSON.stringify({ pluginDirs: ['./plugins'], listen: { http: { port }, management: { port: 0 } } }),
      )
      const file = isShared ? join(folder, 'shared.ts') : join(folder, 'plugins/p0/description.ts')
      return {
        args: [host, 'dev'],
        edited: { file, content: (mark) => `export const ${isShared ? 'shared' : 'description'}: string = '${mark}'\n` },
      }
    },
  }
}

function entry(index: number, hasPackages: boolean): string {
  return `import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
${hasPackages ? OWN_PACKAGES.map((name) => `import '${name}'`).join('\n') : ''}
import { description } from './description.ts'
import { shared } from '../../shared.ts'
import { file0x0 } from './lib/file0.ts'
export default definePlugin({
  name: 'p${index}', config: Type.Object({}), isAuthConfigured: () => true, createClient: () => ({ file0x0 }),
  tools: [defineTool({ name: 'say', description: description + ' ' + shared, access: 'read', input: Type.Object({}), run: () => '' })],
})
`
}

/** From each save until every tool that has the mark when it is served has it: those that the first listing with it shows. */
async function measure(contender: Contender, saves: number, everyMs = 0): Promise<number[]> {
  await using running = await start(contender)
  const client = await running.connect()
  await setTimeout(1_500)
  const wanted = contender.name === 'shared' ? PLUGINS : 1
  const measured: number[] = []
  for (let save = 0; save < saves + 2; save++) {
    const mark = `edition ${save} of ${Date.now()}`
    const startedAt = performance.now()
    writeFileSync(running.edited.file, running.edited.content(mark))
    await untilShown(mark, wanted, client)
    measured.push(performance.now() - startedAt)
    await setTimeout(everyMs > 0 ? Math.max(0, startedAt + everyMs - performance.now()) : 400)
  }
  await client.close()
  // The first two warm what is compiled on first use.
  return measured.slice(2)
}

async function untilShown(mark: string, wanted: number, { sdk }: McpClient): Promise<void> {
  const deadline = performance.now() + 60_000
  while (performance.now() < deadline) {
    const { tools } = await sdk.listTools()
    if (tools.filter(({ description }) => description?.includes(mark)).length >= wanted) return
    await setTimeout(2)
  }
  throw new Error(`A save did not show in ${wanted} tools within 60 s`)
}

function quantile(all: readonly number[], part: number): number {
  return all.toSorted((a, b) => a - b)[Math.floor(all.length * part)] ?? Number.NaN
}
