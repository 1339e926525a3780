/**
 * Reloads a plugin in its own process hundreds of times under calls. Exits 1 when a call fails, or when processes, descriptors, listeners or
 * memory are more than after the first tenth.
 *
 *   npm run soak:processes -- 500
 */
import { createHost } from '../../host/src/host.ts'
import { openHandles } from '../fixtures/projects/open-handles.ts'
import { pluginPids, until } from '../fixtures/plugins/plugin-processes.ts'
import { revisionPlugin, textOf } from '../fixtures/plugins/reloading.ts'
import { sourceTree } from '../fixtures/plugins/source-tree.ts'

const reloads = Number(process.argv[2] ?? 500)
const LISTENED = ['exit', 'SIGTERM', 'uncaughtException', 'unhandledRejection']

using tree = sourceTree({ 'a/index.ts': revisionPlugin('a', 0), 'b/index.ts': revisionPlugin('b', 0) })
const plugins = ['./a', './b'].map((use) => ({ use, isolation: 'process' as const }))
const host = await createHost({ plugins }, { file: tree.path('mcp.config.ts'), env: {}, patienceMs: Infinity })
let calls = 0
const over = new AbortController()
const calling = Promise.all(
  ['a_rev', 'b_rev'].map(async (tool) => {
    for (; !over.signal.aborted; calls++) {
      const text = textOf(await host.call(tool))
      if (!/^\d+$/.test(text)) throw new Error(`${tool} answered ${text}`)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }),
)

// What a host needs to run it has after the first tenth, not after the first few.
const warm = Math.ceil(reloads / 10)
const first = await reload(1, warm)
const last = await reload(warm + 1, reloads)
over.abort()
await calling
for (const key of ['handles', 'listeners'] as const)
  if (last[key] !== first[key]) throw new Error(`${key} were ${first[key]}, and are ${last[key]}`)
if (last.rssMb > first.rssMb * 1.1 + 20) throw new Error(`The host grew from ${first.rssMb} to ${last.rssMb} MB`)
await host.close()
await until(() => pluginPids().length === 0)

interface Held {
  readonly handles: string
  readonly listeners: string
  readonly rssMb: number
}

/** Reloads up to the given revision; what the host holds then. */
async function reload(from: number, to: number): Promise<Held> {
  const startedAt = performance.now()
  for (let revision = from; revision <= to; revision++) {
    await Promise.race([host.apply({ changed: new Set([tree.write('a/index.ts', revisionPlugin('a', revision))]) }), calling])
    const served = textOf(await host.call('a_rev'))
    if (served !== String(revision)) {
      const why = JSON.stringify(host.list().plugins[0]?.reloadError)
      throw new Error(`Revision ${revision} was saved and ${served} is served: ${why}`)
    }
    if (revision % 50 === 0 || revision === to) {
      const rate = ((revision - from + 1) / (performance.now() - startedAt)) * 1_000
      const { rssMb, handles } = held()
      console.log(`${revision} reloads, ${calls} calls, ${rate.toFixed(1)} reloads/s, RSS ${rssMb} MB, ${handles}`)
    }
  }
  await until(() => pluginPids().length === 2)
  return held()
}

function held(): Held {
  const { descriptors = [], children = 0 } = openHandles() ?? {}
  return {
    handles: `${descriptors.length} descriptors, ${children} children`,
    listeners: LISTENED.map((event) => `${event} ${process.listenerCount(event)}`).join(', '),
    rssMb: Math.round(process.memoryUsage.rss() / 1_048_576),
  }
}
