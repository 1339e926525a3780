// The official conformance suite against server-everything alone and through the host: what it passes alone it passes through the host.
// Writes docs/advanced/conformance-through-the-host.md, and fails when that was something else.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { fakeLog } from '@mcp-patchbay/plugin-api/testing'
import { resolveConfig } from '../../host/src/config/file/resolve-config.ts'
import { createHost } from '../../host/src/host.ts'
import { resolveInstalledServer } from '../../host/src/plugin/mcp-server/install/installed-server.ts'
import type { Host } from '../../host/src/types.ts'
import { markdownTable as table } from '../fixtures/markdown-table.ts'
import { conformance, LATEST, type ConformanceRun } from '../fixtures/conformance-run.ts'
import { runPatchbay } from '../fixtures/projects/patchbay-process.ts'

const root = join(import.meta.dirname, 'project')
const page = join(import.meta.dirname, '../../docs/advanced/conformance-through-the-host.md')
const everything = { name: '@modelcontextprotocol/server-everything', version: '2026.8.31' }
const REVISIONS = ['2025-11-25', '2026-07-28'] as const

let host: Host
let through: URL
let alone: URL
const stop: (() => unknown)[] = []

before(async () => {
  const { code, stderr } = await runPatchbay(['install', '--config', 'mcp.everything.json'], {
    cwd: root,
    env: { ...process.env } as Record<string, string>,
  })
  assert.equal(code, 0, stderr)
  const port = await freePort()
  const { entryFile } = await resolveInstalledServer({ ...everything, root })
  const server = spawn(process.execPath, [entryFile, 'streamableHttp'], {
    cwd: root,
    env: { PORT: String(port) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  stop.push(() => server.kill('SIGKILL'))
  const lines = createInterface(server.stderr)
  for await (const line of lines) if (line.includes(String(port))) break
  server.stderr.resume()
  alone = new URL(`http://127.0.0.1:${port}/mcp`)

  const plugins = [
    { use: `mcp:npm:${everything.name}`, version: everything.version, as: 'everything', share: 'session' as const },
  ]
  host = await createHost(resolveConfig({ plugins }), {
    file: join(root, 'mcp.everything.json'),
    env: { PATH: process.env['PATH'] },
    log: fakeLog(),
    patienceMs: Infinity,
  })
  stop.push(() => host.close({ graceMs: 0 }))
  through = new URL((await host.listen({ http: { port: 0 } })).url ?? '')
})
after(async () => {
  for (const one of stop) await one()
})

interface Row {
  readonly revision: string
  readonly scenario: string
  readonly alone: string
  readonly through: string
}
const rows: Row[] = []
const UNKNOWN_TOOL =
  'it calls a tool that the server does not have: alone a result that is an error, here an error of the protocol'
const UNKNOWN_RESOURCE = 'it follows a resource that the server does not have: alone any address is taken, here it is refused'
/** What passes alone for another reason than the one that the suite means. */
const STRICTER: Readonly<Record<string, string>> = {
  'tools-call-error': UNKNOWN_TOOL,
  'tools-call-simple-text': UNKNOWN_TOOL,
  'resources-subscribe': UNKNOWN_RESOURCE,
  'resources-unsubscribe': UNKNOWN_RESOURCE,
}
const resultOf = ({ failing, passed }: ConformanceRun, scenario: string) =>
  failing.includes(scenario) ? 'fails' : passed.has(scenario) ? 'passes' : 'not run'

for (const revision of REVISIONS)
  test(`what server-everything passes alone for ${revision} it passes through the host`, async () => {
    const args = ['--requirements', revision]
    const [own, ours] = [await conformance(alone, LATEST, args), await conformance(through, LATEST, args)]
    assert.ok(own.scenarios > 20, own.output)
    const scenarios = [...new Set([...own.passed.keys(), ...ours.passed.keys()])].toSorted()
    for (const scenario of scenarios)
      rows.push({ revision, scenario, alone: resultOf(own, scenario), through: resultOf(ours, scenario) })
    const worse = scenarios.filter((scenario) => resultOf(own, scenario) === 'passes' && resultOf(ours, scenario) !== 'passes')
    for (const scenario of worse) assert.ok(scenario in STRICTER, `${scenario}: ${ours.output}`)
  })

test('the page says what these tests have seen', () => {
  const text = pageOf()
  const earlier = readFileSync(page, { encoding: 'utf8', flag: 'a+' })
  writeFileSync(page, text)
  assert.equal(earlier, text, 'docs/advanced/conformance-through-the-host.md is written again: look at it and commit it')
})

function pageOf(): string {
  const differing = rows.filter((row) => row.alone !== row.through)
  const counts = REVISIONS.map((revision) => {
    const of = rows.filter((row) => row.revision === revision)
    const count = (side: 'alone' | 'through') => `${of.filter((row) => row[side] === 'passes').length} of ${of.length}`
    return [revision, count('alone'), count('through')]
  })
  return `# Conformance of a server through the host

\`npm run test:servers\` runs the server scenarios of the [official conformance suite](https://www.npmjs.com/package/${LATEST})
against [server-everything](https://www.npmjs.com/package/${everything.name}) ${everything.version} over Streamable HTTP, once alone and once through the
host, and writes this page. Most scenarios call tools that only the suite's own example server has, so they fail on both sides. server-everything does not speak 2026-07-28:
clients of that revision reach it only through the host.

${table(['revision', 'passed alone', 'passed through the host'], counts)}

Every scenario whose result is different:

${table(
  ['revision', 'scenario', 'alone', 'here', 'why'],
  differing.map((row) => [
    row.revision,
    row.scenario,
    row.alone,
    row.through,
    row.through === 'passes' ? '' : (STRICTER[row.scenario] ?? ''),
  ]),
)}
`
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}
