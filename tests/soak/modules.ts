/**
 * Loads a plugin of 20 files thousands of times over in a heap of 96 MB, every file changed each time: some 200 kB of new source a load.
 * A loader that keeps what it loaded dies within a few hundred. Exits 1 when it dies, or when a version is not collected.
 *
 *   npm run soak:modules -- 5000
 */
import { spawnSync } from 'node:child_process'
import { setImmediate } from 'node:timers/promises'
import { createModuleGraph } from '../../host/src/modules/graph.ts'
import { writePlugin } from '../fixtures/plugins/generated-plugin.ts'
import { sourceTree } from '../fixtures/plugins/source-tree.ts'

const [loads = '5000', inside] = process.argv.slice(2)
const heapMb = 96

if (inside) await soak(Number(loads))
else {
  const flags = [`--max-old-space-size=${heapMb}`, '--conditions=@mcp-patchbay/source']
  const { status, signal } = spawnSync(process.execPath, [...flags, import.meta.filename, loads, 'inside'], { stdio: 'inherit' })
  if (signal) console.log(`died of ${signal}`)
  process.exitCode = status === 0 ? 0 : 1
}

async function soak(count: number): Promise<void> {
  using tree = sourceTree()
  using graph = createModuleGraph({ shared: {} })
  let collected = 0
  let peak = 0
  const registry = new FinalizationRegistry(() => collected++)
  const start = performance.now()
  for (let revision = 1; revision <= count; revision++) {
    const entry = writePlugin(tree, { extension: revision % 2 ? 'js' : 'ts', revision, everyKind: true })
    const version = await graph.load(entry, { root: tree.path('plugin'), timeoutMs: 60_000 })
    registry.register(version.exports, revision)
    version.release()
    await setImmediate()
    peak = Math.max(peak, process.memoryUsage().heapUsed)
    if (revision % 500 === 0 || revision === count) {
      const rate = Math.round((revision / (performance.now() - start)) * 1000)
      console.log(
        `${revision} loads, ${collected} collected, peak heap ${toMb(peak)} MB, RSS ${toMb(process.memoryUsage.rss())} MB, ${rate} loads/s`,
      )
    }
  }
  // The last versions wait for a collection that has had no reason yet.
  if (collected < 0.9 * count) throw new Error(`Only ${collected} of ${count} versions were collected`)
}

function toMb(bytes: number): number {
  return Math.round(bytes / 1024 / 1024)
}
