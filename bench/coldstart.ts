/**
 * How long from the spawn to the first `tools/list`? Patchbay with ten plugins, which it imports, or knows from an earlier start; the
 * others with the same tools. And as a deployment starts: one `.ts` plugin, NODE_ENV=production, frozen, with a lock of 10 and of 1,000
 * tools, over HTTP and stdio. What each keeps of compiled code was kept by a start before, where it keeps any.
 *
 *   node bench/coldstart.ts
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { firstList } from './lib/first-list.ts'
import { lockedProject } from './lib/locked-project.ts'
import { figureOf, ratioTo, ROUNDS, table, type Row } from './lib/report.ts'
import { record } from './lib/results.ts'
import { commandOf, freePort, Server, SERVERS, type ServerName, type Setting } from './lib/server.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchbay-bench-'))
const cells: Readonly<Record<string, Setting>> = {
  '10 plugins': { fillers: 10, plugins: 10 },
  '10 plugins, known': { fillers: 10, plugins: 10, cache: `sqlite:${join(folder, 'cache.db')}` },
}
const rows: Row[] = []
for (const setting of Object.values(cells))
  for (let start = 0; start < 2; start++) await (await Server.start('patchbay', setting)).stop()
for (let round = 0; round < ROUNDS + 2; round++) {
  for (const name of SERVERS.filter((server) => server !== 'patchbay')) {
    const ms = await measured(name, { fillers: 10 })
    for (const cell of Object.keys(cells)) rows.push({ cell, server: name, round, values: { ms } })
  }
  for (const [cell, setting] of Object.entries(cells))
    rows.push({ cell, server: 'patchbay', round, values: { ms: await measured('patchbay', setting) } })
}
console.log(table('Cold start', rows, 'ms'))

const frozen: Row[] = []
for (const tools of [10, 1_000]) {
  using project = lockedProject(tools)
  for (let round = 0; round < ROUNDS + 2; round++)
    for (const transport of ['http', 'stdio'] as const)
      for (const name of SERVERS) {
        const port = transport === 'http' ? await freePort() : undefined
        const command = name === 'patchbay' ? project.command(port) : commandOf(name, { fillers: tools }, port)
        const values = await firstList(command, port)
        frozen.push({ cell: `${tools} tools, ${transport}`, server: name, round, values: { ...values } })
      }
}
console.log(table('Cold start of a deployment: one .ts plugin, production, frozen', frozen, 'ms'))
rmSync(folder, { recursive: true })
const msOf = (cell: string) => figureOf(frozen, { cell, figure: 'ms' })
const beside = (all: readonly Row[], cell: string) => ratioTo('mcp-v2', all, { cell, figure: 'ms' })
record({
  'start-ms': figureOf(rows, { cell: '10 plugins', figure: 'ms' }),
  'start-sdk': beside(rows, '10 plugins'),
  'start-known-sdk': beside(rows, '10 plugins, known'),
  ...Object.fromEntries(
    [10, 1_000].flatMap((tools) => [
      [`frozen-${tools}-ms`, msOf(`${tools} tools, http`)],
      [`frozen-${tools}-http`, beside(frozen, `${tools} tools, http`)],
      [`frozen-${tools}-stdio`, beside(frozen, `${tools} tools, stdio`)],
    ]),
  ),
  'frozen-tool': (msOf('1000 tools, http') - msOf('10 tools, http')) / 990,
})

async function measured(name: ServerName, setting: Setting): Promise<number> {
  await using server = await Server.start(name, setting)
  return server.readyMs
}
