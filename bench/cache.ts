/**
 * What does a look into the cache cost, per store, and what does a stampede cost the service behind? A value of 3 kB with one tag is
 * remembered; against keyv alone over a Map, which knows neither tags nor flights nor deadlines. Then 1,000 equal calls come at once to
 * a tool that opted in, and to one that did not. Last, how long from the spawn to the first `tools/list` when the cache knows the
 * plugins, and when it does not. All in one run. Prints Markdown.
 *
 *   node --conditions=@mcp-patchbay/source bench/cache.ts
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
import { createHost } from 'mcp-patchbay'
import { Keyv } from 'keyv'
import { pluginFolders } from './lib/plugin-folders.ts'
import { median, ROUNDS } from './lib/report.ts'
import { openCache } from '../host/src/cache/open-cache.ts'
import { silentLogger } from '../host/src/observability/logger.ts'

const LOOKS = 2_000
const REDIS_PORT = 7_379
const VALUE = { items: Array.from({ length: 30 }, (_, id) => ({ id, title: `Issue ${id}`, body: 'x'.repeat(60) })) }

const folder = mkdtempSync(join(tmpdir(), 'patchbay-bench-'))
const redis = spawnSync('redis-server', ['--version']).status === 0 ? await startRedis() : undefined
console.log(`Node ${process.version}, ${LOOKS} looks one after the other, a value of ${JSON.stringify(VALUE).length} bytes\n`)
console.log('| store | hit, median µs | p95 | miss, median µs | p95 |\n| --- | ---: | ---: | ---: | ---: |')
await keyvAlone()
for (const store of ['memory', `sqlite:${join(folder, 'cache.db')}`, ...(redis ? [`redis://127.0.0.1:${REDIS_PORT}`] : [])])
  await remembered(store)
if (!redis) console.log('\nWithout Redis: redis-server is not installed.')
console.log('\n| 1,000 equal calls at once | runs of the tool | ms, median of 5 |\n| --- | ---: | ---: |')
await stampede()
redis?.kill()
await coldStarts()
rmSync(folder, { recursive: true })

async function remembered(store: string): Promise<void> {
  await using cache = openCache({
    settings: { store, maxEntries: 100_000 },
    configDir: folder,
    log: silentLogger,
    patienceMs: 10_000,
  })
  await cache.bus?.ready
  const values = cache.namespace('bench', 'acme', 'ann')
  const options = { ttlMs: 600_000, tags: [cache.tag('acme', 'github')] }
  const load = async () => VALUE
  await values.remember('warm', options, load)
  const hits = await times(async () => {
    if ((await values.remember('warm', options, load)).outcome !== 'hit') throw new Error('no hit')
  })
  const misses = await times(async (index) => {
    if ((await values.remember(`cold ${index}`, options, load)).outcome !== 'miss') throw new Error('no miss')
  })
  print(store.replace(/:.*/, ''), hits, misses)
}

async function keyvAlone(): Promise<void> {
  const keyv = new Keyv()
  await keyv.set('warm', VALUE, 600_000)
  const hits = await times(async () => {
    if (!(await keyv.get('warm'))) throw new Error('no hit')
  })
  const misses = await times(async (index) => {
    await keyv.get(`cold ${index}`)
    await keyv.set(`cold ${index}`, VALUE, 600_000)
  })
  print('keyv alone, a Map', hits, misses)
}

async function stampede(): Promise<void> {
  let runs = 0
  const base = {
    description: 'Takes a moment.',
    access: 'read',
    input: Type.Object({ round: Type.Integer() }),
    async run() {
      runs += 1
      await new Promise<void>((resolve) => setImmediate(resolve))
      return 'x'.repeat(3_000)
    },
  } as const
  const plugin = definePlugin({
    name: 'bench',
    config: Type.Object({}),
    isAuthConfigured: () => true,
    createClient: (): unknown => undefined,
    tools: [
      defineTool({ ...base, name: 'get_cached', cache: { ttlMs: 600_000, scope: 'caller' } }),
      defineTool({ ...base, name: 'get_each' }),
    ],
  })
  await using host = await createHost({ plugins: [{ use: plugin }] })
  for (const [tool, what] of [
    ['bench_get_cached', 'a tool that opted in'],
    ['bench_get_each', 'one that did not'],
  ] as const) {
    const taken: number[] = []
    for (let round = 0; round < 5; round += 1) {
      runs = 0
      const from = performance.now()
      await Promise.all(Array.from({ length: 1_000 }, () => host.call(tool, { round })))
      taken.push(performance.now() - from)
    }
    console.log(`| ${what} | ${runs} | ${quantile(taken, 0.5).toFixed(1)} |`)
  }
}

/** In turns, so that a slow minute of the machine hits all alike. `known`: the cache has what an earlier start kept. */
async function coldStarts(): Promise<void> {
  const counts = [1, 10, 100]
  const taken = new Map<string, number[]>()
  const note = (cell: string, ms: number) => taken.set(cell, [...(taken.get(cell) ?? []), ms])
  using projects = new DisposableStack()
  const known = counts.map((count) => ({ count, project: projects.use(pluginFolders(count, 'sqlite:./data/cache.db')) }))
  const unknown = counts.map((count) => ({ count, project: projects.use(pluginFolders(count, 'memory')) }))
  // Twice: what is compiled is kept by Node when the process before ends.
  for (const { project } of [...known, ...known, ...unknown]) await project.start()
  for (let round = 0; round < ROUNDS + 2; round += 1)
    for (const [name, all] of [
      ['known', known],
      ['not known', unknown],
    ] as const)
      for (const { count, project } of all) note(`${count} ${name}`, await project.start())
  const ms = (count: number, name: string) => median(taken.get(`${count} ${name}`) ?? [])
  console.log(
    '\n| cold start to the first list | plugins known, ms | not known, ms | known, to 1 plugin |\n| --- | ---: | ---: | ---: |',
  )
  for (const count of counts)
    console.log(
      `| ${count} plugins | ${ms(count, 'known').toFixed(0)} | ${ms(count, 'not known').toFixed(0)} | ${(ms(count, 'known') / ms(1, 'known')).toFixed(2)} |`,
    )
}

/** In µs, each by itself, after some to warm up. */
async function times(work: (index: number) => Promise<void>): Promise<number[]> {
  const taken: number[] = []
  for (let index = -200; index < LOOKS; index += 1) {
    const from = performance.now()
    await work(index)
    if (index >= 0) taken.push((performance.now() - from) * 1_000)
  }
  return taken
}

function print(name: string, hits: readonly number[], misses: readonly number[]): void {
  const cells = [hits, misses].flatMap((taken) => [quantile(taken, 0.5), quantile(taken, 0.95)])
  console.log(`| ${name} | ${cells.map((cell) => cell.toFixed(1)).join(' | ')} |`)
}

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? 0
}

async function startRedis() {
  const server = spawn('redis-server', ['--port', String(REDIS_PORT), '--bind', '127.0.0.1', '--save', '', '--dir', folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: server.stdout })) if (line.includes('Ready to accept')) break
  server.stdout.resume()
  return server
}
