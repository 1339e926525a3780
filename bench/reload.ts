/**
 * How long after saving a file does `tools/list` show it? One file of a plugin or server of 20 TypeScript files (190 kB) is saved, and
 * a connected client lists the tools until it sees the edit. Against restarting the server (nodemon, `node --watch`, `tsx watch`, with
 * a server of the official SDK) and against what xmcp and mcp-use offer for development. All in one run, in turns. Prints Markdown.
 *
 *   node --conditions=@mcp-patchbay/source bench/reload.ts [SAVES] [ROUNDS] [CONTENDER…]
 *   node --conditions=@mcp-patchbay/source bench/reload.ts projects [SAVES] [recorded]
 *
 * The second is of us alone: the same save in projects of other shapes; `recorded`: those that `npm run bench` has.
 */
import { writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { contenders, installPeers, type Contender } from './reload/contenders.ts'
import { measureProjects } from './reload/projects.ts'
import { start, type McpClient, type Running } from './reload/running.ts'

if (process.argv[2] === 'projects') {
  await measureProjects(Number(process.argv[3] ?? 15), process.argv[4] === 'recorded' ? 'recorded' : undefined)
  process.exit()
}

const [saves = '15', rounds = '2', ...only] = process.argv.slice(2)
const wanted = contenders.filter(({ name, blindMs }) => !blindMs && (only.length === 0 || only.includes(name)))
installPeers()

const times = new Map<string, number[]>()
for (let round = 0; round < Number(rounds); round++)
  for (const contender of wanted) {
    try {
      times.set(contender.name, [...(times.get(contender.name) ?? []), ...(await measure(contender))])
    } catch (error) {
      console.error(String(error))
    }
  }
print()

async function measure(contender: Contender): Promise<number[]> {
  await using running = await start(contender)
  let client = await running.connect()
  const measured: number[] = []
  for (let save = 0; save < Number(saves) + 2; save++) {
    const mark = `Edition ${save} of ${Date.now()}.`
    const startedAt = performance.now()
    writeFileSync(running.edited.file, running.edited.content(mark))
    client = await untilShown(mark, client, running)
    measured.push(performance.now() - startedAt)
    await setTimeout(300 + Math.random() * 200)
  }
  await client.close()
  // The first two warm what is compiled on first use.
  return measured.slice(2)
}

/** Lists until the mark is there; a client that was cut off connects again, as a person's would have to. */
async function untilShown(mark: string, client: McpClient, running: Running): Promise<McpClient> {
  const deadline = performance.now() + 30_000
  let current: McpClient | undefined = client
  while (performance.now() < deadline) {
    try {
      current ??= await running.connect()
      const { tools } = await current.sdk.listTools({}, { timeout: 2_000 })
      if (tools.some(({ description }) => description?.includes(mark))) return current
    } catch {
      await current?.close()
      current = undefined
    }
    await setTimeout(2)
  }
  throw new Error('a save did not show within 30 s')
}

function print(): void {
  const ours = median(times.get('patchbay dev') ?? [])
  console.log(`Node ${process.version}, ${saves} saves in each of ${rounds} rounds\n`)
  console.log('| | save → served, median ms | 90 % within | × Patchbay |\n| --- | ---: | ---: | ---: |')
  for (const [name, all] of times)
    console.log(`| ${name} | ${median(all).toFixed(0)} | ${quantile(all, 0.9).toFixed(0)} | ${(median(all) / ours).toFixed(1)} |`)
}

function median(all: readonly number[]): number {
  return quantile(all, 0.5)
}

function quantile(all: readonly number[], part: number): number {
  return all.toSorted((a, b) => a - b)[Math.floor(all.length * part)] ?? Number.NaN
}
