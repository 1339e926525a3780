import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { suggest } from '../../../host/src/config/schema/suggest.ts'
import { validateConfig } from '../../../host/src/config/file/validate-config.ts'
import { HostError } from '../../../host/src/errors.ts'

const refusals: readonly (readonly [config: unknown, fault: string])[] = [
  [{ plugns: [] }, 'plugns: unknown key; did you mean "plugins"?'],
  [{ read_only: true }, 'read_only: unknown key; did you mean "readOnly"?'],
  [{ zzz: 1 }, 'zzz: unknown key'],
  [{ plugins: [{ use: './a', isolaton: 'inline' }] }, 'plugins[0].isolaton: unknown key; did you mean "isolation"?'],
  [{ listen: { http: { prot: 3000 } } }, 'listen.http.prot: unknown key; did you mean "port"?'],
  [{ deployments: { eu: { redOnly: true } } }, 'deployments.eu.redOnly: unknown key; did you mean "readOnly"?'],
  [{ tenants: { 'a-b': { plugin: {} } } }, 'tenants["a-b"].plugin: unknown key; did you mean "plugins"?'],
  [JSON.parse('{ "tenants": { "__proto__": {} } }'), 'tenants.__proto__: this key belongs to every object; use another'],
  [{ plugins: './a' }, 'plugins: expected an array, got "./a"'],
  [{ plugins: [5] }, 'plugins[0]: expected a string that is not empty or an object, got a number'],
  [{ plugins: [{ as: 'a' }] }, 'plugins[0].use: is missing'],
  [{ plugins: [{ use: './a', as: 'GitHub' }] }, 'plugins[0].as: expected a name in snake_case, a to z and 0 to 9, got "GitHub"'],
  [
    { plugins: [{ use: '@acme/a', version: '^2.0.0' }] },
    'plugins[0].version: expected an exact version such as 2.3.1, got "^2.0.0"',
  ],
  [
    { plugins: [{ use: './a', integrity: 'sha1-abc' }] },
    'plugins[0].integrity: expected a digest as package-lock.json has it: sha512-…, got "sha1-abc"',
  ],
  [
    { plugins: [{ use: './a', isolation: 'proces' }] },
    'plugins[0].isolation: expected "inline" or "process", got "proces"; did you mean "process"?',
  ],
  [{ plugins: [{ use: './a', config: [] }] }, 'plugins[0].config: expected an object, got an array'],
  [{ plugins: [{ use: './a', http: { proxyUr: 'x' } }] }, 'plugins[0].http.proxyUr: unknown key; did you mean "proxyUrl"?'],
  [
    { tools: { deny: ['issues.*'] } },
    'tools.deny[0]: expected a glob over tool names, of a to z, 0 to 9, _, * and ?, or tag: and a tag, got "issues.*"',
  ],
  [{ tools: { allow: 'issues_*' } }, 'tools.allow: expected an array, got "issues_*"'],
  [{ readOnly: 'yes' }, 'readOnly: expected a boolean, got "yes"'],
  [{ listen: { http: 3000 } }, 'listen.http: expected a boolean or an object, got a number'],
  [{ listen: { http: { port: 70_000 } } }, 'listen.http.port: expected an integer from 0 to 65535, got 70000'],
  [
    { listen: { http: { publicUrl: 'mcp.acme.com' } } },
    'listen.http.publicUrl: expected a string that is a URL, got "mcp.acme.com"',
  ],
  [{ limits: { callTimeoutMs: '60s' } }, 'limits.callTimeoutMs: expected an integer from 1 to 2147483647, got "60s"'],
  [{ limits: { rate: {} } }, 'limits.rate.callsPerMinute: is missing'],
  [{ cache: { store: 'redis' } }, 'cache.store: expected memory, sqlite:./data/cache.db or redis://host:6379, got "redis"'],
  [{ log: { level: 'verbose' } }, 'log.level: expected "trace", "debug", "info", "warn", "error" or "silent", got "verbose"'],
  [
    { auth: { inbound: { mode: 'api-key' } } },
    'auth.inbound.mode: expected "none", "apiKey", "oauth" or "any", got "api-key"; did you mean "apiKey"?',
  ],
  [
    { auth: { inbound: { keys: [{ id: 'a', scopes: [], hash: 'plain-text-key' }] } } },
    'auth.inbound.keys[0].hash: expected 64 hexadecimal digits, the SHA-256 of the key, got "plain-text-key"',
  ],
  [[], 'the config: expected an object, got an array'],
  ['text', 'the config: expected an object, got "text"'],
]

for (const [config, fault] of refusals)
  test(`refuses ${fault}`, () => {
    assert.deepEqual(faultsOf(config), [fault])
  })

test('reports all faults at once, in the order of the file, with their lines', () => {
  const text = `import { defineConfig } from 'mcp-patchbay'
// plugns is not a key
const shared = { allow: ['*'], isolation: 'process' }
export default defineConfig({
  limits: { callTimeoutMs: '60s' },
  plugins: [
    './a', // { isolaton: 'x' }
    { use: './b', isolation: 'inlne' },
    {
      use: './c',
      isolation: 'inlne',
      tools: { allow: [\`a_*\`, 'B'] },
    },
  ],
  plugns: [],
})`
  const config = {
    limits: { callTimeoutMs: '60s' },
    plugins: ['./a', { use: './b', isolation: 'inlne' }, { use: './c', isolation: 'inlne', tools: { allow: ['a_*', 'B'] } }],
    plugns: [],
    readOnly: 1,
  }
  assert.deepEqual(
    faultsOf(config, { file: '/p/mcp.config.ts', text }).map((fault) => /^(?:line (\d+): )?([^:]*)/.exec(fault)?.slice(1, 3)),
    [
      ['5', 'limits.callTimeoutMs'],
      ['8', 'plugins[1].isolation'],
      ['11', 'plugins[2].isolation'],
      ['12', 'plugins[2].tools.allow[1]'],
      ['15', 'plugns'],
      [undefined, 'readOnly'],
    ],
  )
})

test('finds the line of what a constant holds, and none where the file does not say plainly what is meant', () => {
  const text = `const entry = { isolation: mode() }\nexport default { plugins: [entry, { ...entry, isolation: mode() }] }`
  const config = {
    plugins: [
      { use: './a', isolation: 'x' },
      { use: './b', version: 'y' },
    ],
  }
  assert.deepEqual(
    faultsOf(config, { file: '/p/mcp.config.ts', text }).map((fault) => fault.split(':')[0]),
    ['line 1', 'plugins[1].version'],
  )
})

test('finds the lines of keys in a YAML file', () => {
  const text = `plugins:\n  - use: ./a\n    isolaton: inline # isolaton\n  - use: ./b\nreadOnly: maybe\n`
  const config = { plugins: [{ use: './a', isolaton: 'inline' }, { use: 5 }], readOnly: 'maybe' }
  assert.deepEqual(faultsOf(config, { file: '/p/mcp.config.yaml', text }), [
    'line 3: plugins[0].isolaton: unknown key; did you mean "isolation"?',
    'line 4: plugins[1].use: expected a string that is not empty, got 5',
    'line 5: readOnly: expected a boolean, got "maybe"',
  ])
})

test('never shows what was given for a key that sounds secret', () => {
  const faults = faultsOf({
    tenants: { acme: { plugins: { jira: { token: 'hunter2' } } } },
    auth: { inbound: { oauth: { issuers: [{ introspection: { clientSecretVariable: 5_309_123 } }] } } },
  })
  assert.doesNotMatch(faults.join(), /hunter2|5309123/)
})

test('accepts every key of the documented example', () => {
  const config = {
    plugins: [
      './plugins/sqlite',
      {
        use: '@acme/mcp-jira',
        as: 'jira_eu',
        version: '2.3.1',
        config: { apiUrl: 'https://jira.eu.acme.com' },
        tools: { allow: ['issues_*'], deny: ['issues_delete'] },
        readOnly: true,
        isolation: 'process',
        capabilities: { hosts: ['https://jira.eu.acme.com'], env: [], fs: { read: [], write: [] } },
        required: false,
        overrides: { issues_get: { description: 'Reads one issue.' } },
      },
    ],
    pluginDirs: ['./plugins'],
    tools: { allow: ['*'], deny: [], toolsets: { triage: ['github_issues_*'] }, enable: ['triage'] },
    readOnly: false,
    listen: {
      stdio: false,
      http: { host: '127.0.0.1', port: 3000, sse: true, allowedHosts: [], allowedOrigins: [], publicUrl: undefined },
      management: { host: '127.0.0.1', port: 3001 },
    },
    auth: { inbound: { mode: 'none' }, permissions: { admin: ['*'] }, tenantClaim: 'tenant' },
    tenants: { acme: { plugins: { jira_eu: { config: { project: 'A' } } }, tools: { deny: ['*_delete'] }, readOnly: true } },
    cache: { store: 'memory', ttlMs: 60_000 },
    limits: {
      callTimeoutMs: 60_000,
      loadTimeoutMs: 10_000,
      drainMs: 30_000,
      resultBytes: 1_048_576,
      bodyBytes: 4_194_304,
      rate: { callsPerMinute: 60 },
    },
    log: { level: 'info', format: 'json' },
    deployments: { production: { frozen: true, readOnly: true } },
  }
  assert.equal(validateConfig(config), config)
})

test('accepts or refuses anything, and never fails otherwise', () => {
  const key = fc.oneof(
    fc.string(),
    fc.constantFrom('plugins', 'tools', 'listen', 'tenants', 'limits', 'use', 'http', 'allow', '__proto__', 'constructor'),
  )
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof({ depthSize: 'small' }, fc.anything(), fc.array(tie('tree')), fc.dictionary(key, tie('tree'))),
  }))
  fc.assert(
    fc.property(tree, fc.string(), (config, text) => {
      try {
        validateConfig(config, { file: '/p/mcp.config.ts', text })
      } catch (error) {
        assert.ok(error instanceof HostError && error.code === 'CONFIG_INVALID', String(error))
      }
    }),
    { numRuns: 500 },
  )
})

const slips: readonly (readonly [typed: string, meant: string | undefined])[] = [
  ['isolaton', 'isolation'],
  ['ISOLATION', 'isolation'],
  ['iso-lation', 'isolation'],
  ['solationi', 'isolation'],
  ['insulation', 'isolation'],
  ['prot', 'port'],
  ['pot', 'port'],
  ['zzz', undefined],
  ['', undefined],
]

for (const [typed, meant] of slips)
  test(`takes ${JSON.stringify(typed)} for ${meant ?? 'nothing'}`, () => {
    assert.equal(suggest(typed, ['port', 'isolation', 'host']), meant)
  })

function faultsOf(config: unknown, source?: { file: string; text: string }): readonly string[] {
  try {
    validateConfig(config, source)
  } catch (error) {
    assert.ok(error instanceof HostError)
    assert.equal(error.code, 'CONFIG_INVALID')
    return error.message
      .split('\n')
      .slice(1)
      .map((line) => line.trim())
  }
  return []
}
