import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseEnv } from 'node:util'
import { Secret, Type } from '@mcp-patchbay/plugin-api'
import { readPluginConfig } from '../../../host/src/config/plugin/plugin-environment.ts'
import { envTemplate } from '../../../host/src/config/plugin/template.ts'
import { configVariables, refuseCollisions, variableName } from '../../../host/src/config/plugin/variables.ts'
import { frozenJson, type JsonSchema } from '../../../host/src/data/json.ts'

const names: readonly (readonly [instance: string, keyPath: string, variable: string])[] = [
  ['github', 'apiUrl', 'GITHUB_API_URL'],
  ['github_eu', 'apiUrl', 'GITHUB_EU_API_URL'],
  ['github', 'apiURL', 'GITHUB_API_URL'],
  ['github', 'URLPrefix', 'GITHUB_URL_PREFIX'],
  ['github', 'oauthClientId', 'GITHUB_OAUTH_CLIENT_ID'],
  ['github', 'http2Port', 'GITHUB_HTTP2_PORT'],
  ['github', 'proxy.caFile', 'GITHUB_PROXY_CA_FILE'],
  ['github', 'snake_case-key', 'GITHUB_SNAKE_CASE_KEY'],
]

for (const [instance, keyPath, variable] of names)
  test(`${keyPath} of ${instance} is ${variable}`, () => {
    assert.equal(variableName(instance, keyPath), variable)
  })

const github = schemaOf({
  apiUrl: Type.String({ default: 'https://api.github.com', description: 'Where the API is.\nWith the version in its path.' }),
  personalToken: Type.Optional(Secret({ description: 'A token' })),
  owner: Type.String({ description: 'Whose repositories' }),
  labels: Type.Array(Type.String(), { default: ['good first issue', 'bug'] }),
  mode: Type.Optional(Type.Enum(['fast', 'safe'])),
  retry: Type.Object({ times: Type.Integer({ default: 3, minimum: 0 }) }),
})

test('lists the variables of nested keys too, and which of them are needed or secret', () => {
  assert.deepEqual(
    configVariables('github', github).map(({ variable, required, secret }) => [variable, required, secret]),
    [
      ['GITHUB_API_URL', false, false],
      ['GITHUB_PERSONAL_TOKEN', false, true],
      ['GITHUB_OWNER', true, false],
      ['GITHUB_LABELS', false, false],
      ['GITHUB_MODE', false, false],
      ['GITHUB_RETRY_TIMES', false, false],
    ],
  )
})

test('refuses two plugins whose names make one variable', () => {
  const plugins = [
    { instance: 'github', schema: schemaOf({ euApiUrl: Type.String(), owner: Type.String() }) },
    { instance: 'github_eu', schema: schemaOf({ apiUrl: Type.String(), owner: Type.String() }) },
  ]
  assert.throws(() => refuseCollisions(plugins), {
    code: 'CONFIG_COLLISION',
    message:
      'GITHUB_EU_API_URL would be read for euApiUrl of github and for apiUrl of github_eu; ' +
      'GITHUB_EU_API_URL_FILE would be read for euApiUrl of github and for apiUrl of github_eu',
  })
})

test('refuses a key that is the _FILE variant of another', () => {
  const schema = schemaOf({ token: Type.Optional(Secret()), tokenFile: Type.Optional(Type.String()) })
  assert.throws(() => refuseCollisions([{ instance: 'github', schema }]), {
    message: 'GITHUB_TOKEN_FILE would be read for token of github and for tokenFile of github',
  })
})

test('refuses nothing where every variable has one reader', () => {
  refuseCollisions([
    { instance: 'github', schema: github },
    { instance: 'github_eu', schema: github },
  ])
})

test('writes a template that says what each variable is for', () => {
  assert.equal(
    envTemplate({ instance: 'github', schema: github, description: 'Issues and repositories' }),
    `# github: Issues and repositories
# Each of these may have _FILE at its end and then names a file that holds the value.

# Where the API is.
# With the version in its path.
# A string, default https://api.github.com.
# GITHUB_API_URL=https://api.github.com

# A token
# A secret, optional.
# GITHUB_PERSONAL_TOKEN=

# Whose repositories
# A string, required.
GITHUB_OWNER=

# A list, separated by commas, default good first issue,bug.
# GITHUB_LABELS='good first issue,bug'

# "fast" or "safe", optional.
# GITHUB_MODE=

# An integer of at least 0, default 3.
# GITHUB_RETRY_TIMES=3`,
  )
})

test('a template with every line in force gives the defaults', () => {
  const template = envTemplate({ instance: 'github', schema: github }).replaceAll(/^# ([A-Z_]+=)/gm, '$1')
  const env = { ...parseEnv(template), GITHUB_OWNER: 'octocat' }
  const read = readPluginConfig({ schema: github, instance: 'github', inline: {}, env })
  assert.ok(read.ok)
  assert.deepEqual(read.config, {
    apiUrl: 'https://api.github.com',
    owner: 'octocat',
    labels: ['good first issue', 'bug'],
    retry: { times: 3 },
  })
  assert.equal(read.sources['retry.times'], 'GITHUB_RETRY_TIMES')
})

test('says so when a plugin reads no variables', () => {
  assert.equal(envTemplate({ instance: 'clock', schema: schemaOf({}) }), '# clock\n# It reads no variables.')
})

function schemaOf(properties: Parameters<typeof Type.Object>[0]): JsonSchema {
  return frozenJson(Type.Object(properties))
}
