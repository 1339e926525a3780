/**
 * How long does it take until a plugin in its own process is there, and what does it take of memory? Against the same plugin in the host.
 *
 *   node --conditions=@mcp-patchbay/source bench/isolation-starts.ts
 */
import { readdirSync, readFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHost, type Host } from 'mcp-patchbay'

const MODES = ['inline', 'process'] as const
type Mode = (typeof MODES)[number]

const folder = mkdtempSync(join(tmpdir(), 'patchbay-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
mkdirSync(join(folder, 'echo'))
writeFileSync(
  join(folder, 'echo/index.js'),
  `import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
export default definePlugin({
  name: 'echo', config: Type.Object({}), isAuthConfigured: () => true, createClient: () => ({}),
  tools: [defineTool({ name: 'back', description: 'Gives back what it is given', access: 'read',
    input: Type.Object({ text: Type.String() }), run: ({ text }) => text })],
})`,
)

console.log('### Starts of a plugin in its own process\n')
const host = await hostWith(['inline', 'process'])
console.log(`| | inline | process | added |`)
console.log('|---|---|---|---|')
const [pid] = childrenOf(process.pid).filter((child) => commandOf(child).includes('isolate/child'))
if (pid !== undefined)
  console.log(
    `| memory of the process, idle | | ${megabytes(pid, 'Rss')} MB resident | ${megabytes(pid, 'Pss')} MB of them its own share |`,
  )
await host.close()

const starts = { inline: [] as number[], process: [] as number[] }
for (let round = 0; round < 5; round++)
  for (const mode of MODES) {
    const before = performance.now()
    const one = await hostWith([mode])
    starts[mode].push(performance.now() - before)
    await one.close()
  }
row('createHost with one plugin, median of 5', at(starts.inline, 0.5), at(starts.process, 0.5), 'ms')

await spare()

function hostWith(modes: readonly Mode[]): Promise<Host> {
  return createHost(
    { plugins: modes.map((isolation) => ({ use: './echo', as: isolation, isolation })) },
    { file: join(folder, 'mcp.config.ts'), env: {}, patienceMs: Infinity },
  )
}

function at(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length * share)] ?? Number.NaN
}

function row(name: string, inline: number, own: number, unit: string): void {
  console.log(`| ${name} | ${Math.round(inline)} ${unit} | ${Math.round(own)} ${unit} | ${Math.round(own - inline)} ${unit} |`)
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((id) => id > 0 && new RegExp(`^PPid:\\s+${parent}$`, 'm').test(read(`/proc/${id}/status`)))
}

function commandOf(id: number): string {
  return read(`/proc/${id}/cmdline`)
}

function megabytes(id: number, what: string): number {
  const [, kilobytes = '0'] = new RegExp(`^${what}:\\s+(\\d+) kB`, 'm').exec(read(`/proc/${id}/smaps_rollup`)) ?? []
  return Math.round(Number(kilobytes) / 1_024)
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** What the process that is kept ready for the plugin being edited saves of a reload, and takes of memory. */
async function spare(): Promise<void> {
  const took = { without: [] as number[], with: [] as number[] }
  let memory = NaN
  for (const mode of ['without', 'with'] as const) {
    const edited = await createHost(
      { plugins: [{ use: './echo', isolation: 'process' }] },
      { file: join(folder, 'mcp.config.ts'), env: {}, patienceMs: Infinity, expectReloads: mode === 'with' },
    )
    for (let round = 0; round < 5; round++) {
      // It is started 300 ms after the last start, and takes its time.
      await new Promise((resolve) => setTimeout(resolve, 2_500))
      const ready = childrenOf(process.pid).filter((child) => commandOf(child).includes('isolate/child'))
      if (mode === 'with') memory = megabytes(Math.max(...ready), 'Pss')
      const source = `${readFileSync(join(folder, 'echo/index.js'), 'utf8')}\n// ${mode} ${round}`
      writeFileSync(join(folder, 'echo/index.js'), source)
      const before = performance.now()
      await edited.apply({ changed: new Set([join(folder, 'echo/index.js')]) })
      took[mode].push(performance.now() - before)
    }
    await edited.close()
  }
  console.log(
    `\nA reload takes ${Math.round(at(took.without, 0.5))} ms, and ${Math.round(at(took.with, 0.5))} ms where a process is kept ready, which holds ${memory} MB (medians of 5).`,
  )
}
