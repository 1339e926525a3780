import assert from 'node:assert/strict'
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { describeError, HostError } from '../../../host/src/errors.ts'
import { loadConfig } from '../../../host/src/config/file/load-config.ts'
import { silentLogger } from '../../../host/src/observability/logger.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'patchbay-failing-')))
after(() => rmSync(root, { recursive: true }))

interface Case {
  readonly what: string
  readonly text: string
  /** What follows the file's name in the message. */
  readonly message: string
  readonly frame?: string
  readonly fix?: string
  readonly name?: string
}

const cases: readonly Case[] = [
  {
    what: 'throws',
    text: `const port: number = 1\nthrow new TypeError('no port ' + port)\nexport default {}`,
    message: `:2:7 could not be read as a config: TypeError: no port 1`,
    frame: `  1 | const port: number = 1\n> 2 | throw new TypeError('no port ' + port)\n    |       ^\n  3 | export default {}`,
  },
  {
    what: 'rejects a top-level await',
    text: `await Promise.reject(new Error('not today'))\nexport default {}`,
    message: `:1:22 could not be read as a config: Error: not today`,
  },
  {
    what: 'throws what is no error',
    text: `throw 'a string'`,
    message: ` could not be read as a config: it threw "a string" and not an error`,
  },
  {
    what: 'throws an error that throws when it is looked at',
    text: `throw Object.defineProperty(new Error('x'), 'message', { get() { throw new Error('y') } })`,
    message: ` could not be read as a config: Error`,
  },
  {
    what: 'fails in a timer while it waits',
    text: `setTimeout(() => { throw new Error('late') })\nawait new Promise(() => {})\nexport default {}`,
    message: `:1:26 could not be read as a config: Error: late`,
  },
  {
    what: 'exits',
    text: `\nprocess.exit(3)\nexport default {}`,
    message: `:2:9 could not be read as a config: it called process.exit(3)`,
    fix: 'Throw an error instead, which says what is wrong: throw new Error("…")',
  },
  {
    what: 'loops forever',
    text: `for (;;);\nexport default {}`,
    message: ` could not be read as a config: it did not finish within 2000 ms`,
    fix: 'Look for a loop without end, or a top-level await that never resolves',
  },
  {
    what: 'waits for a command that does not end',
    text: `import { execSync } from 'node:child_process'\nexecSync('sleep 10')\nexport default {}`,
    message: ` could not be read as a config: it did not finish within 2000 ms`,
  },
  {
    what: 'waits for what never comes',
    text: `await new Promise(() => {})\nexport default {}`,
    message: ` could not be read as a config: its process ended before its default export was ready`,
  },
  {
    what: 'collects without end',
    text: `const all = []\nfor (;;) all.push(Array(2 ** 24).fill(1))\nexport default all`,
    message: ` could not be read as a config: it used up its memory, or crashed Node`,
  },
  {
    what: 'kills itself',
    text: `process.kill(process.pid, 'SIGKILL')\nexport default {}`,
    message: ` could not be read as a config: its process was ended by SIGKILL`,
  },
  {
    what: 'is TypeScript that does not parse',
    text: `export default {\n  plugins: [,\n`,
    message: `:2 could not be read as a config: SyntaxError: Expression expected`,
    frame: `  1 | export default {\n> 2 |   plugins: [,\n  3 |`,
  },
  {
    what: 'is JavaScript that does not parse',
    name: 'mcp.config.mjs',
    text: `export default {\n  plugins: [,;]\n}`,
    message: `:2:14 could not be read as a config: SyntaxError: Unexpected token ';'`,
    frame: `  1 | export default {\n> 2 |   plugins: [,;]\n    |              ^\n  3 | }`,
  },
  {
    what: 'has an enum',
    text: `enum Mode { Fast }\nexport default { mode: Mode.Fast }`,
    message: `:1:1 could not be read as a config: SyntaxError: TypeScript enum is not supported in strip-only mode`,
    fix: 'Node only removes types: write an object instead of an enum or namespace, and fields instead of parameter properties',
  },
  {
    what: 'imports a file that is not there',
    text: `import { on } from './nothing.ts'\nexport default { readOnly: on }`,
    message: `:1:20 could not be read as a config: it imports "./nothing.ts", which is not there`,
    fix: 'Correct the path; it needs its extension, .ts included',
  },
  {
    what: 'imports a package that is not installed',
    text: `import on from '@acme/on'\nexport default { readOnly: on }`,
    message: `:1:16 could not be read as a config: it imports "@acme/on", which is not there`,
    fix: 'Install the package beside the config',
  },
  {
    what: 'imports a name that is not exported',
    text: `import { createHost } from 'mcp-patchbay'\nexport default { createHost }`,
    message: `:1:10 could not be read as a config: SyntaxError: The requested module 'mcp-patchbay' does not provide an export named 'createHost'`,
  },
  {
    what: 'has no default export',
    text: `export const config = {}`,
    message: ` could not be read as a config: it has no default export`,
    fix: 'Write: export default defineConfig({ … })',
  },
  {
    what: 'exports nothing at all',
    text: `const config = { readOnly: true }`,
    message: ` could not be read as a config: it has no default export`,
  },
  { what: 'is empty', text: ``, message: ` could not be read as a config: it has no default export` },
  {
    what: 'holds more than data',
    text: `class Port {}
const self: object[] = []; self.push(self)
export default {
  plugins: [{ use: () => 1 }], log: { level: Symbol('x') }, readOnly: new Port(), pluginDirs: self, limits: { drainMs: NaN },
  listen: { http: { publicUrl: new URL('http://a') } }, cache: Promise.resolve(1), tools: new Map(), frozen: 1n,
}`,
    message:
      ' could not be read as a config: plugins[0].use is the function use: a config holds data only; log.level is a symbol: write a string or a number; ' +
      'readOnly is a Port object: a config holds data only; pluginDirs[0] is an object that contains itself; ' +
      'limits.drainMs is NaN, which is no number of a config; listen.http.publicUrl is a URL object: write its href; ' +
      'cache is a promise: put await before it; tools is a Map object: a config holds data only; frozen is a bigint: write a string or a number',
  },
  {
    what: 'is JSON cut off',
    name: 'mcp.config.json',
    text: `{\n  "plugins": ["./a"`,
    message: `:2:20 could not be read as a config: expected "," or "]", but the file ends`,
  },
  {
    what: 'is JSON with a comment',
    name: 'mcp.config.json',
    text: `{\n  // the plugins\n  "plugins": []\n}`,
    message: `:2:3 could not be read as a config: expected a key in double quotes, but found "/"`,
  },
  {
    what: 'is JSON with a value left out',
    name: 'mcp.config.json',
    text: `{\n  "readOnly": ,\n  "plugins": []\n}`,
    message: `:2:15 could not be read as a config: expected a value, but found ","`,
  },
  {
    what: 'is JSON that says one thing twice',
    name: 'mcp.config.json',
    text: `{\n  "tools": { "deny": ["*"] },\n  "readOnly": true,\n  "tools": {}\n}`,
    message: `:4:3 could not be read as a config: the key "tools" stands here a second time`,
  },
  {
    what: 'is YAML that does not parse',
    name: 'mcp.config.yaml',
    text: `plugins:\n  - ./a\n readOnly: true`,
    message: `:3:1 could not be read as a config: All mapping items must start at the same column`,
  },
  {
    what: 'is YAML that unfolds to millions of values',
    name: 'mcp.config.yaml',
    text: `a: &a [x, x, x, x, x, x, x, x, x, x]\n${['ab', 'bc', 'cd', 'de', 'ef', 'fg'].map(([from, to]) => `${to}: &${to} [${`*${from}, `.repeat(10)}]`).join('\n')}`,
    message: ` could not be read as a config: its aliases stand for more values than a config may have`,
  },
  { what: 'is empty YAML', name: 'mcp.config.yaml', text: '\n', message: ` could not be read as a config: it is empty` },
]

for (const { what, text, message, frame, fix, name = 'mcp.config.ts' } of cases)
  test(`says so when a config ${what}`, async () => {
    const error = await failureOf(name, text, message.includes('2000 ms') ? 2_000 : 60_000)
    assert.equal(error.code, 'CONFIG_FAILED')
    const [first = '', ...rest] = error.message.split('\n')
    assert.equal(first.slice(root.length + '/p-123456/'.length), `${name}${message}`)
    if (frame !== undefined) assert.equal(rest.join('\n').trim(), frame.trim())
    if (fix !== undefined) assert.equal(error.fix[0], fix)
  })

test('points into the imported file that fails', async () => {
  const folder = mkdtempSync(join(root, 'p-'))
  writeFileSync(join(folder, 'limits.ts'), `\nexport const limits = JSON.parse('{')`)
  writeFileSync(join(folder, 'mcp.config.ts'), `import { limits } from './limits.ts'\nexport default { limits }`)
  const { message } = await failure(folder)
  assert.ok(
    message.startsWith(
      `${join(folder, 'mcp.config.ts')} could not be read as a config: SyntaxError: Expected property name or '}' in JSON`,
    ),
    message,
  )
  assert.ok(
    message.includes(`(at ${join(folder, 'limits.ts')}:2:28)\n\n  1 |\n> 2 | export const limits = JSON.parse('{')`),
    message,
  )
})

test('shows no secret of the environment or of the source in an error', async () => {
  const text = `console.log(process.env)
export default { plugins: [{ use: './a', config: { personalToken: 'ghp_inline_literal', url: 'https://me:pass-word@host' } }],
  ...(() => { throw new Error('cannot reach ' + process.env.JIRA_API_KEY) })() }`
  const folder = mkdtempSync(join(root, 'p-'))
  writeFileSync(join(folder, '.env'), 'JIRA_API_KEY=hunter2-from-dotenv\nDB_PASSWORD=hunter2-unused')
  writeFileSync(join(folder, 'mcp.config.ts'), text)
  const shown = describeError(await failure(folder))
  assert.match(shown, /cannot reach \[secret\]/)
  assert.match(shown, /personalToken: '\[secret\]'/)
  assert.doesNotMatch(shown, /hunter2|ghp_inline|pass-word/)
})

const half = {
  'mcp.config.ts': { cuts: 40, text: typescriptConfig() },
  'mcp.config.json': { cuts: 200, text: `${JSON.stringify(sampleConfig(), null, 2)}\n` },
  'mcp.config.yaml': {
    cuts: 200,
    text: 'plugins:\n  - use: "./a"\n    tools: { allow: ["*"] }\nlimits:\n  drainMs: 5\nlog: {level: info}\n',
  },
}

for (const [name, { cuts, text }] of Object.entries(half))
  test(`survives ${cuts} half-written versions of ${name}`, async () => {
    const lengths = Array.from({ length: cuts }, (_, index) => Math.floor((index * text.length) / cuts))
    let failed = 0
    const attempt = async (length: number) => {
      try {
        await read(name, text.slice(0, length), 60_000)
      } catch (error) {
        failed += 1
        assert.ok(error instanceof HostError && error.code.startsWith('CONFIG_') && error.message.includes(name), String(error))
      }
    }
    while (lengths.length > 0) await Promise.all(lengths.splice(0, 2).map(attempt))
    assert.ok(failed > 0)
    await read(name, text, 60_000)
  })

function sampleConfig(): object {
  return {
    plugins: [
      './a',
      { use: '@acme/mcp-jira', as: 'jira_eu', version: '2.3.1', tools: { allow: ['issues_*'], deny: ['issues_delete'] } },
    ],
    limits: { callTimeoutMs: 60_000, drainMs: 30_000 },
    deployments: { production: { frozen: true, readOnly: true } },
  }
}

function typescriptConfig(): string {
  return `// The services of the team.
import { defineConfig } from 'mcp-patchbay'

const limits: { drainMs: number } = { drainMs: 5_000 }

export default defineConfig(${JSON.stringify({ ...sampleConfig(), limits: undefined }, null, 2).replace('{', '{\n  limits,')})
`
}

async function failureOf(name: string, text: string, timeoutMs: number): Promise<HostError> {
  try {
    await read(name, text, timeoutMs)
  } catch (error) {
    assert.ok(error instanceof HostError, String(error))
    return error
  }
  return assert.fail('it loaded')
}

async function read(name: string, text: string, timeoutMs: number): Promise<void> {
  const folder = mkdtempSync(join(root, 'p-'))
  writeFileSync(join(folder, name), text)
  await loadConfig({ cwd: folder, env: process.env, log: silentLogger, timeoutMs })
}

async function failure(folder: string): Promise<HostError> {
  try {
    await loadConfig({ cwd: folder, env: process.env, log: silentLogger, timeoutMs: 60_000 })
  } catch (error) {
    assert.ok(error instanceof HostError, String(error))
    return error
  }
  return assert.fail('it loaded')
}
