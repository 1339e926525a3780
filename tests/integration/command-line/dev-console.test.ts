import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test, type TestContext } from 'node:test'
import { createFeed, type Feed } from '../../fixtures/http/feed.ts'
import { v1 } from '../../fixtures/http/mcp-clients.ts'
import { revisionPlugin } from '../../fixtures/plugins/reloading.ts'
import { sourceTree, type SourceTree } from '../../fixtures/plugins/source-tree.ts'

const typescript = dirname(fileURLToPath(import.meta.resolve('typescript/package.json')))
const main = new URL('../../../host/src/main.ts', import.meta.url).pathname

interface Dev extends SourceTree {
  readonly lines: Feed<string>
  /** Everything printed up to and with the line that fits, ports, paths and times made the same in every run. */
  until(line: RegExp): Promise<string>
  readonly stop: () => Promise<{ code: number | null; stdout: string }>
}

/** `patchbay dev` in a process of its own. */
function dev(t: TestContext, files: Readonly<Record<string, string>>, config: object = {}): Dev {
  const tree = sourceTree({
    'mcp.config.json': JSON.stringify({
      pluginDirs: ['./plugins'],
      listen: { http: { port: 0 }, management: { port: 0 } },
      ...config,
    }),
    ...files,
  })
  const flags = ['--conditions=@mcp-patchbay/source', main, 'dev', '--config', tree.path('mcp.config.json')]
  const child = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NODE_ENV: '' } })
  const exited = once(child, 'exit')
  t.after(async () => {
    child.kill('SIGKILL')
    await exited
    tree[Symbol.dispose]()
  })
  const lines = createFeed<string>()
  let rest = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    const all = (rest + text).split('\n')
    rest = all.pop() ?? ''
    for (const line of all) lines.push(line)
  })
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  let from = 0
  return {
    ...tree,
    lines,
    async until(pattern) {
      await lines.next((line) => pattern.test(line))
      // What clients see otherwise stands below a reload, and may come with the next lines; a test of its own reads it.
      const text = lines.all
        .slice(from)
        .filter((line) => pattern.test(line) || !/^ {2}[+~-] /.test(line))
        .join('\n')
      from = lines.all.length
      return text
        .replaceAll(tree.root, 'ROOT')
        .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')
        .replace(/#token=[\w-]{32}/g, '#token=TOKEN')
        .replace(/ · [\d.]+ ms/g, ' · N ms')
        .replace(/patchbay-\w+/g, 'FOLDER')
        .replace(/ +│$/gm, ' │')
        .replace(/─+/g, '─')
    },
    async stop() {
      child.kill('SIGTERM')
      const [code] = (await exited) as [number | null]
      return { code, stdout }
    },
  }
}

test('shows at start where it listens, every plugin with its state, and which tools are shown and why others are not', async (t) => {
  const needy = revisionPlugin('needy', 1)
    .replace('Type }', 'Type, Secret, hasCredential }')
    .replace('config: Type.Object({})', 'config: Type.Object({ apiKey: Type.Optional(Secret()) })')
    .replace('isAuthConfigured: () => true', 'isAuthConfigured: hasCredential')
  const at = dev(
    t,
    {
      'plugins/broken/index.ts': 'export default {\n  name: "broken",\n  tools: [,\n}\n',
      'plugins/good/index.ts': revisionPlugin('good', 1, { tools: ['rev', 'other'] }),
      'plugins/needy/index.ts': needy,
    },
    { tools: { deny: ['good_other'] } },
  )
  assert.equal(
    await at.until(/Watching/),
    `╭─╮
│ Patchbay dev │
│ MCP         http://127.0.0.1:PORT/mcp │
│ management  http://127.0.0.1:PORT │
│ page        http://127.0.0.1:PORT/#token=TOKEN │
│ config      ROOT/mcp.config.json │
╰─╯

  broken  failed  in the host · 0 tools
      Plugin "broken" could not be imported: ROOT/plugins/broken/index.ts:4:1 has a syntax error: Expression expected

        2 |   name: "broken",
        3 |   tools: [,
      > 4 | }
          | ^
        5 | 

      - Fix that line and save. Until then the previous version keeps serving
  good    active  in the host · 1 of 2 tools
      good_rev
      good_other hidden: denied_by_host
  needy   unconfigured  in the host · 0 of 1 tool
      Plugin "needy" is not configured: no credential is set
      - Set NEEDY_API_KEY in the environment or in .env
      - Or point NEEDY_API_KEY_FILE at a file that holds it
      - Or have each caller send one of their own: serverCredentials: 'deny' on the entry "needy"

Connect Claude Code:
  claude mcp add --transport http FOLDER http://127.0.0.1:PORT/mcp

Watching plugins, config and .env.`,
  )
})

test('prints a line for each reload, the lines around a fault, and that it is fixed', async (t) => {
  const at = dev(t, { 'plugins/x/index.ts': revisionPlugin('x', 1) })
  await at.until(/Watching/)
  at.write('plugins/x/index.ts', revisionPlugin('x', 2, { tools: ['rev', 'more'] }))
  assert.equal(await at.until(/^generation/), 'generation 2 · x · N ms · +1 ~0 -0 · 0 calls finished on 1 · 0 lost')
  at.write('plugins/x/index.ts', `const tools = undefined\nexport default { tools: tools.map((tool) => tool) }\n`)
  assert.equal(
    await at.until(/^ {6}- /),
    `✖ x was not reloaded, the version of generation 2 goes on
      Plugin "x" could not be imported: Cannot read properties of undefined (reading 'map')

        1 | const tools = undefined
      > 2 | export default { tools: tools.map((tool) => tool) }
          |                               ^
        3 | 

      at ROOT/plugins/x/index.ts:2:31
      - Fix the file. With --watch the next save is tried at once`,
  )
  at.write('plugins/x/index.ts', revisionPlugin('x', 3))
  assert.equal(await at.until(/^generation/), 'generation 4 · x · N ms · +0 ~0 -1 · recovered · 0 calls finished on 2 · 0 lost')
  assert.deepEqual(await at.stop(), { code: 0, stdout: '' })
})

test('says which calls finish on the old version, and once more when they have', async (t) => {
  const waiting = revisionPlugin('x', 1).replace(
    'run: () => "1"',
    `run: (_, { log, signal }) => { log.info('waiting_for_file', { evil: '\\u001b[31mred' }); return new Promise((resolve) => { const look = () => existsSync(new URL('go', import.meta.url)) ? resolve('done') : setTimeout(look, 1); look() }) }`,
  )
  const at = dev(t, { 'plugins/x/index.ts': `import { existsSync } from 'node:fs'\n${waiting}` })
  await at.until(/Watching/)
  const url = at.lines.all.map((line) => /MCP +(http\S+)/.exec(line)?.[1]).find((found) => found !== undefined)
  const client = await v1(t, new URL(url ?? ''))
  const call = client.call('x_rev')
  assert.match(await at.until(/waiting_for_file/), /info {2}plugin\.waiting_for_file plugin=x call=\S+ evil=red$/)
  at.write('plugins/x/index.ts', revisionPlugin('x', 2))
  assert.equal(await at.until(/^generation/), 'generation 2 · x · N ms · +0 ~0 -0 · 1 call finishing on 1')
  at.write('plugins/x/go', '')
  assert.equal(await call, 'done')
  assert.equal(
    await at.until(/^generation/),
    'call · x_rev · operator · ok · N ms\ngeneration 2 · x · N ms · +0 ~0 -0 · 1 call finished on 1 · 0 lost',
  )
})

test('shows plugins that come and go, and a config that is wrong, right again, or needs a restart', async (t) => {
  const at = dev(t, { 'plugins/x/index.ts': revisionPlugin('x', 1) })
  await at.until(/Watching/)
  at.write('plugins/y.ts', revisionPlugin('y', 1))
  assert.equal(await at.until(/^generation/), 'generation 2 · y · N ms · +1 ~0 -0 · added')
  at.remove('plugins/y.ts')
  assert.equal(await at.until(/^generation/), 'generation 3 · y · +0 ~0 -1 · removed')
  at.write('mcp.config.json', '{ "pluginDirs": ["./plugins"], "readonly": true }')
  assert.match(
    await at.until(/See .*docs.errors\.md/),
    /^✖ the config was not taken over, the one before goes on\n.*mcp\.config\.json[^]*readOnly/,
  )
  at.write('mcp.config.json', '{ "pluginDirs": ["./plugins"], "readOnly": true, "listen": { "http": { "port": 1 } } }')
  assert.match(
    await at.until(/restart to use it/),
    /generation \d · mcp\.config\.json taken over · 1 tool shown\n {2}listen differs/,
  )
})

test('prints what changed for clients, every call, and type errors of what was saved', async (t) => {
  const wrong = "const wrong: string = 1\nexport const right: string = ''\n"
  const at = dev(t, {
    'plugins/x/index.ts': revisionPlugin('x', 1),
    'package.json': '{}',
    'tsconfig.json':
      '{ "compilerOptions": { "strict": true, "module": "nodenext", "types": [] }, "include": ["plugins/*/kept.ts"] }',
    'plugins/x/kept.ts': "export const right: string = ''\n",
    'node_modules/typescript/package.json': readFileSync(join(typescript, 'package.json'), 'utf8'),
  })
  for (const part of ['bin', 'lib']) symlinkSync(join(typescript, part), at.path(`node_modules/typescript/${part}`))
  await at.until(/Watching/)
  at.write(
    'plugins/x/index.ts',
    `import './kept.ts'\n${revisionPlugin('x', 2, { tools: ['rev', 'more'], description: 'Says it.' })}`,
  )
  await at.until(/^ {2}~ x_rev/)
  assert.deepEqual(
    at.lines.all.filter((line) => /^ {2}[+~-] /.test(line)),
    ['  + x_more', '  ~ x_rev  description'],
  )
  const url = at.lines.all.map((line) => /MCP +(http\S+)/.exec(line)?.[1]).find((found) => found !== undefined)
  const client = await v1(t, new URL(url ?? ''))
  assert.equal(await client.call('x_rev'), '2')
  assert.equal(await at.until(/^call/), 'call · x_rev · operator · ok · N ms')
  await client.call('x_none').catch(() => undefined)
  assert.equal(await at.until(/^call/), 'call · x_none · operator · denied: unknown')
  at.write('plugins/x/kept.ts', wrong)
  assert.equal(
    await at.until(/types/),
    `generation 3 · x · N ms · +0 ~0 -0 · 0 calls finished on 2 · 0 lost
  types · plugins/x/kept.ts:1:7 · Type 'number' is not assignable to type 'string'. TS2322`,
  )
  at.write('plugins/x/kept.ts', wrong.slice(wrong.indexOf('export')))
  assert.match(await at.until(/types/), /types · right again$/)
})
