/**
 * How long from the spawn to the first `tools/list`? Patchbay with ten plugins, which it imports, or knows from an earlier start; the
 * others with the same tools. What each keeps of compiled code was kept by a start before.
 *
 *   node bench/coldstart.ts
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROUNDS, table, type Row } from './lib/report.ts'
import { Server, SERVERS, type ServerName, type Setting } from './lib/server.ts'

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
rmSync(folder, { recursive: true })

async function measured(name: ServerName, setting: Setting): Promise<number> {
  await using server = await Server.start(name, setting)
  return server.readyMs
}
