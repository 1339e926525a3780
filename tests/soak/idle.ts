/**
 * Plugins in their own processes that come and go: each is ended when nothing called it for 300 ms and started by its next call, is taken out
 * of the config and put back, crashes, and is edited, under calls. Exits 1 when an answer is wrong or lost, or when the processes,
 * descriptors, listeners or memory with all plugins idle are more at the end than after the first fifth.
 *
 *   npm run soak:idle -- 60     minutes; a fraction for a quick look
 */
import { createHost, createLogger } from 'mcp-patchbay'
import { HostError } from '../../host/src/errors.ts'
import { resolveConfig } from '../../host/src/config/file/resolve-config.ts'
import { openHandles } from '../fixtures/projects/open-handles.ts'
import { pluginPids, until } from '../fixtures/plugins/plugin-processes.ts'
import { textOf } from '../fixtures/plugins/reloading.ts'
import { sourceTree } from '../fixtures/plugins/source-tree.ts'

const minutes = Number(process.argv[2] ?? 60)
const NAMES = ['ant', 'bee', 'cat', 'dog', 'eel', 'fox']
const IDLE_MS = 300
/** More than a host that was warm grows by: what V8 keeps from one collection to the next. */
const GROWTH_MB = 25

const source = (name: string, revision: number) => `
import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
const tool = (name, run) => defineTool({ name, description: 'Does it.', access: 'read', input: Type.Object({ text: Type.String() }), run })
export default definePlugin({
  name: '${name}', config: Type.Object({}), isAuthConfigured: () => true, createClient: () => ({}),
  tools: [
    tool('echo', ({ text }) => '${name} ${revision} ' + text),
    tool('crash', () => process.exit(3)),
  ],
})`

using tree = sourceTree(Object.fromEntries(NAMES.map((name) => [`${name}/index.js`, source(name, 0)])))
const seen = { idle: 0, calls: 0, gone: 0, crashes: 0, edits: 0, changes: 0 }
const revisions = new Map(NAMES.map((name) => [name, new Set([0])]))
let served = new Set(NAMES)
let isChanging = false
const configOf = (names: ReadonlySet<string>) =>
  resolveConfig(
    {
      plugins: [...names].map((name) => ({ use: `./${name}`, isolation: 'process' as const })),
      limits: { pluginIdleMs: IDLE_MS },
    },
    { env: {}, configDir: tree.path('.') },
  )
const host = await createHost(configOf(served), {
  file: tree.path('mcp.config.ts'),
  env: {},
  patienceMs: Infinity,
  log: createLogger({
    level: 'debug',
    format: 'json',
    destination: { write: (line) => void (line.includes('"plugin_idle"') && seen.idle++) },
  }),
})
const random = (most: number) => Math.floor(Math.random() * most)
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
let over = new AbortController()

/** Calls one plugin after the other, with pauses in which some of them become idle. */
async function call(caller: number): Promise<void> {
  while (!over.signal.aborted) {
    const name = NAMES[random(NAMES.length)] ?? ''
    const text = `${caller} ${seen.calls++}`
    if (seen.calls % 200 === 0) {
      seen.crashes++
      await ask(`${name}_crash`, text)
    } else {
      const before = placeOf(name)
      const answer = await ask(`${name}_echo`, text)
      check({ name, text, answer, wasThere: before !== undefined && before === placeOf(name) })
    }
    await pause(random(random(4) === 0 ? 4 * IDLE_MS : 20))
  }
}

/** What it answers, or the code of what the host says in its place. */
async function ask(tool: string, text: string): Promise<string> {
  try {
    return textOf(await host.call(tool, { text }))
  } catch (error) {
    if (error instanceof HostError) return error.code
    throw error
  }
}

/** Which config a plugin is in; undefined for one that is in none, or is being taken out or put back. */
function placeOf(name: string): number | undefined {
  return served.has(name) && !isChanging ? seen.changes : undefined
}

interface Answered {
  readonly name: string
  readonly text: string
  readonly answer: string
  readonly wasThere: boolean
}

/** An answer is that of a version that was saved, or says that the plugin crashed, or was taken out meanwhile. */
function check({ name, text, answer, wasThere }: Answered): void {
  const [, of, revision, back] = /^(\w+) (\d+) (.*)$/.exec(answer) ?? []
  if (of === name && back === text && revisions.get(name)?.has(Number(revision))) return
  if (!(wasThere ? /restarted|crashed|exited/ : /^TOOL_UNKNOWN$|was ended|restarted|crashed|exited/).test(answer))
    throw new Error(`${name} was asked for "${text}" and answered ${answer}`)
  seen.gone++
}

/** Takes plugins out of the config, puts them back, and edits them. */
async function change(): Promise<void> {
  for (let turn = 1; !over.signal.aborted; turn++) {
    await pause(700)
    const name = NAMES[turn % NAMES.length] ?? ''
    if (turn % 2 === 0) {
      revisions.get(name)?.add(turn)
      seen.edits++
      await host.apply({ changed: new Set([tree.write(`${name}/index.js`, source(name, turn))]) })
    } else {
      served = new Set(served.size === NAMES.length ? NAMES.filter((one) => one !== name) : NAMES)
      seen.changes++
      isChanging = true
      await host.apply({ config: configOf(served) })
      isChanging = false
    }
  }
}

const began = performance.now()
const isLeft = (share: number) => performance.now() - began < minutes * 60_000 * share
let running = start()
while (isLeft(0.2)) await Promise.race([pause(500), running])
const first = await rested()
running = start()
let reported = performance.now()
while (isLeft(1)) {
  await Promise.race([pause(500), running])
  if (performance.now() - reported < 30_000) continue
  reported = performance.now()
  console.log(`${JSON.stringify(seen)}, RSS ${rssMb()} MB`)
}
const last = await rested()
console.log(`${JSON.stringify(seen)}\nafter the first fifth: ${JSON.stringify(first)}\nat the end: ${JSON.stringify(last)}`)
for (const key of ['handles', 'listeners', 'processes'] as const)
  if (last[key] !== first[key]) throw new Error(`${key} were ${first[key]}, and are ${last[key]}`)
if (last.rssMb > first.rssMb + GROWTH_MB) throw new Error(`The host grew from ${first.rssMb} to ${last.rssMb} MB`)
if (seen.idle < 10 * minutes) throw new Error(`Plugins were idle ${seen.idle} times only`)
if (seen.gone > seen.calls / 4) throw new Error(`${seen.gone} of ${seen.calls} calls found no plugin`)
await host.close()
await until(() => pluginPids().length === 0)

function start(): Promise<unknown> {
  return Promise.all([change(), ...Array.from({ length: 4 }, (_, caller) => call(caller))])
}

/** What the host holds when all plugins are there, and none of them runs. */
async function rested() {
  over.abort()
  await running
  over = new AbortController()
  served = new Set(NAMES)
  await host.apply({ config: configOf(served) })
  await until(() => host.list().plugins.length === NAMES.length && pluginPids().length === 0)
  await pause(1_000)
  const { descriptors = [], children = 0 } = openHandles() ?? {}
  return {
    handles: `${descriptors.length} descriptors, ${children} children`,
    listeners: ['exit', 'SIGTERM', 'uncaughtException'].map((event) => process.listenerCount(event)).join(),
    processes: pluginPids().length,
    rssMb: rssMb(),
  }
}

function rssMb(): number {
  return Math.round(process.memoryUsage.rss() / 1_048_576)
}
