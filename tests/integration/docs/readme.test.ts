import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { blocksOf } from '../../fixtures/markdown-blocks.ts'
import { createPageProject } from '../../fixtures/http/page-project.ts'

const root = join(import.meta.dirname, '../../..')
const blocks = blocksOf(join(root, 'README.md'))
const commands = blocks.filter(({ language }) => language === 'sh').flatMap(({ text }) => text.trim().split('\n'))
const run = promisify(execFile)

const project = createPageProject(blocks)
after(() => project[Symbol.dispose]())

const patchbay = (folder: string, args: readonly string[]) => run(join(root, 'node_modules/.bin/patchbay'), args, { cwd: folder })

describe('README', () => {
  test('its TypeScript compiles as strictly as ours', async () => {
    assert.equal(await project.compile(), '')
  })

  test('its JSON parses', () => {
    for (const { text } of blocks.filter(({ language }) => language === 'json')) assert.doesNotThrow(() => JSON.parse(text))
  })

  test('its two commands are those of package.json', () => {
    assert.ok(commands.includes('npm ci && npm start'))
    assert.ok(commands.includes('npm ci && npm test'))
  })

  /** What each command of the page must print; a command that is not here fails the test below. */
  const outputs: Readonly<Record<string, { readonly folder: string; readonly prints: RegExp }>> = {
    'npx mcp-patchbay list': { folder: root, prints: /^sqlite .*active/m },
    'npx mcp-patchbay call sqlite_tables_list': { folder: root, prints: /^\| table \|/m },
    'npx mcp-patchbay explain github_issues_get': { folder: root, prints: /not_configured +refuse +.*GITHUB_PERSONAL_TOKEN/ },
    'npx mcp-patchbay call greeter_people_greet name=Ada': { folder: project.folder, prints: /^\*\*Hello, Ada!\*\*$/m },
  }
  const withoutToken = new Set([
    'npm ci && npm start',
    'npm ci && npm test',
    // run for every client by command-line/install-into-clients.test.ts
    'npx mcp-patchbay install claude-code',
    'npx mcp-patchbay install claude-code --http',
    'npm run example', // run by examples.test.ts
    // run by tests/packed/new-user.ts
    'npm create mcp-patchbay my-server',
    'cd my-server',
    'npm install',
    'npm run dev',
    'npx mcp-patchbay call hello_people_greet name=Ada',
    // run by deploy/tests/image.test.ts
    'npx mcp-patchbay lock',
    'docker build --tag my-server .',
    'docker run --rm --interactive my-server start --stdio',
  ])

  /** What clients run, as a command line. */
  const served = blocks
    .filter(({ text }) => text.includes('"--stdio"'))
    .map(({ text }) => {
      const { mcpServers } = JSON.parse(text) as { mcpServers: { patchbay: { command: string; args: string[] } } }
      return [mcpServers.patchbay.command, ...mcpServers.patchbay.args]
    })
  assert.equal(served.length, 1)
  for (const line of served)
    test(`\`${line.join(' ')}\` serves from the root of the file system, with the Node of the machine`, async () => {
      const [command = '', ...args] = line.map((word) => word.replace('/path/to/project', root))
      const child = spawn(command, args, { cwd: '/', stdio: ['pipe', 'pipe', 'ignore'] })
      const clientInfo = { name: 'readme', version: '1' }
      const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
      child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })}\n`)
      const lines = createInterface(child.stdout)
      const [answer] = (await once(lines, 'line')) as [string]
      assert.match(answer, /"serverInfo":\{"name":"patchbay"/)
      child.stdin.end()
      const [code] = (await once(child, 'exit')) as [number]
      assert.equal(code, 0)
    })

  for (const command of commands.filter((line) => !withoutToken.has(line)))
    test(`its command \`${command}\` prints what it says`, async () => {
      const expected = outputs[command]
      assert.ok(expected, 'the test knows what the command prints')
      const { stdout } = await patchbay(expected.folder, command.split(' ').slice(2))
      assert.match(stdout, expected.prints)
    })

  test('what npm start runs serves, and ends when it is told to', async () => {
    const child = spawn(join(root, 'node_modules/.bin/patchbay'), ['start', '--port', '0', '--management-port', '0'], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    try {
      let url = ''
      for await (const line of createInterface(child.stderr)) {
        const entry = JSON.parse(line) as { event: string; url?: string }
        if (entry.event !== 'listening') continue
        url = entry.url ?? ''
        break
      }
      const answer = await fetch(new URL('/healthz', url))
      assert.equal(answer.status, 200)
    } finally {
      child.kill('SIGTERM')
    }
    child.stderr.resume()
    const [code] = (await once(child, 'exit')) as [number]
    assert.equal(code, 0)
  })
})
