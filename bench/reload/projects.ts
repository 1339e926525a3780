import { cpSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { record } from '../lib/results.ts'
import { setTimeout } from 'node:timers/promises'
import type { Contender } from './contenders.ts'
import { write, writeLibrary } from './project.ts'
import { start, type McpClient, type Running } from './running.ts'

const host = join(import.meta.dirname, '../../host/bin/patchbay.mjs')
const packages = join(import.meta.dirname, '../../node_modules')
const PLUGINS = 100
const OWN_PACKAGES = ['zod', 'undici', 'jose']

/**
 * The same save in projects that people have: one plugin of twenty files beside 99 others, a helper that all of them share, an assistant that
 * saves ten times a second, and a plugin with packages of its own. Prints Markdown. `only` leaves the last one out.
 */
export async function measureProjects(saves: number, only?: 'recorded'): Promise<void> {
  const projects: readonly (readonly [Contender, readonly Edit[]])[] = [
    [project(1), [edit('reload-alone', 'one plugin of 20 files', saves), edit('reload-run', RUN, saves * 2, { everyMs: 100 })]],
    [
      project(PLUGINS),
      [
        edit('reload-many', `the same beside ${PLUGINS - 1} others of 20 files`, saves),
        edit('reload-shared', `a helper that ${PLUGINS} plugins share, until all have it`, 5, { isShared: true }),
      ],
    ],
    ...(only ? [] : [[project(1, true), [edit('packages', PACKAGES, saves)]] as const]),
  ]
  const medians = new Map<string, number>()
  console.log('| | save → served, median ms | 90 % within | × alone |\n| --- | ---: | ---: | ---: |')
  for (const [contender, edits] of projects) {
    await using running = await start(contender)
    const client = await running.connect()
    await setTimeout(1_500)
    for (const one of edits) {
      const all = await measure(one, running, client)
      const median = quantile(all, 0.5)
      medians.set(one.key, median)
      const alone = median / (medians.get('reload-alone') ?? Number.NaN)
      console.log(`| ${one.what} | ${median.toFixed(0)} | ${quantile(all, 0.9).toFixed(0)} | ${alone.toFixed(1)} |`)
    }
    await client.close()
  }
  const of = (key: string) => medians.get(key) ?? Number.NaN
  record({
    'reload-alone': of('reload-alone'),
    'reload-run': of('reload-run'),
    'reload-many': of('reload-many'),
    'reload-many-alone': of('reload-many') / of('reload-alone'),
    'reload-shared': of('reload-shared'),
  })
}

const RUN = 'one plugin, saved every 100 ms'
const PACKAGES = `one plugin with ${OWN_PACKAGES.join(', ')} in its node_modules`

/** One file that is saved again and again. */
interface Edit {
  readonly key: string
  readonly what: string
  readonly saves: number
  /** From one save to the next. Default: 400 ms after the one before was served. */
  readonly everyMs?: number
  /** The helper of all plugins. Default: a file of the first plugin. */
  readonly isShared?: boolean
}

function edit(key: string, what: string, saves: number, more: Pick<Edit, 'everyMs' | 'isShared'> = {}): Edit {
  return { key, what, saves, ...more }
}

function project(plugins: number, hasPackages = false): Contender {
  return {
    name: `${plugins} plugins`,
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
      const file = join(folder, 'plugins/p0/description.ts')
      return { args: [host, 'dev'], edited: { file, content: (mark) => `export const description: string = '${mark}'\n` } }
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
async function measure({ saves, everyMs = 0, isShared }: Edit, { edited }: Running, client: McpClient): Promise<number[]> {
  const shared = join(dirname(edited.file), '../../shared.ts')
  const save = (mark: string) =>
    isShared
      ? writeFileSync(shared, `export const shared: string = '${mark}'\n`)
      : writeFileSync(edited.file, edited.content(mark))
  const measured: number[] = []
  for (let count = 0; count < saves + 2; count++) {
    const mark = `edition ${count} of ${Date.now()}`
    const startedAt = performance.now()
    save(mark)
    await untilShown(mark, isShared ? PLUGINS : 1, client)
    measured.push(performance.now() - startedAt)
    await setTimeout(everyMs > 0 ? Math.max(0, startedAt + everyMs - performance.now()) : 400)
  }
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
