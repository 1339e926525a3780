/**
 * A host beside plugins, clients, a disk and a reader of its log that all mean harm, at once. Exits 1 when the host ends or does not answer,
 * a call of a good plugin fails, when memory goes on growing, or when at the end memory, descriptors or children are more than after the
 * first minutes, or lines of the log are neither there nor counted.
 *
 *   npm run soak:hostile -- 30        minutes; the default
 */
import fc from 'fast-check'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { rawClient } from '../fixtures/http/raw-client.ts'
import { hostileFrames, writeFrames } from '../fixtures/plugins/hostile-frames.ts'
import { revisionPlugin } from '../fixtures/plugins/reloading.ts'
import { sourceTree } from '../fixtures/plugins/source-tree.ts'
import { spawnPatchbay } from '../fixtures/projects/patchbay-process.ts'

const minutes = Number(process.argv[2] ?? 30)
const endsAt = Date.now() + minutes * 60_000

const HOSTILE = `import { createRequire } from 'node:module'
import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
const require = createRequire(import.meta.url)
export default definePlugin({
  name: 'hostile', config: Type.Object({}), isAuthConfigured: () => true, createClient: () => ({}),
  tools: [defineTool({ name: 'run', description: 'Runs code.', access: 'read', timeoutMs: 1_000, input: Type.Object({ code: Type.String() }),
    run: ({ code }, ctx) => new Function('require', 'ctx', 'return (async () => { ' + code + ' })()')(require, ctx) })],
})`
/** What a plugin does to the process that it is in, and to the host's patience. */
const HARM = [
  `process.exit(3)`,
  `for (;;);`,
  `const kept = []; for (;;) kept.push(Buffer.alloc(8_000_000, 1))`,
  `return 'x'.repeat(50_000_000)`,
  `let deep = []; for (let i = 0; i < 100_000; i++) deep = [deep]; return deep`,
  `let deep = { v: 1 }; for (let i = 0; i < 3_000; i++) deep = { deep }; throw Object.assign(new Error('deep'), { cause: deep })`,
  `setTimeout(() => { throw new Error('late') }, 10); return 'early'`,
  `for (let i = 0; i < 20_000; i++) { console.log('printed ' + i); ctx.log.warn('audit', { i, decision: 'allow', long: 'x'.repeat(500) }) } return 1`,
  `for (let i = 0; i < 5_000; i++) ctx.metrics.count('made_up', 1, { id: String(Math.random()) }); return 1`,
  `for (let i = 0; i < 5_000; i++) ctx.progress(i, { message: 'x'.repeat(2_000) }); return 1`,
  `require('node:fs').closeSync(3); await new Promise(() => {})`,
  `process.kill(process.ppid, 'SIGHUP'); return 1`,
  `process.on('SIGTERM', () => {}); await new Promise(() => {})`,
]

using tree = sourceTree({
  'mcp.config.json': JSON.stringify({
    plugins: [{ use: './hostile', isolation: 'process' }, { use: './neighbour', isolation: 'process' }, './inline'],
    limits: { callTimeoutMs: 5_000, pluginMemoryMb: 256, pluginHeapMb: 96 },
    log: { audit: true },
  }),
  'hostile/index.js': HOSTILE,
  'neighbour/index.ts': revisionPlugin('neighbour', 1),
  'inline/index.ts': revisionPlugin('inline', 1),
})
const child = spawnPatchbay([
  'start',
  '--watch',
  '--port',
  '0',
  '--management-port',
  '0',
  '--config',
  tree.path('mcp.config.json'),
])
const pid = child.pid ?? 0
process.on('exit', () => child.kill('SIGKILL'))
const exited = new Promise<string>((resolve) => child.once('exit', (code, signal) => resolve(`${code ?? signal}`)))

const counts = { calls: 0, good: 0, harm: 0, audit: 0, dropped: 0, lines: 0, torn: 0, restarts: 0 }
const listening = Promise.withResolvers<{ url: string; management: string }>()
const lines = createInterface(child.stderr)
lines.on('line', (line) => {
  counts.lines++
  const read = parse(line)
  if (!read) counts.torn++
  else if (read['event'] === 'audit') counts.audit++
  else if (read['event'] === 'log_lines_dropped') counts.dropped += Number(read['lines'])
  else if (read['event'] === 'plugin_restarted') counts.restarts++
  else if (read['event'] === 'listening') listening.resolve(read as { url: string; management: string })
})
const { url, management } = await listening.promise
const client = rawClient(new URL(url))
const over = () => Date.now() >= endsAt

async function call(name: string, args: Record<string, unknown> = {}): Promise<string> {
  counts.calls++
  return (await client.call(name, args)).text
}

/** Those must be right whatever the others do. */
async function good(): Promise<void> {
  while (!over()) {
    for (const name of ['neighbour_rev', 'inline_rev']) {
      const text = await call(name)
      if (!text.includes('"text":"1"')) throw new Error(`${name} answered ${text.slice(0, 500)}`)
      counts.good++
    }
    if ((await fetch(`${management}/healthz`)).status !== 200) throw new Error('/healthz is not 200')
    await delay(20)
  }
}

async function harm(): Promise<void> {
  for (let turn = 0; !over(); turn++) {
    const frames = fc.sample(hostileFrames, { numRuns: 1, seed: turn })[0]
    const code = turn % 3 === 0 ? HARM[(turn / 3) % HARM.length] : writeFrames(frames)
    await call('hostile_run', { code }).catch(() => '')
    counts.harm++
    await delay(50)
  }
}

/** Saves of a plugin that was ended too often, and of things that do not load. */
async function disk(): Promise<void> {
  for (let save = 0; !over(); save++) {
    await delay(2_500)
    tree.write('hostile/index.js', `${HOSTILE}\n// ${save}`)
    if (save % 4 === 1) tree.write('inline/index.ts', 'export default {')
    if (save % 4 === 2) tree.write('inline/index.ts', revisionPlugin('inline', 1))
    if (save % 6 === 3) tree.write('mcp.config.json.tmp', '{')
  }
}

async function clients(): Promise<void> {
  const { port, hostname } = new URL(url)
  const bytes = [
    'GET / HTTP/1.1\r\n',
    'POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1000\r\n\r\n{',
    '\u0016\u0003\u0001\u0000\u00a5\u0001',
    'CONNECT x HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n',
    'GET /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n',
    `POST /mcp HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\ncontent-length: 40000\r\n\r\n${'['.repeat(40_000)}`,
    `GET / HTTP/1.1\r\n${'x: y\r\n'.repeat(5_000)}`,
    `POST /mcp HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n`,
  ]
  for (let turn = 0; !over(); turn++) {
    const socket = connect(Number(port), hostname)
    socket.on('error', () => {})
    socket.write(bytes[turn % bytes.length] ?? '')
    setTimeout(() => socket.destroy(), 200 + (turn % 5) * 400)
    await delay(30)
  }
}

/** Stops to read, for longer each time, and reads on. */
async function reader(): Promise<void> {
  for (let pause = 1; !over(); pause++) {
    lines.pause()
    await delay(Math.min(500 * pause, 5_000))
    lines.resume()
    await delay(1_500)
  }
}

/** Megabytes an hour, by the line through all looks but those of the first third: what a host keeps once it has seen it all. */
function growth(looks: readonly (readonly [hours: number, megabytes: number])[]): number {
  const late = looks.slice(Math.ceil(looks.length / 3))
  const mean = (of: (look: (typeof late)[number]) => number) => late.reduce((sum, look) => sum + of(look), 0) / late.length
  const [hours, megabytes] = [mean(([x]) => x), mean(([, y]) => y)]
  const spread = late.reduce((sum, [x]) => sum + (x - hours) ** 2, 0)
  return spread === 0 ? 0 : late.reduce((sum, [x, y]) => sum + (x - hours) * (y - megabytes), 0) / spread
}

/** How much memory may grow in an hour: the looks of a run of 30 minutes scatter by some 25 MB, whose line is within 20 either way. */
const MOST_GROWTH = 60

interface Held {
  readonly rssMb: number
  readonly descriptors: number
  readonly children: number
}

function held(): Held {
  const [, kilobytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return {
    rssMb: Math.round(Number(kilobytes) / 1_024),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    children: readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).length,
  }
}

/** The least of a few looks: what is passing is not held. */
async function settled(): Promise<Held> {
  const looks: Held[] = []
  for (let look = 0; look < 20; look++) {
    await delay(500)
    looks.push(held())
  }
  const least = (key: keyof Held) => Math.min(...looks.map((one) => one[key]))
  return { rssMb: least('rssMb'), descriptors: least('descriptors'), children: least('children') }
}

async function report(): Promise<void> {
  for (let warm: Held | undefined; !over();) {
    await delay(Math.min(30_000, (minutes * 60_000) / 10))
    const now = held()
    warm ??= now
    highest.push(now.rssMb)
    looks.push([performance.now() / 3_600_000, now.rssMb])
    console.log(new Date().toISOString(), JSON.stringify({ ...now, ...counts }))
  }
}

const highest: number[] = []
const looks: [hours: number, megabytes: number][] = []
await call('neighbour_rev')
await call('inline_rev')
const before = await settled()
const died = exited.then((how) => {
  if (!over()) throw new Error(`The host ended with ${how}`)
})
await Promise.race([Promise.all([good(), harm(), disk(), clients(), reader(), report()]), died.then(() => new Promise(() => {}))])

tree.write('inline/index.ts', revisionPlugin('inline', 1))
tree.write('hostile/index.js', HOSTILE)
lines.resume()
await delay(5_000)
const after = await settled()
for (const name of ['neighbour_rev', 'inline_rev'])
  if (!(await call(name)).includes('"text":"1"')) throw new Error(`${name} does not answer at the end`)
const metrics = await (await fetch(`${management}/metrics`)).text()
const [, dropped = '0'] = /^patchbay_log_lines_dropped_total (\d+)$/m.exec(metrics) ?? []
child.kill('SIGTERM')
const how = await exited
await delay(500)
console.log(
  JSON.stringify({
    before,
    after,
    growthMbAnHour: Math.round(growth(looks)),
    how,
    droppedInAll: dropped,
    metricsKb: Math.round(metrics.length / 1_024),
    ...counts,
  }),
)

const problems = [
  ...(how === '0' ? [] : [`the host ended with ${how} when it was told to stop`]),
  // The first third is for what a host keeps once it has seen it.
  ...(after.rssMb <= Math.max(...highest.slice(0, Math.ceil(highest.length / 3)), before.rssMb) * 1.2 + 50
    ? []
    : [`memory grew from ${before.rssMb} to ${after.rssMb} MB`]),
  // A shorter run says nothing of an hour.
  ...(minutes < 10 || growth(looks) <= MOST_GROWTH ? [] : [`memory grows by ${Math.round(growth(looks))} MB an hour`]),
  ...(after.descriptors <= before.descriptors + 3 ? [] : [`descriptors grew from ${before.descriptors} to ${after.descriptors}`]),
  ...(after.children <= before.children ? [] : [`children grew from ${before.children} to ${after.children}`]),
  ...(counts.torn === 0 ? [] : [`${counts.torn} lines of the log are torn`]),
  ...(counts.audit + Number(dropped) >= counts.good
    ? []
    : [`${counts.audit} audit lines and ${dropped} dropped ones for ${counts.good} calls`]),
  ...(Number(dropped) <= counts.dropped ? [] : [`${dropped} lines were dropped and ${counts.dropped} told`]),
]
for (const problem of problems) console.error(problem)
process.exit(problems.length > 0 ? 1 : 0)

function parse(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(line) as Readonly<Record<string, unknown>>
  } catch {
    return undefined
  }
}
