import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definePlugin, defineTool, Type, type ServicePlugin } from '@mcp-patchbay/plugin-api'
import { hostUnderTest } from '../fixtures/projects/host-under-test.ts'

const input = Type.Object({
  repo: Type.String({ minLength: 1, pattern: '^[a-z]+/[a-z]+$' }),
  number: Type.Integer({ minimum: 1 }),
  labels: Type.Optional(Type.Array(Type.Enum(['bug', 'feature']), { maxItems: 2 })),
  filter: Type.Optional(Type.Object({ state: Type.String() })),
})

/** Records what reached its tools. */
function recorder(): { readonly plugin: ServicePlugin; readonly ran: unknown[] } {
  const ran: unknown[] = []
  const plugin = definePlugin({
    name: 'strict',
    config: Type.Object({}),
    isAuthConfigured: () => true,
    createClient: () => undefined,
    tools: [
      defineTool({
        name: 'issues_get',
        description: 'Takes what its schema says.',
        access: 'read',
        input,
        run(given) {
          ran.push(given)
          return 'done'
        },
      }),
      defineTool({
        name: 'anything_take',
        description: 'Takes anything.',
        access: 'read',
        input: Type.Object({}, { additionalProperties: true }),
        run(given) {
          ran.push(given)
          return 'done'
        },
      }),
    ],
  })
  return { plugin: plugin as ServicePlugin, ran }
}

const valid = { repo: 'acme/web', number: 1 }

/** Arguments that are JSON but not what the schema asks for, and what the model is told. */
const wrong: readonly (readonly [what: string, args: unknown, told: RegExp])[] = [
  ['nothing', {}, /`repo` is missing/],
  ['a missing argument', { repo: 'acme/web' }, /`number` is missing/],
  ['another type', { ...valid, number: '1' }, /number.*integer/],
  ['a fraction', { ...valid, number: 1.5 }, /number.*integer/],
  ['too small a number', { ...valid, number: 0 }, /number.*1/],
  ['null', { ...valid, repo: null }, /repo.*string/],
  ['a text of another form', { ...valid, repo: 'ACME/../web' }, /repo/],
  ['a misspelled argument', { ...valid, lables: ['bug'] }, /lables/],
  ['an element of another kind', { ...valid, labels: ['bug', 'urgent'] }, /labels.*1/],
  ['too many elements', { ...valid, labels: ['bug', 'bug', 'bug'] }, /labels.*2/],
  ['an object where an array belongs', { ...valid, labels: { 0: 'bug' } }, /labels.*array/],
  ['something missing deeper down', { ...valid, filter: {} }, /filter.*state/],
  ['a prototype', JSON.parse('{"repo":"acme/web","number":1,"__proto__":{"polluted":true}}'), /__proto__/],
  ['a constructor', JSON.parse('{"repo":"acme/web","number":1,"constructor":{"prototype":{"polluted":true}}}'), /constructor/],
]

test('arguments that do not fit are an error the model can act on, in both eras, and the tool does not run', async (t) => {
  const { plugin, ran } = recorder()
  const host = await hostUnderTest(t, [plugin])
  for (const [what, args, told] of wrong)
    for (const { isError, error, content } of await host.callInBothEras('strict_issues_get', args)) {
      assert.equal(isError, true, `${what}: ${JSON.stringify(error)}`)
      assert.match(content?.[0]?.text ?? '', /^Invalid arguments for strict_issues_get: /, what)
      assert.match(content?.[0]?.text ?? '', told, what)
    }
  assert.deepEqual(ran, [])
  for (const { content } of await host.callInBothEras('strict_issues_get', valid))
    assert.deepEqual(content, [{ type: 'text', text: 'done' }])
})

test('arguments that are no object are a protocol error, in both eras, and the tool does not run', async (t) => {
  const { plugin, ran } = recorder()
  const host = await hostUnderTest(t, [plugin])
  for (const args of ['text', 7, true, ['a']])
    for (const { error } of await host.callInBothEras('strict_issues_get', args)) assert.equal(error?.code, -32602)
  assert.deepEqual(ran, [])
})

test('a tool that takes anything gets keys of prototypes as data of its own, at any depth', async (t) => {
  const { plugin, ran } = recorder()
  const host = await hostUnderTest(t, [plugin])
  const text =
    '{"a":[{"b":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}}],"__proto__":{"polluted":1}}'
  const replies = await host.callInBothEras('strict_anything_take', JSON.parse(text))
  for (const { content } of replies) assert.deepEqual(content, [{ type: 'text', text: 'done' }])
  assert.equal(ran.length, 2)
  for (const given of ran) assert.equal(JSON.stringify(given), text)
  assert.equal(Reflect.get({}, 'polluted'), undefined)
})
