import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import type { LogFields, Logger } from '@mcp-patchbay/plugin-api'
import { loadConfig, type LoadedConfig, type LoadOptions } from '../../../host/src/config/file/load-config.ts'
import { silentLogger } from '../../../host/src/observability/logger.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'patchbay-load-')))
after(() => rmSync(root, { recursive: true }))

const kinds: Readonly<Record<string, string>> = {
  'mcp.config.ts': `import { defineConfig } from 'mcp-patchbay'
const plugins: string[] = ['./a']
export default defineConfig({ plugins, readOnly: true })`,
  'mcp.config.mts': `export default { plugins: ['./a'] as const, readOnly: true }`,
  'mcp.config.js': `import { defineConfig } from 'mcp-patchbay'\nexport default defineConfig({ plugins: ['./a'], readOnly: true })`,
  'mcp.config.mjs': `export default { plugins: ['./a'], readOnly: !false }`,
  'mcp.config.json': `{ "plugins": ["./a"], "readOnly": true }`,
  'mcp.config.yaml': `plugins:\n  - ./a\nreadOnly: true`,
  'mcp.config.yml': `{ plugins: [./a], readOnly: true }`,
}

for (const [name, text] of Object.entries(kinds))
  test(`reads ${name}`, async () => {
    const folder = project({ [name]: text })
    const { config, file, files, warnings } = await load({ cwd: folder })
    assert.deepEqual(config, { plugins: ['./a'], readOnly: true })
    assert.deepEqual([file, files, warnings], [join(folder, name), [join(folder, name)], []])
  })

test('keeps what was compiled of a config where this process does, and does not tell the config', async () => {
  const text = `const name: string = 'NODE_COMPILE_CACHE'\nexport default { readOnly: process.env[name] === undefined }`
  const cwd = project({ 'mcp.config.ts': text })
  const compiled = mkdtempSync(join(root, 'compiled-'))
  // In a process of its own, since a process decides once where it keeps that. It writes what it compiled itself when it ends.
  const script = `
    import { readdirSync } from 'node:fs'
    import { loadConfig } from '${new URL('../../../host/src/config/file/load-config.ts', import.meta.url).href}'
    import { silentLogger } from '${new URL('../../../host/src/observability/logger.ts', import.meta.url).href}'
    const { config } = await loadConfig({ cwd: ${JSON.stringify(cwd)}, env: {}, log: silentLogger })
    const kept = readdirSync(${JSON.stringify(compiled)}, { recursive: true }).filter((path) => path.includes('/'))
    console.log(JSON.stringify({ config, kept: kept.length > 0 }))`
  const { stdout, stderr } = spawnSync(process.execPath, [...process.execArgv, '--input-type=module', '-e', script], {
    env: { NODE_COMPILE_CACHE: compiled },
    encoding: 'utf8',
  })
  assert.deepEqual(stdout && (JSON.parse(stdout) as unknown), { config: { readOnly: true }, kept: true }, stderr)
})

test('finds the config in a folder above, and that one it names by --config', async () => {
  const folder = project({ 'mcp.config.json': '{}', 'other.config.ts': 'export default { readOnly: true }', 'deep/er/file': '' })
  assert.equal((await load({ cwd: join(folder, 'deep/er') })).file, join(folder, 'mcp.config.json'))
  assert.deepEqual((await load({ cwd: join(folder, 'deep'), file: '../other.config.ts' })).config, { readOnly: true })
})

test('warns of a second config that goes unread', async () => {
  const folder = project({ 'mcp.config.yaml': 'readOnly: true', 'mcp.config.json': '{}' })
  const { config, warnings } = await load({ cwd: folder })
  assert.deepEqual(config, {})
  assert.deepEqual(warnings, [
    `${join(folder, 'mcp.config.yaml')} is not read: ${join(folder, 'mcp.config.json')} goes before it`,
  ])
})

test('refuses an empty config, one that is too large and one that is a pipe, and does not go on to the next folder', async () => {
  const folder = project({
    'mcp.config.json': '{}',
    'empty/mcp.config.yaml': '',
    'pipe/x': '',
    'large/mcp.config.json': ' '.repeat(1_100_000),
  })
  spawnSync('mkfifo', [join(folder, 'pipe/mcp.config.json')])
  for (const [name, problem] of [
    ['empty', /mcp\.config\.yaml/],
    ['large', /1100000 bytes/],
    ['pipe', /it is a pipe/],
  ] as const)
    await assert.rejects(
      load({ cwd: join(folder, name) }),
      (error: Error) => problem.test(error.message) && Reflect.get(error, 'code') !== 'CONFIG_NOT_FOUND',
      name,
    )
})

test('says where it looked when there is no config', async () => {
  const folder = project({ 'deep/file': '' })
  const { code, message, fix } = await failure({ cwd: join(folder, 'deep') })
  assert.equal(code, 'CONFIG_NOT_FOUND')
  assert.ok(message.includes(`${join(folder, 'deep')}, ${folder}, `), message)
  assert.match(message, /mcp\.config\.ts, .*mcp\.config\.yml in /)
  assert.deepEqual(fix, [
    'Run the command in the folder of the config, or name the file: --config FILE',
    'Or make a new project: npx mcp-patchbay init',
  ])
})

test('says that the file of --config is not there, is a folder or is no kind of config', async () => {
  const folder = project({ 'config.toml': 'a = 1', 'folder.ts/file': '' })
  assert.equal((await failure({ cwd: folder, file: 'nothing.ts' })).code, 'CONFIG_NOT_FOUND')
  assert.match((await failure({ cwd: folder, file: 'folder.ts' })).message, /it is a folder$/)
  assert.match((await failure({ cwd: folder, file: 'config.toml' })).message, /\.toml is no kind of config$/)
})

test(
  'never passes over a config it cannot read for one above',
  { skip: process.getuid?.() === 0 && 'root reads everything' },
  async () => {
    const folder = project({ 'mcp.config.json': '{}', 'deep/mcp.config.json': '{}' })
    chmodSync(join(folder, 'deep/mcp.config.json'), 0)
    assert.match((await failure({ cwd: join(folder, 'deep') })).message, /the user who runs the host may not read it$/)
  },
)

test('reads an edited config and its edited imports again', async () => {
  const folder = project({
    'mcp.config.ts': `import { on } from './on.ts'\nexport default { readOnly: on }`,
    'on.ts': 'export const on = false',
  })
  assert.deepEqual((await load({ cwd: folder })).config, { readOnly: false })
  writeFileSync(join(folder, 'on.ts'), 'export const on = true')
  assert.deepEqual((await load({ cwd: folder })).config, { readOnly: true })
})

test('names every file a config is made of by its real path', async () => {
  const folder = project({
    'mcp.config.ts': `import { deny } from './parts/deny.ts'\nimport data from './data.json' with { type: 'json' }
      import { createRequire } from 'node:module'
      export default { tools: { deny }, readOnly: data.on, log: createRequire(import.meta.url)('./log.cjs') }`,
    'real/deny.ts': `export { deny } from './names.ts'`,
    'real/names.ts': `export const deny = ['a_*']`,
    'data.json': '{ "on": true }',
    'log.cjs': `module.exports = { level: 'warn' }`,
  })
  symlinkSync(join(folder, 'real'), join(folder, 'parts'))
  const { files, config } = await load({ cwd: folder })
  assert.deepEqual(config, { tools: { deny: ['a_*'] }, readOnly: true, log: { level: 'warn' } })
  const names = ['mcp.config.ts', 'real/deny.ts', 'real/names.ts', 'data.json', 'log.cjs']
  assert.deepEqual([...files].toSorted(), names.map((name) => join(folder, name)).toSorted())
})

test('names the files to watch also when the config fails, the missing one too', async () => {
  const folder = project({ 'mcp.config.ts': `import './helper.ts'\nexport default {}`, 'helper.ts': `import './missing.ts'` })
  const seen: string[] = []
  await failure({ cwd: folder, onFile: (file) => seen.push(file) })
  assert.deepEqual(
    seen,
    ['mcp.config.ts', 'helper.ts', 'missing.ts'].map((name) => join(folder, name)),
  )
})

test('takes export for what it says in a project that npm made CommonJS', async () => {
  const folder = project({
    'package.json': '{ "type": "commonjs" }',
    'mcp.config.ts': `import { on } from './on.js'; export default { readOnly: on as boolean }`,
    'on.js': 'export const on = true',
  })
  assert.deepEqual((await load({ cwd: folder })).config, { readOnly: true })
})

test('reads CommonJS in a project of CommonJS', async () => {
  const folder = project({ 'package.json': '{ "type": "commonjs" }', 'mcp.config.js': `module.exports = { readOnly: true }` })
  assert.deepEqual((await load({ cwd: folder })).config, { readOnly: true })
})

test('lets a config see the environment of its .env, and change it for nobody', async () => {
  const folder = project({
    'mcp.config.ts': `const port = Number(process.env.PORT)\nprocess.env.PORT = '1'\nexport default { listen: { http: { port } } }`,
    '.env': 'PORT=4000',
  })
  const { config, env } = await load({ cwd: folder })
  assert.deepEqual(config, { listen: { http: { port: 4000 } } })
  assert.equal(env['PORT'], '4000')
  assert.equal(process.env['PORT'], undefined)
})

test('hands what a config prints to the log, without secrets', async () => {
  const folder = project({
    'mcp.config.ts': `import { writeSync } from 'node:fs'
      console.log('token is ' + process.env.JIRA_TOKEN)
      writeSync(1, 'direct')
      console.error('to stderr')
      export default {}`,
  })
  const { log, seen } = recordingLog((text) => /token.*direct/s.test(text) && text.includes('to stderr'))
  await load({ cwd: folder, log, env: { ...process.env, JIRA_TOKEN: 'hunter2-hunter2' } })
  assert.match(await seen, /token is \[secret\]/)
  assert.doesNotMatch(await seen, /hunter2/)
})

test('a config that has a timer or a server does not keep anything alive', async () => {
  const folder = project({
    'mcp.config.ts': `import { createServer } from 'node:http'
      createServer().listen(0)
      setInterval(() => {}, 1000)
      export default {}`,
  })
  assert.deepEqual((await load({ cwd: folder })).config, {})
})

test('leaves out what is undefined', async () => {
  const folder = project({
    'mcp.config.ts': `export default { readOnly: undefined, listen: { http: { publicUrl: undefined } } }`,
  })
  assert.deepEqual((await load({ cwd: folder })).config, { listen: { http: {} } })
})

interface Failure {
  readonly code: string
  readonly message: string
  readonly fix: readonly string[]
}

async function failure(options: Partial<LoadOptions>): Promise<Failure> {
  try {
    await load(options)
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error && 'fix' in error && Array.isArray(error.fix))
    return { code: String(error.code), message: error.message, fix: error.fix.map(String) }
  }
  return assert.fail('it loaded')
}

function load(options: Partial<LoadOptions>): Promise<LoadedConfig> {
  return loadConfig({ cwd: root, env: process.env, log: silentLogger, timeoutMs: 60_000, ...options })
}

function project(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(root, 'project-'))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

/** `seen` is what was logged, once it is enough: output comes in parts, and after the config. */
function recordingLog(isEnough: (text: string) => boolean): { log: Logger; seen: Promise<string> } {
  const { promise, resolve } = Promise.withResolvers<string>()
  let text = ''
  const debug = (_event: string, fields: LogFields = {}) => {
    text += String(fields['text'])
    if (isEnough(text)) resolve(text)
  }
  return { log: { ...silentLogger, debug }, seen: promise }
}
