// Twenty MCP servers that others wrote, as npm has them, confined and through the host: what each lists by itself it lists through us, in
// both eras, and what it is asked it answers. Writes docs/advanced/tested-servers.md, and fails when that was something else.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { fakeLog } from '@mcp-patchbay/plugin-api/testing'
import { resolveConfig } from '../../host/src/config/file/resolve-config.ts'
import type { EntryConfig, HostConfig } from '../../host/src/config/schema/schema.ts'
import { serverOf } from '../../host/src/config/schema/server/server-specifier.ts'
import { createHost } from '../../host/src/host.ts'
import { resolveInstalledServer } from '../../host/src/plugin/mcp-server/install/installed-server.ts'
import type { Host } from '../../host/src/types.ts'
import { markdownTable as table } from '../fixtures/markdown-table.ts'
import { v1, v2, type ClientOptions, type TestClient } from '../fixtures/http/mcp-clients.ts'
import { runPatchbay } from '../fixtures/projects/patchbay-process.ts'

const root = join(import.meta.dirname, 'project')
const page = join(import.meta.dirname, '../../docs/advanced/tested-servers.md')
const config = JSON.parse(readFileSync(join(root, 'mcp.config.json'), 'utf8')) as Omit<HostConfig, 'plugins'> & {
  readonly plugins: readonly (EntryConfig & { readonly as: string })[]
}
/** One more entry of the first server, for what it asks its caller. */
const ASKING = 'asking'
const entries = config.plugins.filter(({ as }) => as !== ASKING)
const ERAS = { '2025-11-25': v1, '2026-07-28': v2 } as const

const log = fakeLog()
let host: Host
let url: URL

before(async () => {
  // The registry is the machine's.
  const ownEnv = { ...process.env } as Record<string, string>
  // What runs as a command is installed by a config of its own: the other one names only how it is run.
  for (const file of ['mcp.config.json', 'mcp.installed.json']) {
    const installed = await runPatchbay(['install', '--config', file], { cwd: root, env: ownEnv })
    assert.equal(installed.code, 0, installed.stderr)
  }
  const env = { PATH: process.env['PATH'] }
  host = await createHost(resolveConfig(config), { file: join(root, 'mcp.config.json'), env, log, patienceMs: Infinity })
  url = new URL((await host.listen({ http: { port: 0 } })).url ?? '')
})
after(() => host.close({ graceMs: 0 }))

/** What a server lists to a client of its own, started as people start it: unconfined. */
interface Alone {
  readonly era: string
  readonly tools: readonly string[]
}

async function alone({ use, version = '', args = [], env = {}, command = [] }: EntryConfig): Promise<Alone> {
  const server = serverOf(use)
  const [program = '', ...words] =
    server?.kind === 'npm'
      ? [process.execPath, (await resolveInstalledServer({ name: server.name, version, root })).entryFile]
      : command
  const variables = Object.fromEntries(Object.entries(env).filter((one): one is [string, string] => typeof one[1] === 'string'))
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } })
  await client.connect(
    new StdioClientTransport({ command: program, args: [...words, ...args], env: variables, cwd: root, stderr: 'ignore' }),
  )
  try {
    const { tools } = await client.listTools()
    return { era: client.getProtocolEra() === 'modern' ? '2026-07-28' : '2025', tools: tools.map(({ name }) => name) }
  } finally {
    await client.close()
  }
}

interface Row {
  readonly entry: EntryConfig
  readonly era: string
  readonly alone: number
  readonly served: number
  readonly leftOut: readonly { readonly name: string; readonly problem: string }[]
}
const rows: Row[] = []

test('lists through the host, in both eras, all that it lists by itself; what cannot be served is named', async (t) => {
  const listed = await Promise.all(Object.values(ERAS).map(async (connect) => (await connect(t, url)).tools()))
  const { plugins } = host.list()
  for (const entry of entries) {
    const { as } = entry
    await t.test(as, async () => {
      const plugin = plugins.find(({ name }) => name === as)
      assert.equal(plugin?.state, 'active', plugin?.reason?.message ?? 'it is not listed')
      const { era, tools } = await alone(entry)
      const served = plugin.tools.map(({ name }) => name)
      const leftOut = plugin.warnings.filter((warning) => warning.leftOut && /this tool is left out/.test(warning.problem))
      assert.equal(served.length + leftOut.length, tools.length, 'all of them')
      for (const names of listed) for (const name of served) assert.ok(names.includes(name), name)
      for (const { problem } of leftOut) assert.match(problem, /tool is left out: \S/)
      rows.push({ entry, era, alone: tools.length, served: served.length, leftOut })
    })
  }
})

test('answers every call that needs no more than arguments, and nothing is INTERNAL', async (t) => {
  const clients = await Promise.all(Object.values(ERAS).map((connect) => connect(t, url)))
  const tools = [...host.snapshot.tools.values()].filter(({ wire, access, plugin }) => {
    const { required } = wire.inputSchema as { required?: readonly string[] }
    // A tool that needs arguments is refused without; one that only reads may run. The browsers have no browser here.
    return (
      plugin.instance !== ASKING &&
      ((required?.length ?? 0) > 0 || (access === 'read' && !/^(?:devtools|playwright)$/.test(plugin.instance)))
    )
  })
  assert.ok(tools.length > 100, `${tools.length} tools`)
  const answers: string[] = []
  for (const client of clients) {
    const queue = tools.values()
    const work = async () => {
      for (const { name } of queue) {
        const text = await client.callWhole(name, {}).then((answer) => JSON.stringify(answer), String)
        answers.push(`${name}: ${text}`)
      }
    }
    await Promise.all([work(), work(), work(), work()])
  }
  assert.equal(answers.length, tools.length * clients.length)
  assert.deepEqual(
    answers.filter((answer) => /INTERNAL|-32603/.test(answer)),
    [],
  )
})

/** What server-everything shows of the protocol, each in a few words. */
const FEATURES: Readonly<Record<string, (client: TestClient, t: TestContext) => Promise<void>>> = {
  'a call': async (client) => assert.equal(await client.call('everything_echo', { message: 'a' }), 'Echo: a'),
  'wrong input': async (client) => {
    const answer = await client.callWhole('everything_get_sum', { a: 'x', b: 1 }).then((result) => JSON.stringify(result), String)
    assert.match(answer, /number/)
  },
  'structured content': async (client) => {
    const { structuredContent } = await client.callWhole('everything_get_structured_content', { location: 'Chicago' })
    assert.ok(Object.keys(structuredContent as object).length > 0)
  },
  'annotated content, images': async (client) => {
    const { content } = await client.callWhole('everything_get_annotated_message', { messageType: 'success', includeImage: true })
    assert.deepEqual(
      content.map(({ type }) => type),
      ['text', 'image'],
    )
    assert.ok('annotations' in (content[0] ?? {}))
  },
  'resource links, embedded resources': async (client) => {
    const { content } = await client.callWhole('everything_get_resource_links', { count: 2 })
    assert.equal(content.filter(({ type }) => type === 'resource_link').length, 2)
    const reference = await client.callWhole('everything_get_resource_reference', { resourceType: 'Text', resourceId: 1 })
    assert.ok(reference.content.some(({ type }) => type === 'resource'))
  },
  progress: async (client) => {
    const seen: number[] = []
    const options = { onprogress: ({ progress }: { progress: number }) => void seen.push(progress) }
    await client.call('everything_trigger_long_running_operation', { duration: 1, steps: 4 }, options)
    assert.deepEqual(seen, [1, 2, 3, 4])
  },
  cancellation: async (client) => {
    const stop = new AbortController()
    const options = { signal: stop.signal, onprogress: () => stop.abort() }
    await assert.rejects(client.call('everything_trigger_long_running_operation', { duration: 30, steps: 30 }, options))
    assert.equal(await client.call('everything_echo', { message: 'b' }), 'Echo: b')
  },
  resources: async (client) => {
    const uris = await client.resources()
    const uri = uris.find((one) => one.endsWith('features.md')) ?? assert.fail(uris.join(' '))
    assert.match((await client.read(uri)) ?? '', /\w/)
  },
  'resource templates': async (client) => {
    const templates = await client.templates()
    const template = templates.find((one) => one.includes('text')) ?? assert.fail(templates.join(' '))
    assert.match((await client.read(template.replace(/\{[^}]*\}/, '7'))) ?? '', /7/)
  },
  prompts: async (client) => {
    assert.ok((await client.prompts()).includes('everything_args_prompt'))
    assert.match(await client.prompt('everything_args_prompt', { city: 'Bern' }), /Bern/)
  },
  elicitation: async (client) => assert.match(await client.call('asking_trigger_elicitation_request'), /user/i),
  sampling: async (client) => assert.match(await client.call('asking_trigger_sampling_request', { prompt: 'Where?' }), /Paris/),
}
const CAPABLE: ClientOptions = { answers: () => 'Ada' }
const cells = new Map<string, string[]>()

for (const [era, connect] of Object.entries(ERAS))
  test(`server-everything shows a client of ${era}`, async (t) => {
    const client = await connect(t, url, CAPABLE)
    for (const [feature, check] of Object.entries(FEATURES)) {
      const row = cells.get(feature) ?? []
      cells.set(feature, row)
      row.push('✘')
      await t.test(feature, async (inner) => {
        await check(client, inner)
        row[row.length - 1] = '✔'
      })
    }
  })

test('the page of tested servers says what these tests have seen', () => {
  assert.deepEqual([rows.length, cells.size], [entries.length, Object.keys(FEATURES).length], 'nothing was left out')
  const text = pageOf()
  const before = readFileSync(page, { encoding: 'utf8', flag: 'a+' })
  writeFileSync(page, text)
  assert.equal(before, text, 'docs/advanced/tested-servers.md is written again: look at it and commit it')
})

function pageOf(): string {
  const servers = rows.map(({ entry, era, alone: own, served }) => [
    nameOf(entry),
    versionOf(entry),
    entry.use === 'mcp:exec' ? 'no' : 'yes',
    era,
    String(own),
    String(served),
  ])
  const leftOut = rows.flatMap(({ entry, leftOut: items }) =>
    items.map(({ name, problem }) => `- \`${name}\` of ${nameOf(entry)}: ${problem.replace('this tool is left out: ', '')}`),
  )
  return `# MCP servers that are tested

\`npm run test:servers\` installs these servers from npm, starts them, and writes this page. A server is started once by itself and once
through the host; the columns say how many tools it has each time. All of them are listed to clients of 2025-11-25 and of 2026-07-28.
Every tool that can be called without an account is called in both: none fails with an error of the host's own.

${table(['server', 'version', 'confined', 'speaks', 'tools alone', 'tools here'], servers)}

What is not served is named, here as in \`patchbay list\`:

${leftOut.join('\n')}

## What passes through

With [server-everything](https://www.npmjs.com/package/@modelcontextprotocol/server-everything), which speaks 2025-11-25, for a client of:

${table(
  ['feature', ...Object.keys(ERAS)],
  [...cells].map(([feature, row]) => [feature, ...row]),
)}

Elicitation and sampling need \`share: 'caller'\` or \`'session'\`.
`
}

/** The package, also of a server that is started by its path. */
function nameOf({ use, command = [] }: EntryConfig): string {
  return use.startsWith('mcp:npm:') ? use.slice('mcp:npm:'.length) : (/servers\/(@?[^@]+)@/.exec(command.join(' '))?.[1] ?? use)
}

function versionOf({ version, command = [] }: EntryConfig): string {
  return version ?? /servers\/@?[^@]+@([^/]+)\//.exec(command.join(' '))?.[1] ?? ''
}
