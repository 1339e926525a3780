import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definePlugin, Type } from '@mcp-patchbay/plugin-api'
import { resolveConfig } from '../../../host/src/config/file/resolve-config.ts'
import { configWarnings } from '../../../host/src/config/schema/rules.ts'
import type { EmbeddedConfig, HostConfig } from '../../../host/src/config/schema/schema.ts'
import { HostError } from '../../../host/src/errors.ts'

test('applies every default of the design', () => {
  const resolved = resolveConfig({})
  assert.deepEqual(resolved, {
    plugins: [],
    pluginDirs: [],
    middleware: [],
    tools: { allow: ['*'], deny: [], toolsets: {}, search: false, approval: [] },
    readOnly: false,
    server: { name: 'patchbay' },
    listen: {
      stdio: false,
      http: {
        host: '127.0.0.1',
        port: 3000,
        sse: true,
        allowedHosts: [],
        allowedOrigins: [],
        trustedProxies: [],
        sessions: { mode: 'stateful', max: 2_000, idleMs: 1_800_000 },
      },
      management: { host: '127.0.0.1', port: 3001 },
    },
    auth: {
      inbound: { mode: 'none', keys: [], keysFile: 'mcp.keys.json', dangerouslyAllowUnauthenticated: false },
      permissions: {},
      implies: {},
      tenantClaim: 'tenant',
    },
    compat: { authorizationIsUpstream: false },
    tenants: {},
    cache: { store: 'memory', ttlMs: 60_000, maxEntries: 10_000 },
    limits: {
      callTimeoutMs: 60_000,
      loadTimeoutMs: 10_000,
      drainMs: 30_000,
      leaveMs: 0,
      resultBytes: 1_048_576,
      bodyBytes: 4_194_304,
      pluginHeapMb: 256,
      pluginMemoryMb: 512,
      pluginIdleMs: 600_000,
    },
    log: { level: 'info' },
    frozen: false,
    strict: false,
    deployment: 'default',
  })
  assert.ok(Object.isFrozen(resolved.listen.http?.sessions) && Object.isFrozen(resolved.tools.allow))
})

test('writes an entry out', () => {
  assert.deepEqual(resolveConfig({ plugins: ['./a'] }).plugins, [
    {
      use: './a',
      config: {},
      tools: { allow: ['*'], deny: [] },
      allowRequestCredentials: true,
      readOnly: false,
      isolation: 'inline',
      watch: [],
      capabilities: { hosts: [], env: [], fs: { read: [], write: [] }, credentials: 'brokered', native: false },
      required: false,
      overrides: {},
      http: {},
    },
  ])
})

test('runs packages in a process of their own, and paths and objects inline', () => {
  const object = definePlugin({
    name: 'mine',
    config: Type.Object({}),
    isAuthConfigured: () => true,
    createClient: () => 1,
    tools: [],
  })
  const config: EmbeddedConfig = {
    plugins: ['./a', '/abs/b', '../c', '@acme/d', 'e', { use: object }, { use: 'f', isolation: 'inline' }],
  }
  assert.deepEqual(
    resolveConfig(config).plugins.map(({ isolation }) => isolation),
    ['inline', 'inline', 'inline', 'process', 'process', 'inline', 'inline'],
  )
  assert.equal(resolveConfig(config).plugins[5]?.use, object)
})

const listens: readonly (readonly [given: HostConfig['listen'], http: number | undefined, management: number | undefined])[] = [
  [undefined, 3000, 3001],
  [{ stdio: true }, undefined, undefined],
  [{ stdio: true, http: true }, 3000, 3001],
  [{ http: false }, undefined, undefined],
  [{ http: false, management: {} }, undefined, 3001],
  [{ http: { port: 0 }, management: false }, 0, undefined],
]

for (const [given, http, management] of listens)
  test(`listens on ${http ?? 'no port'} and ${management ?? 'no port'} given ${JSON.stringify(given)}`, () => {
    const { listen } = resolveConfig(given ? { listen: given } : {})
    assert.deepEqual([listen.http?.port, listen.management?.port], [http, management])
  })

test('is frozen in production unless the config says otherwise', () => {
  const env = { NODE_ENV: 'production' }
  assert.equal(resolveConfig({}, { env }).frozen, true)
  assert.equal(resolveConfig({ frozen: false }, { env }).frozen, false)
  assert.equal(resolveConfig({ frozen: true }).frozen, true)
})

test('merges objects of a deployment to any depth and replaces lists', () => {
  const config: HostConfig = {
    readOnly: false,
    limits: { drainMs: 1, callTimeoutMs: 2 },
    tools: { deny: ['a_*', 'b_*'], toolsets: { triage: ['x'] } },
    listen: { http: { port: 1, allowedHosts: ['a'] } },
    tenants: { acme: { readOnly: true } },
    deployments: {
      eu: {
        readOnly: true,
        limits: { drainMs: 3, callTimeoutMs: undefined },
        tools: { deny: [], toolsets: { other: ['y'] } },
        listen: { http: { allowedHosts: ['b', 'c'] } },
        tenants: { beta: {} },
      },
    },
  }
  const resolved = resolveConfig(config, { deployment: 'eu' })
  assert.equal(resolved.deployment, 'eu')
  assert.equal(resolved.readOnly, true)
  assert.deepEqual([resolved.limits.drainMs, resolved.limits.callTimeoutMs], [3, 2])
  assert.deepEqual([resolved.tools.deny, resolved.tools.toolsets], [[], { triage: ['x'], other: ['y'] }])
  assert.deepEqual([resolved.listen.http?.port, resolved.listen.http?.allowedHosts], [1, ['b', 'c']])
  assert.deepEqual(Object.keys(resolved.tenants), ['acme', 'beta'])
  assert.equal(resolveConfig(config).readOnly, false)
})

test('lets a deployment pin, change and add plugins by name', () => {
  const config: HostConfig = {
    plugins: [
      { use: '@acme/jira', as: 'jira_eu', version: '2.3.1', tools: { deny: ['a'] } },
      { use: '@acme/jira', as: 'jira_us', version: '2.3.1' },
      './local',
      { use: '@acme/wiki', as: 'wiki', config: { space: 'A', depth: 1 } },
    ],
    deployments: {
      production: {
        plugins: [
          { as: 'jira_us', version: '2.2.0' },
          { as: 'jira_eu', tools: { allow: ['b'] } },
          { use: './local', readOnly: true },
          { use: '@acme/wiki', as: 'wiki', config: { depth: 2 } },
          '@acme/only-here',
          { use: '@acme/jira', as: 'jira_asia' },
        ],
      },
    },
  }
  assert.deepEqual(
    resolveConfig(config, { deployment: 'production' }).plugins.map(({ use, as, version, tools, readOnly, config: values }) => [
      use,
      as,
      version,
      tools,
      readOnly,
      values,
    ]),
    [
      ['@acme/jira', 'jira_eu', '2.3.1', { allow: ['b'], deny: ['a'] }, false, {}],
      ['@acme/jira', 'jira_us', '2.2.0', { allow: ['*'], deny: [] }, false, {}],
      ['./local', undefined, undefined, { allow: ['*'], deny: [] }, true, {}],
      ['@acme/wiki', 'wiki', undefined, { allow: ['*'], deny: [] }, false, { space: 'A', depth: 2 }],
      ['@acme/only-here', undefined, undefined, { allow: ['*'], deny: [] }, false, {}],
      ['@acme/jira', 'jira_asia', undefined, { allow: ['*'], deny: [] }, false, {}],
    ],
  )
})

test('changes the one entry of a package without naming it, and asks which where there are two', () => {
  const one: HostConfig = {
    plugins: [{ use: '@acme/jira', as: 'jira_eu' }],
    deployments: { eu: { plugins: [{ use: '@acme/jira', version: '1.0.0' }] } },
  }
  assert.equal(resolveConfig(one, { deployment: 'eu' }).plugins[0]?.version, '1.0.0')
  const two: HostConfig = {
    ...one,
    plugins: [
      { use: '@acme/jira', as: 'jira_eu' },
      { use: '@acme/jira', as: 'jira_us' },
    ],
  }
  assert.equal(
    refused(two, 'eu').message,
    'The deployment "eu" has an entry "@acme/jira" that could change several entries of plugins: say which one with as',
  )
})

test('refuses a deployment entry for a plugin that is nowhere', () => {
  const { message } = refused({ plugins: ['./a'], deployments: { eu: { plugins: [{ as: 'jira', version: '1.0.0' }] } } }, 'eu')
  assert.equal(message, 'The deployment "eu" has an entry "jira" that no entry of plugins has: give its use')
})

test('says which deployments there are', () => {
  const config: HostConfig = { deployments: { production: {}, staging: {} } }
  assert.equal(
    refused(config, 'prodution').message,
    'The deployment "prodution" is not in the config: known are production, staging; did you mean "production"?',
  )
  assert.equal(refused({}, 'toString').message, 'The deployment "toString" is not in the config: it has no deployments')
})

test('a deployment called default is merged when none is named', () => {
  assert.equal(resolveConfig({ deployments: { default: { readOnly: true } } }).readOnly, true)
})

const contradictions: readonly (readonly [config: HostConfig, fault: string])[] = [
  [{ plugins: [{ use: './a', as: 'tools' }] }, 'plugins[0].as: "tools" is a name of the host itself; use another'],
  [
    {
      plugins: [
        { use: './a', as: 'x' },
        { use: './b', as: 'x' },
      ],
    },
    'plugins[1].as: "x" is also the name of plugins[0]; give each its own',
  ],
  [{ plugins: ['./a', './a'] }, 'plugins[1].use: the same plugin as plugins[0]: give one of them another name with as'],
  ...['file:///etc/x.js', 'http://evil/x.js', 'data:text/javascript,1', 'node:fs'].map(
    (use) =>
      [
        { plugins: [use] },
        `plugins[0].use: ${JSON.stringify(use)} is a URL: give a path beginning with ./ or the name of an npm package`,
      ] as const,
  ),
  [
    { plugins: ['@scope/../../x'] },
    'plugins[0].use: "@scope/../../x" is neither a path beginning with ./ nor the name of an npm package',
  ],
  [
    { plugins: ['plugins/sqlite'] },
    'plugins[0].use: "plugins/sqlite" is neither a path beginning with ./ nor the name of an npm package',
  ],
  [{ plugins: ['./a\0b'] }, 'plugins[0].use: holds a NUL character'],
  [{ plugins: ['@acme/jira@2.3.1'] }, 'plugins[0].use: holds a version: write use: "@acme/jira", version: "2.3.1"'],
  [
    { auth: { inbound: { mode: 'any' } } },
    'auth.inbound.mode: is "any", but auth.inbound.oauth is missing: for API keys alone, say "apiKey"',
  ],
  [
    { auth: { inbound: { mode: 'oauth' } } },
    'auth.inbound.mode: is "oauth", but auth.inbound.oauth is missing: give the resource and its issuers',
  ],
  [
    { compat: { authorizationIsUpstream: true }, plugins: ['./a', './b'], listen: { http: { host: '0.0.0.0' } } },
    'compat.authorizationIsUpstream: needs listen.http.host on loopback, and exactly one entry in plugins and no pluginDirs: ' +
      "otherwise it would send one caller's token to a service that the token is not for",
  ],
]

for (const [config, fault] of contradictions)
  test(`refuses ${fault}`, () => {
    const { code, message } = refused(config)
    assert.equal(code, 'CONFIG_INVALID')
    assert.equal(message, `The config has an error:\n  ${fault}`)
  })

test('checks the shape of a config that comes from no file', () => {
  const config: object = { plugins: [{ use: { name: 'mine' }, isolaton: 'inline' }], readonly: true }
  assert.equal(
    refused(config).message,
    'The config has 2 errors:\n  plugins[0].isolaton: unknown key; did you mean "isolation"?\n  readonly: unknown key; did you mean "readOnly"?',
  )
  assert.match(refused({ plugins: 5 } as object).message, /plugins: expected an array, got 5/)
})

test('gives the line of a contradiction', () => {
  const source = { file: '/p/mcp.config.json', text: '{\n  "plugins": [\n    { "use": "node:fs" }\n  ]\n}' }
  assert.match(
    refused({ plugins: [{ use: 'node:fs' }] }, undefined, source).message,
    /^\/p\/mcp\.config\.json has an error:\n {2}line 3: plugins\[0\]\.use: /,
  )
})

for (const [what, config] of [
  [
    'with callers who prove themselves',
    { auth: { inbound: { mode: 'apiKey', keys: [{ id: 'one', hash: '0'.repeat(64), scopes: [] }] } } },
  ],
  ['on an address that others reach', { listen: { http: { host: '10.0.0.1' } } }],
  ['with two services', { plugins: ['./a', './b'] }],
  ['with folders of services', { pluginDirs: ['./plugins'] }],
  ['with tenants', { tenants: { acme: {} } }],
  ['where the service takes nothing of callers', { plugins: [{ use: './a', allowRequestCredentials: false }] }],
] as const)
  test(`refuses to send the Authorization of requests on ${what}`, () => {
    const { message } = refused({ plugins: ['./a'], ...config, compat: { authorizationIsUpstream: true } })
    assert.match(message, /compat\.authorizationIsUpstream: needs /)
  })

test('allows the literal behaviour for one service behind loopback', () => {
  assert.equal(
    resolveConfig({ compat: { authorizationIsUpstream: true }, plugins: ['./a'] }).compat.authorizationIsUpstream,
    true,
  )
})

test('an empty list of enabled toolsets is none, and a warning says so', () => {
  const resolved = resolveConfig({ tools: { enable: [] } })
  assert.deepEqual(resolved.tools.enable, [])
  assert.deepEqual(configWarnings(resolved), ['tools.enable is empty: no tool is served'])
})

test('warns of repetitions and lists that allow nothing', () => {
  const resolved = resolveConfig({
    plugins: [{ use: './a', tools: { allow: [], deny: ['x', 'x'] } }],
    tools: { toolsets: { triage: ['a', 'a'] }, enable: ['triage', 'triage'] },
    tenants: { acme: { tools: { allow: [] } } },
    pluginDirs: ['./p', './p'],
  })
  assert.deepEqual(configWarnings(resolved), [
    'tools.enable has "triage" more than once',
    'tools.toolsets.triage has "a" more than once',
    'plugins[0].tools.allow is empty: it allows nothing',
    'plugins[0].tools.deny has "x" more than once',
    'tenants.acme.tools.allow is empty: it allows nothing',
    'pluginDirs has "./p" more than once',
  ])
})

test('warns of nothing in an empty config', () => {
  assert.deepEqual(configWarnings(resolveConfig({})), [])
})

function refused(config: HostConfig, deployment?: string, source?: { file: string; text: string }): HostError {
  try {
    resolveConfig(config, { deployment, ...(source ? { source } : {}) })
  } catch (error) {
    assert.ok(error instanceof HostError)
    return error
  }
  return assert.fail('it was accepted')
}

test('an entry of a deployment changes one of the config, and never one that the deployment added itself', () => {
  const config: HostConfig = {
    plugins: ['./a'],
    deployments: { production: { plugins: [{ use: './b' }, { use: './b', readOnly: true }, { use: './a', readOnly: true }] } },
  }
  assert.throws(() => resolveConfig(config, { deployment: 'production' }), /plugins\[2\]\.use: the same plugin as plugins\[1\]/)
})
