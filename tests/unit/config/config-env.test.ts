import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { after, test } from 'node:test'
import * as fc from 'fast-check'
import { Secret, SecretValue, Type, type TObject, type TSchema } from '@mcp-patchbay/plugin-api'
import {
  readPluginConfig,
  type PluginConfigOptions,
  type ReadConfig,
  type UnreadConfig,
} from '../../../host/src/config/plugin/plugin-environment.ts'
import { frozenJson, type JsonSchema } from '../../../host/src/data/json.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchbay-env-'))
after(() => rmSync(folder, { recursive: true }))

const readings: readonly (readonly [what: string, schema: TSchema, text: string, value: unknown])[] = [
  ['a string as it stands', Type.String(), ' a b ', ' a b '],
  ['an integer', Type.Integer(), '-42', -42],
  ['an integer with spaces around it', Type.Integer(), ' 7 ', 7],
  ['minus zero as zero', Type.Integer(), '-0', 0],
  ['a number', Type.Number(), '1.5e3', 1500],
  ['a number without a leading digit', Type.Number(), '.5', 0.5],
  ...['true', 'TRUE', '1', 'yes', 'On'].map((text) => [`${text} as true`, Type.Boolean(), text, true] as const),
  ...['false', 'False', '0', 'NO', 'off'].map((text) => [`${text} as false`, Type.Boolean(), text, false] as const),
  ['a listed value', Type.Enum(['fast', 'safe']), 'safe', 'safe'],
  ['a listed value in other letters', Type.Union([Type.Literal('eu-west'), Type.Literal('us')]), 'EU-West', 'eu-west'],
  ['a listed number', Type.Union([Type.Literal(1), Type.Literal(2)]), '2', 2],
  ['a list', Type.Array(Type.String()), 'a, b ,,c', ['a', 'b', 'c']],
  ['a list of one', Type.Array(Type.Integer()), '5', [5]],
  ['a list as JSON', Type.Array(Type.String()), '["a,b", "c"]', ['a,b', 'c']],
  ['a record as JSON', Type.Record(Type.String(), Type.Integer()), '{"a": 1}', { a: 1 }],
  ['a list of objects as JSON', Type.Array(Type.Object({ id: Type.Integer() })), '[{"id": 1}]', [{ id: 1 }]],
  ['the first kind that fits', Type.Union([Type.Integer(), Type.String()]), '12a', '12a'],
]

for (const [what, schema, text, value] of readings)
  test(`reads ${what}`, () => {
    const { config, sources } = read({ schema: Type.Object({ theKey: schema }), env: { GITHUB_THE_KEY: text } })
    assert.deepEqual(config, { theKey: value })
    assert.deepEqual(sources, { theKey: 'GITHUB_THE_KEY' })
  })

const refusals: readonly (readonly [schema: TSchema, text: string, problem: string])[] = [
  [Type.Integer(), '4.7', 'expected an integer, got "4.7"'],
  [Type.Integer(), '0x10', 'expected an integer, got "0x10"'],
  [Type.Integer(), '1e3', 'expected an integer, got "1e3"'],
  [Type.Integer(), '9007199254740993', 'expected an integer that a computer can hold, got "9007199254740993"'],
  [Type.Integer({ minimum: 1 }), '0', 'expected an integer of at least 1, got 0'],
  [Type.Number(), 'Infinity', 'expected a number, got "Infinity"'],
  [Type.Number(), 'NaN', 'expected a number, got "NaN"'],
  [Type.Number(), '1e999', 'expected a number that a computer can hold, got "1e999"'],
  [Type.Boolean(), '2', 'expected true, false, 1, 0, yes, no, on or off, got "2"'],
  [Type.Enum(['fast', 'safe']), 'fats', 'expected fast or safe, got "fats"; did you mean "fast"?'],
  [Type.Array(Type.Integer()), '1,b', 'item 2: expected an integer, got "b"'],
  [Type.Array(Type.String(), { maxItems: 1 }), 'a,b', 'expected an array of at most 1 items, got 2'],
  [Type.Array(Type.String()), '["a"', 'expected a list, separated by commas or as JSON, got "[\\"a\\""'],
  [Type.Record(Type.String(), Type.Integer()), '{a}', 'expected an object as JSON, got "{a}"'],
  [Type.String({ format: 'uri' }), 'github', 'expected a string that is a URL, got "github"'],
  [Type.String({ pattern: '^v[0-9]+$' }), '3', 'expected a string matching ^v[0-9]+$, got "3"'],
  [Type.Union([Type.Integer(), Type.Boolean()]), 'x', 'expected an integer or true, false, 1, 0, yes, no, on or off, got "x"'],
]

for (const [schema, text, problem] of refusals)
  test(`refuses ${JSON.stringify(text)}: ${problem}`, () => {
    const { faults, problems } = refuse({ schema: Type.Object({ theKey: schema }), env: { GITHUB_THE_KEY: text } })
    assert.deepEqual(faults, [{ keyPath: 'theKey', source: 'GITHUB_THE_KEY', problem }])
    assert.deepEqual(problems, [`GITHUB_THE_KEY: ${problem}`])
  })

test('takes a variable over config of the entry, and a file over both', () => {
  writeFileSync(join(folder, 'url'), 'https://file\r\n\n')
  const schema = Type.Object({ apiUrl: Type.String({ default: 'https://default' }) })
  const env = { GITHUB_API_URL: 'https://env' }
  const steps = [
    read({ schema }),
    read({ schema, inline: { apiUrl: 'https://inline' } }),
    read({ schema, inline: { apiUrl: 'https://inline' }, env }),
    read({ schema, inline: { apiUrl: 'https://inline' }, env: { ...env, GITHUB_API_URL_FILE: 'url' }, baseDir: folder }),
  ]
  assert.deepEqual(
    steps.map(({ config, sources }) => [config['apiUrl'], sources['apiUrl']]),
    [
      ['https://default', 'default'],
      ['https://inline', 'inline'],
      ['https://env', 'GITHUB_API_URL'],
      ['https://file', 'GITHUB_API_URL_FILE'],
    ],
  )
})

test('takes an empty variable for one that is not set', () => {
  const schema = Type.Object({ apiUrl: Type.String({ default: 'https://default' }), mode: Type.Optional(Type.String()) })
  const { config } = read({ schema, env: { GITHUB_API_URL: '', GITHUB_MODE: '', GITHUB_API_URL_FILE: '' } })
  assert.deepEqual(config, { apiUrl: 'https://default' })
})

test('names every missing variable at once, with the steps to set it', () => {
  const schema = Type.Object({
    apiUrl: Type.String(),
    org: Type.Object({ name: Type.String() }),
    extra: Type.Optional(Type.String()),
  })
  const { missing, problems, fixes } = refuse({ schema })
  assert.deepEqual(missing, [
    { keyPath: 'apiUrl', variable: 'GITHUB_API_URL' },
    { keyPath: 'org.name', variable: 'GITHUB_ORG_NAME' },
  ])
  assert.deepEqual(problems, ['GITHUB_API_URL is not set', 'GITHUB_ORG_NAME is not set'])
  assert.ok(fixes.includes('Or point GITHUB_API_URL_FILE at a file that holds it'))
})

test('leaves an optional object out until a part of it is set', () => {
  const schema = Type.Object({
    proxy: Type.Optional(Type.Object({ host: Type.String(), port: Type.Integer({ default: 3128 }) })),
  })
  assert.deepEqual(read({ schema }).config, {})
  assert.deepEqual(read({ schema, env: { GITHUB_PROXY_HOST: 'p' } }).config, { proxy: { host: 'p', port: 3128 } })
  assert.deepEqual(refuse({ schema, env: { GITHUB_PROXY_PORT: '1' } }).missing, [
    { keyPath: 'proxy.host', variable: 'GITHUB_PROXY_HOST' },
  ])
})

test('copies defaults, so that no plugin can change them for the next', () => {
  const schema = frozenJson<JsonSchema>(Type.Object({ repos: Type.Array(Type.String(), { default: ['a'] }) }))
  const first = read({ schema }).config['repos']
  assert.deepEqual(first, ['a'])
  assert.notEqual(first, read({ schema }).config['repos'])
  assert.ok(Object.isFrozen(first))
})

test('refuses unknown keys of the entry with what was probably meant', () => {
  const schema = Type.Object({ apiUrl: Type.Optional(Type.String()), proxy: Type.Optional(Type.Object({ host: Type.String() })) })
  const { problems } = refuse({ schema, inline: { apiURl: 'x', proxy: { hots: 'p' }, zzz: 1 } })
  assert.deepEqual(problems, [
    'GITHUB_PROXY_HOST is not set',
    'config.apiURl: unknown key; did you mean "apiUrl"?',
    'config.zzz: unknown key',
    'config.proxy.hots: unknown key; did you mean "host"?',
  ])
})

test('checks keys that a schema allows without naming them', () => {
  const schema = Type.Object({ mode: Type.Optional(Type.String()) }, { additionalProperties: Type.Integer() })
  assert.deepEqual(read({ schema, inline: { a: 1 } }).config, { a: 1 })
  assert.deepEqual(refuse({ schema, inline: { a: 'x' } }).problems, ['config.a: expected an integer, got "x"'])
})

test('checks config of the entry by its type, not as text', () => {
  const schema = Type.Object({ retries: Type.Integer(), hosts: Type.Array(Type.String({ minLength: 1 })) })
  const { problems } = refuse({ schema, inline: { retries: '3', hosts: ['a', '', 5] } })
  assert.deepEqual(problems, [
    'config.retries: expected an integer, got "3"',
    'config.hosts[1]: expected a string that is not empty, got ""',
    'config.hosts[2]: expected a string that is not empty, got 5',
  ])
})

test('has the whole schema checked, whatever keywords it uses', () => {
  const schema = Type.Object(
    { a: Type.Optional(Type.Integer()), b: Type.Optional(Type.Integer()) },
    { not: { required: ['a', 'b'] } },
  )
  assert.deepEqual(read({ schema, env: { GITHUB_A: '1' } }).config, { a: 1 })
  assert.equal(refuse({ schema, env: { GITHUB_A: '1', GITHUB_B: '2' } }).problems.length, 1)
})

test('warns of a variable that looks like a slip, and of no other', () => {
  const schema = Type.Object({ apiUrl: Type.Optional(Type.String()), personalToken: Type.Optional(Secret()) })
  const env = { GITHUB_API_ULR: 'x', GITHUB_PERSONAL_TOKEN_FIEL: '/x', GITHUB_SHA: 'x', GITHUB_EU_API_URL: 'x', GITHUB_REF: '' }
  assert.deepEqual(read({ schema, env }).warnings, [
    'GITHUB_API_ULR is set, but nothing reads it; did you mean GITHUB_API_URL?',
    'GITHUB_PERSONAL_TOKEN_FIEL is set, but nothing reads it; did you mean GITHUB_PERSONAL_TOKEN_FILE?',
  ])
})

test('hands secrets to the host and a token of them to the plugin', () => {
  const schema = Type.Object({
    personalToken: Type.Optional(Secret()),
    mirrors: Type.Array(Secret(), { default: [] }),
    login: Type.Optional(Type.Object({ password: Secret() })),
  })
  const { config, secrets } = read({
    schema,
    inline: { login: { password: 'inline-secret' }, mirrors: ['first-secret'] },
    env: { GITHUB_PERSONAL_TOKEN: 'env-secret' },
  })
  assert.doesNotMatch(`${JSON.stringify(config)} ${inspect(config, { depth: 9, showHidden: true })}`, /-secret/)
  assert.deepEqual(Object.fromEntries(secrets), {
    personalToken: 'env-secret',
    'mirrors.0': 'first-secret',
    'login.password': 'inline-secret',
  })
  assert.throws(() => secretOf(config['personalToken']).reveal(), { code: 'PERMISSION_DENIED' })
})

test('reveals a secret only to a plugin that was granted it', () => {
  const { config } = read({ schema: Type.Object({ apiKey: Secret() }), env: { GITHUB_API_KEY: 'k' }, revealSecrets: true })
  assert.equal(secretOf(config['apiKey']).reveal(), 'k')
})

test('never shows the value of a secret in a fault', () => {
  const schema = Type.Object({
    personalToken: Secret({ pattern: '^ghp_' }),
    apiKey: Type.Integer(),
    clientSecret: Type.Enum(['a', 'b']),
    password: Type.Optional(Secret()),
    accessTokens: Type.Optional(Type.Array(Type.Integer())),
  })
  const faulty = refuse({
    schema,
    inline: { password: 5_309_123, clientSecret: 'hunter2-inline' },
    env: {
      GITHUB_PERSONAL_TOKEN: 'hunter2',
      GITHUB_API_KEY: 'hunter2',
      GITHUB_ACCESS_TOKENS: '1,hunter2',
      GITHUB_PASSWORD_FILE: 'hunter2',
    },
  })
  assert.equal(faulty.faults.length, 5)
  assert.doesNotMatch(JSON.stringify(faulty), /hunter2|5309123/)
})

test('names variable and path of a file that gives no value', () => {
  mkdirSync(join(folder, 'directory'))
  writeFileSync(join(folder, 'empty'), '\n')
  writeFileSync(join(folder, 'binary'), Buffer.from([0xff, 0xfe, 0x00]))
  writeFileSync(join(folder, 'large'), 'x'.repeat(1_048_577))
  const schema = Type.Object({ personalToken: Secret() })
  const problem = (file: string) =>
    refuse({ schema, env: { GITHUB_PERSONAL_TOKEN_FILE: join(folder, file), GITHUB_PERSONAL_TOKEN: 'unused' } }).problems
  const start = (file: string) => `GITHUB_PERSONAL_TOKEN_FILE: cannot read the file ${join(folder, file)}: `
  assert.deepEqual(problem('nothing'), [`${start('nothing')}there is no such file`])
  assert.deepEqual(problem('directory'), [`${start('directory')}it is a folder`])
  assert.deepEqual(problem('empty'), [`${start('empty')}it is empty`])
  assert.deepEqual(problem('binary'), [`${start('binary')}it is not UTF-8 text`])
  assert.deepEqual(problem('large'), [`${start('large')}it has 1048577 bytes, more than the 1048576 it may have`])
})

test('refuses a pattern that would hang a backtracking engine only for what it says', () => {
  const schema = Type.Object({ name: Type.String({ pattern: '^(a+)+$' }) })
  assert.equal(refuse({ schema, env: { GITHUB_NAME: `${'a'.repeat(5_000)}!` } }).faults.length, 1)
})

test('reads back every config that is written to the environment', () => {
  const schema = Type.Object({
    text: Type.String(),
    count: Type.Integer(),
    ratio: Type.Number(),
    flag: Type.Boolean(),
    mode: Type.Enum(['fast', 'safe']),
    list: Type.Array(Type.String()),
    inner: Type.Object({ deepKey: Type.Integer(), record: Type.Record(Type.String(), Type.Integer()) }),
  })
  const word = fc
    .string({ minLength: 1, unit: 'grapheme-ascii' })
    .filter((text) => !text.includes(',') && !text.startsWith('[') && text.trim() === text)
  const plain = { noNullPrototype: true }
  const key = fc.string({ minLength: 1 }).filter((name) => name !== '__proto__')
  const parts = {
    text: fc.string({ minLength: 1, unit: 'binary' }),
    count: fc.maxSafeInteger(),
    ratio: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
    flag: fc.boolean(),
    mode: fc.constantFrom('fast', 'safe'),
    list: fc.array(word, { minLength: 1 }),
    inner: fc.record({ deepKey: fc.integer(), record: fc.dictionary(key, fc.integer(), plain) }, plain),
  }
  const configs = fc.record(parts, plain)
  fc.assert(
    fc.property(configs, (config) => {
      const env = {
        GITHUB_EU_TEXT: config.text,
        GITHUB_EU_COUNT: String(config.count),
        GITHUB_EU_RATIO: String(config.ratio),
        GITHUB_EU_FLAG: String(config.flag),
        GITHUB_EU_MODE: config.mode,
        GITHUB_EU_LIST: config.list.join(','),
        GITHUB_EU_INNER_DEEP_KEY: String(config.inner.deepKey),
        GITHUB_EU_INNER_RECORD: JSON.stringify(config.inner.record),
      }
      assert.deepEqual(read({ schema, env, instance: 'github_eu' }).config, config)
    }),
  )
})

test('never throws, whatever the environment and the entry hold', () => {
  const schema = Type.Object({
    text: Type.String({ minLength: 2 }),
    count: Type.Optional(Type.Integer({ maximum: 5 })),
    inner: Type.Optional(Type.Object({ flag: Type.Boolean(), list: Type.Array(Type.Number(), { default: [1] }) })),
    token: Type.Optional(Secret()),
  })
  const names = ['TEXT', 'COUNT', 'INNER', 'INNER_FLAG', 'INNER_LIST', 'TOKEN', 'TOKEN_FILE'].map((name) => `GITHUB_${name}`)
  const env = fc.dictionary(fc.constantFrom(...names), fc.string())
  const inline = fc.dictionary(fc.constantFrom('text', 'count', 'inner', 'token', 'other', '__proto__'), fc.anything())
  fc.assert(
    fc.property(env, inline, (given, entry) => {
      const result = readPluginConfig({
        schema: frozenJson(schema),
        instance: 'github',
        inline: entry,
        env: given,
        baseDir: folder,
      })
      assert.equal(typeof result.ok, 'boolean')
    }),
    { numRuns: 500 },
  )
})

type Given = Partial<Omit<PluginConfigOptions, 'schema'>> & { schema: TObject | JsonSchema }

function read(given: Given): ReadConfig {
  const result = readAny(given)
  assert.ok(result.ok, `not read: ${JSON.stringify(result)}`)
  return result
}

function refuse(given: Given): UnreadConfig {
  const result = readAny(given)
  assert.ok(!result.ok, `read: ${JSON.stringify(result)}`)
  return result
}

function secretOf(value: unknown): SecretValue {
  assert.ok(value instanceof SecretValue)
  return value
}

function readAny({ schema, ...given }: Given): ReadConfig | UnreadConfig {
  return readPluginConfig({ instance: 'github', inline: {}, env: {}, ...given, schema: frozenJson(schema) })
}
