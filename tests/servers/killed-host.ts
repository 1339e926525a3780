// Hosts that are killed at moments that differ from one to the next, with everything running that they start: nothing of it is left.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, createReadStream, openSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { rawClient } from '../fixtures/http/raw-client.ts'
import { processesOf, until } from '../fixtures/plugins/plugin-processes.ts'
import { sourceTree } from '../fixtures/plugins/source-tree.ts'
import { spawnPatchbay, type LogLine } from '../fixtures/projects/patchbay-process.ts'

const KILLS = Number(process.env['KILLS'] ?? 8)
const server = join(import.meta.dirname, '../fixtures/servers/raw-server.mjs')

/** What runs holds this pipe open: who reads from it hears when the last of them has ended. */
const ALIVE = 'alive'

/** A plugin in a process of its own that is in an endless loop whenever it is called. */
const isolated = (alive: string) => `import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
import { openSync } from 'node:fs'
openSync(${JSON.stringify(alive)}, 'a')
export default definePlugin({
  name: 'apart', config: Type.Object({}), isAuthConfigured: () => true, createClient: () => ({}),
  tools: [defineTool({ name: 'spin', description: 'Never ends', access: 'read', input: Type.Object({}), run: () => { for (;;); } })],
})`

test(
  'a host that is killed at any moment leaves no server, no process of theirs and no plugin',
  { skip: process.platform !== 'linux' && 'there is no /proc' },
  async (t) => {
    let longestMs = 0
    let most = 0
    for (let kill = 1; kill <= KILLS; kill++) {
      using tree = sourceTree()
      const alive = tree.path(ALIVE)
      execFileSync('mkfifo', [alive])
      const command = [process.execPath, server, 'group', alive]
      tree.write('apart/index.ts', isolated(alive))
      tree.write(
        'mcp.config.json',
        JSON.stringify({
          log: { level: 'debug', audit: true },
          plugins: [
            { use: 'mcp:exec', as: 'one', command },
            { use: 'mcp:exec', as: 'each', command, share: 'caller' },
            { use: './apart', isolation: 'process', capabilities: { fs: { write: [`./${ALIVE}`] } } },
          ],
        }),
      )
      const held = createReadStream(alive)
      const host = spawnPatchbay(['start', '--port', '0', '--management-port', '0', '--config', tree.path('mcp.config.json')], {
        cwd: tree.root,
      })
      const exited = once(host, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
      // The moment is a line of its log: some are of its start, and some of calls that run.
      const moment = kill * 3
      let lines = 0
      createInterface(host.stderr).on('line', (line) => {
        if (++lines === moment) {
          most = Math.max(most, processesOf(tree.root).length)
          host.kill('SIGKILL')
        }
        if (!line.startsWith('{"')) return
        const { event, url } = JSON.parse(line) as LogLine
        if (event !== 'listening') return
        for (const name of ['one_echo', 'each_echo', 'apart_spin']) callOn(new URL(String(url)), name).catch(() => {}) // it is killed
      })
      const [, signal] = await exited
      assert.equal(signal, 'SIGKILL', 'it ran until then')
      const endedAt = performance.now()
      // Opens and closes it once, for a host that had started nothing yet.
      closeSync(openSync(alive, 'a'))
      await once(held.resume(), 'end')
      await until(() => processesOf(tree.root).length === 0)
      longestMs = Math.max(longestMs, performance.now() - endedAt)
    }
    assert.ok(most >= 4, `some had all of them running, and the most were ${most}`)
    t.diagnostic(`${KILLS} hosts killed; the last process was gone ${Math.round(longestMs)} ms after its host, at the longest`)
  },
)

/** Calls without an end: each is a line of the log. */
async function callOn(url: URL, name: string): Promise<void> {
  const client = rawClient(url)
  for (;;) await client.call(name)
}
