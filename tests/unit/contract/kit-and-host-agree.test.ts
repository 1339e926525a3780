import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definePlugin, defineTool, Type, type AnyPlugin, type ServicePlugin } from '@mcp-patchbay/plugin-api'
import { callTool } from '@mcp-patchbay/plugin-api/testing'
import type { TObject, TSchema } from 'typebox'
import { clientWarnings, pluginChecks, shapeCheck } from '../../../plugin-api/src/testing/plugin-checks.ts'
import type { JsonSchema } from '../../../host/src/data/json.ts'
import { readPluginConfig } from '../../../host/src/config/plugin/plugin-environment.ts'
import { HostError } from '../../../host/src/errors.ts'
import { checkPlugin } from '../../../host/src/plugin/source/check-contract.ts'
import { readSurface } from '../../../host/src/plugin/source/describe-surface.ts'
import { createValidators } from '../../../host/src/data/schema/validate.ts'
import { surfaceWarnings } from '../../../host/src/plugin/run/surface-warnings.ts'

const described = { description: 'What to put here.' }
const text = Type.String(described)

function animal(input: TSchema, config: TObject = Type.Object({}), output?: TSchema): AnyPlugin {
  const made = definePlugin({
    name: 'zoo',
    config,
    isAuthConfigured: () => true,
    createClient: () => ({}),
    tools: [],
  })
  const tool = { name: 'items_get', description: 'Gets.', access: 'read', input, run: (given: unknown) => given }
  return { ...made, tools: [{ ...tool, ...(output && { output }) }] } as AnyPlugin
}

const input = (properties: Record<string, unknown>, more: object = {}): TSchema =>
  Type.Unsafe({ type: 'object', properties, ...more })
const one = (schema: object, more?: object) => input({ a: { ...described, ...schema } }, more)

const zoo: Readonly<Record<string, AnyPlugin>> = {
  'nothing to say': animal(Type.Object({})),
  'a pattern without a default': animal(Type.Object({ a: Type.String({ ...described, pattern: '^[a-z]{3}-\\d+$' }) })),
  'a config with a pattern and no default': animal(
    Type.Object({}),
    Type.Object({ project: Type.String({ ...described, pattern: '^[A-Z]+$' }) }),
  ),
  'a config with a format': animal(Type.Object({}), Type.Object({ since: Type.String({ ...described, format: 'date' }) })),
  'unknown keywords': animal(one({ type: 'string', example: 'x', 'x-amz.date': 1, discriminator: {} })),
  'an unknown format': animal(one({ type: 'string', format: 'json' })),
  'a name that begins like a keyword': animal(input({ 'x-amz.date': { type: 'string', ...described } })),
  'a reference to a definition': animal(one({ $ref: '#/$defs/b' }, { $defs: { b: { type: 'string' } } })),
  'a recursive type': animal(
    Type.Object({
      tree: Type.Cyclic({ Node: Type.Object({ n: text, below: Type.Array(Type.Ref('Node'), described) }) }, 'Node', described),
    }),
  ),
  'a union of literals': animal(Type.Object({ a: Type.Union([Type.Literal('x'), Type.Literal('y')], described) })),
  'unique objects': animal(Type.Object({ a: Type.Array(Type.Object({ b: text }), { ...described, uniqueItems: true }) })),
  'alternatives at the root': animal(one({ type: 'string' }, { anyOf: [{ required: ['a'] }, {}] })),
  'look-ahead': animal(one({ type: 'string', pattern: '(?=a)a' })),
  'a back-reference': animal(one({ type: 'string', pattern: '(a)\\1' })),
  'a pattern that is none': animal(one({ type: 'string', pattern: '(' })),
  'a pattern that repeats too much': animal(one({ type: 'string', pattern: 'a{1000}b{1000}c{1000}' })),
  'a type that is none': animal(one({ type: 'strng' })),
  'a tuple of draft-07': animal(Type.Object({ a: Type.Tuple([Type.String(), Type.Number()], described) })),
  'a reference to nothing': animal(one({ $ref: '#/$defs/b' })),
  'a reference to a default': animal(one({ $ref: '#/default' }, { default: {} })),
  'a reference elsewhere': animal(one({ $ref: 'https://example.com/a.json' })),
  'an output that cannot be checked': animal(
    Type.Object({}),
    Type.Object({}),
    Type.Unsafe({ type: 'object', properties: { a: { type: 'x' } } }),
  ),
}

const sound = new Set(Object.keys(zoo).slice(0, Object.keys(zoo).indexOf('look-ahead')))

for (const [what, plugin] of Object.entries(zoo))
  test(`the test kit and the host ${sound.has(what) ? 'take' : 'refuse'} a plugin with ${what}`, () => {
    const kit = [shapeCheck, ...pluginChecks].flatMap(({ faults }) => faults(plugin, {}))
    assert.equal(kit.length === 0, sound.has(what), kit.join('\n'))
    assert.equal(hostTakes(plugin), sound.has(what))
  })

function hostTakes(plugin: AnyPlugin): boolean {
  try {
    return checkPlugin(plugin, undefined, 'zoo').leftOut.length === 0
  } catch (error) {
    assert.ok(error instanceof HostError, String(error))
    return false
  }
}

test('the host refuses a tool whose name is an object', () => {
  const plugin = animal(Type.Object({}))
  const tools = plugin.tools.map((tool) => ({ ...tool, name: { toString: {} }, input: { type: { toString: {} } } }))
  assert.equal(hostTakes({ ...plugin, tools } as never), false)
})

test('the test kit and the host warn of the same, and neither refuses it', () => {
  const names = { ...animal(input({ list: { type: 'array', ...described } }, { oneOf: [{}] })), name: 'a'.repeat(45) }
  const plugin = names as ServicePlugin
  assert.equal(hostTakes(plugin), true)
  const told = surfaceWarnings(readSurface(plugin), plugin.name).map(({ problem }) => problem)
  assert.deepEqual(
    clientWarnings(plugin).map((line) => told.some((problem) => line.includes(problem))),
    [true, true, true],
  )
  assert.match(told.join('\n'), /55 characters[^]*input\.oneOf is at the root[^]*input\.list is an array without items/)
})

test('the test kit completes arguments as the host does', async () => {
  const schema = Type.Object({
    q: text,
    limit: Type.Optional(Type.Integer({ ...described, default: 20 })),
    tag: Type.Optional(text),
    filter: Type.Optional(
      Type.Object({ state: Type.String({ ...described, default: 'open' }), by: Type.Optional(text) }, described),
    ),
    page: Type.Optional(
      Type.Object(
        {
          size: Type.Integer({ ...described, default: 10 }),
          order: Type.Array(Type.Object({ by: Type.String({ ...described, default: 'name' }) }), { ...described, default: [{}] }),
        },
        { ...described, default: {} },
      ),
    ),
  })
  const plugin = animal(schema, Type.Object({}), Type.Object({}, { additionalProperties: true }))
  for (const given of [
    { q: 'x' },
    { q: 'x', limit: null, tag: null },
    { q: 'x', filter: { by: null } },
    { q: 'x', limit: 5, page: null },
  ]) {
    const expected = structuredClone(given)
    assert.equal(
      createValidators().completing(readSurface(plugin as ServicePlugin).tools[0]?.wire.inputSchema ?? {})(expected),
      undefined,
    )
    assert.deepEqual(await callTool(plugin, 'items_get', given), expected)
    assert.deepEqual('page' in expected && expected.page, { size: 10, order: [{ by: 'name' }] }, 'a default is completed too')
  }
  await assert.rejects(callTool(plugin, 'items_get', { q: null }), { code: 'INVALID_INPUT' })
})

test('the test kit fills in a config as the host does, nested objects too', async () => {
  const config = Type.Object({
    http: Type.Object({ timeout: Type.Integer({ ...described, default: 5 }), proxy: Type.Optional(text) }),
    more: Type.Optional(Type.Object({ deep: Type.Integer({ ...described, default: 1 }) })),
  })
  const tool = defineTool({
    name: 'config_show',
    description: 'Shows.',
    access: 'read',
    input: Type.Object({}),
    run: (_, ctx) => JSON.stringify(ctx.config),
  })
  const plugin = { ...animal(Type.Object({}), config), tools: [tool] }
  const read = readPluginConfig({
    schema: JSON.parse(JSON.stringify(config)) as JsonSchema,
    instance: 'zoo',
    inline: {},
    env: {},
  })
  assert.ok(read.ok)
  assert.deepEqual(read.config, { http: { timeout: 5 } })
  assert.deepEqual(JSON.parse(await callTool(plugin, 'config_show')), read.config)
})
