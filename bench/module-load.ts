/**
 * What does it cost to load a plugin of 20 files, 200 kB, again? Compared with a bare `import()` of the same files under new URLs, which
 * is as little as Node can do. Each way in a process of its own; file writes are not timed. Prints medians.
 *
 *   node --conditions=@mcp-patchbay/source bench/module-load.ts
 */
import { execFileSync } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { createModuleGraph } from '../host/src/modules/graph.ts'
import { writePlugin } from '../tests/fixtures/plugins/generated-plugin.ts'
import { sourceTree } from '../tests/fixtures/plugins/source-tree.ts'

type Way = (typeof ways)[number]
interface Timing {
  readonly median: number
  readonly p95: number
}

const ways = ['js bare', 'js graph', 'ts bare', 'ts graph', 'ts graph, one file changed'] as const
const loads = 50
const rounds = 2

const way = ways.find((candidate) => candidate === process.argv[2])
if (way) console.log(JSON.stringify(await measure(way)))
else compare()

function compare(): void {
  const runs = new Map<Way, Timing[]>(ways.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const name of ways) {
      const output = execFileSync(process.execPath, [...process.execArgv, import.meta.filename, name], { encoding: 'utf8' })
      const timing: Timing = JSON.parse(output)
      runs.get(name)?.push(timing)
    }
  }
  const best = (name: Way): Timing => (runs.get(name) ?? []).toSorted((a, b) => a.median - b.median)[0] ?? { median: 0, p95: 0 }
  const row = (name: Way, peer: Way): string => {
    const { median, p95 } = best(name)
    return `| ${name} | ${median.toFixed(2)} | ${p95.toFixed(2)} | ${(median / best(peer).median).toFixed(2)} × ${peer} |`
  }
  console.log(`Node ${process.version}, ${loads} loads each, best of ${rounds} rounds\n`)
  console.log('| load of 20 files | median ms | p95 ms | ratio |\n| --- | ---: | ---: | ---: |')
  console.log(row('js bare', 'js bare'))
  console.log(row('js graph', 'js bare'))
  console.log(row('ts bare', 'ts bare'))
  console.log(row('ts graph', 'ts bare'))
  console.log(row('ts graph, one file changed', 'ts graph'))
}

async function measure(name: Way): Promise<Timing> {
  process.removeAllListeners('warning')
  using tree = sourceTree()
  const extension = name.startsWith('ts') ? 'ts' : 'js'
  using graph = name.includes('graph') ? createModuleGraph({ shared: {} }) : undefined
  const times: number[] = []
  for (let index = 0; index < loads; index++) {
    const revision = name.includes('one file') ? 0 : index
    const query = graph ? '' : `?v=${index}`
    const entry = writePlugin(tree, { extension, revision, entryRevision: index, query })
    const start = performance.now()
    if (graph) {
      const version = await graph.load(entry, { root: tree.path('plugin'), timeoutMs: 60_000 })
      times.push(performance.now() - start)
      version.release()
    } else {
      await import(`${pathToFileURL(entry).href}${query}`)
      times.push(performance.now() - start)
    }
  }
  const sorted = times.slice(10).toSorted((a, b) => a - b)
  return { median: sorted[Math.floor(sorted.length / 2)] ?? 0, p95: sorted[Math.floor(sorted.length * 0.95)] ?? 0 }
}
