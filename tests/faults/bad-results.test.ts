import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  definePlugin,
  definePrompt,
  defineResource,
  defineTool,
  Type,
  type ServicePlugin,
  type TSchema,
} from '@mcp-patchbay/plugin-api'
import { hostUnderTest, replyOf, type ToolReply } from '../fixtures/projects/host-under-test.ts'

const circular: { self?: unknown } = {}
circular.self = circular
const throwing = {
  get secret(): string {
    throw new Error('a getter threw')
  },
}
const hundredMegabytes = 'x'.repeat(100_000_000)

/** What `run` gives back, and what the caller is told; a string is the text of a result that could be sent. */
const returned: readonly (readonly [what: string, value: unknown, told: RegExp | string])[] = [
  ['100 MB of text', hundredMegabytes, /is too large \(100000000 bytes, 1048576 are allowed\); ask for less or in pages/],
  [
    'a million content items',
    Array.from({ length: 1_000_000 }, () => ({ type: 'text', text: '' })),
    /is too large \(1000000 items/,
  ],
  ['many bytes in few characters', '€'.repeat(400_000), /is too large \(1200000 bytes/],
  ['a circle', [circular], /JSON cannot hold/],
  ['a BigInt', 12n, /returned a bigint/],
  ['a BigInt in an item', [{ type: 'text', text: 'a', size: 12n }], /JSON cannot hold/],
  ['a function', () => 'late', /returned a function/],
  ['a symbol', Symbol('s'), /returned a symbol/],
  ['nothing', undefined, /returned nothing/],
  ['null', null, /returned null/],
  ['a number', 7, /returned a number/],
  ['an object where text was promised', { title: 'a' }, /returned an object; without an output schema/],
  ['a Buffer', Buffer.from('bytes'), /returned an object/],
  ['a nested promise', [Promise.resolve({ type: 'text', text: 'a' })], /content item 0 that has the type undefined/],
  ['a getter that throws', [throwing], /JSON cannot hold.*a getter threw/],
  ['an item of no kind', [{ type: 'html', text: '<b>' }], /content item 0 that has the type "html"/],
  ['an item without its text', [{ type: 'text' }], /content item 0 that has no text/],
  ['a resource without contents', [{ type: 'resource', resource: { uri: 'a:b' } }], /neither resource\.text nor resource\.blob/],
  ['an array in an array', [[{ type: 'text', text: 'a' }]], /content item 0 that is an array/],
  ['a lone surrogate', 'a\ud800b', 'a\ufffdb'],
  ['a lone surrogate in an item', [{ type: 'text', text: '\udc00' }], '\ufffd'],
  ['binary in text', '\u0000\u0001\u001b[31m\u007f', '\u0000\u0001\u001b[31m\u007f'],
  ['an empty text', '', ''],
]

/** The same for a tool that promised `{ title }` with an output schema. */
const structured: readonly (readonly [what: string, value: unknown, told: RegExp])[] = [
  ['another type', { title: 7 }, /does not fit its output schema: .*title/],
  ['a missing property', {}, /does not fit its output schema: .*title/],
  ['one property too many', { title: 'a', secret: 'b' }, /does not fit its output schema: .*secret/],
  ['text', 'a', /does not fit its output schema/],
  ['nothing', undefined, /returned nothing/],
  ['a circle', circular, /JSON cannot hold/],
  ['a Map', new Map([['title', 'a']]), /does not fit its output schema: .*title/],
  ['100 MB', { title: hundredMegabytes }, /is too large/],
  ['content items', [{ type: 'text', text: 'a' }], /does not fit its output schema/],
]

test('whatever a tool returns, the caller gets a result that could be sent or an error that names the fault', async (t) => {
  const { callInBothEras, log } = await hostUnderTest(t, [returning(returned)])
  for (const [index, [what, , told]] of returned.entries()) {
    for (const reply of await callInBothEras(`returning_${nameOf(index)}`)) {
      if (typeof told === 'string') assert.deepEqual(reply.content, [{ type: 'text', text: told }], what)
      else assertFault(reply, `returning_${nameOf(index)}`, told, what)
    }
  }
  // The operator sees whose fault it is.
  const faults = log.filter(({ event }) => event === 'invalid_result')
  assert.equal(faults.length, 2 * returned.filter(([, , told]) => typeof told !== 'string').length)
  assert.ok(faults.every(({ level, plugin }) => level === 'error' && plugin === 'returning'))
})

test('a value that does not fit the output schema is an error that names it, and is not passed through', async (t) => {
  const output = Type.Object({ title: Type.String() }, { additionalProperties: false })
  const { callInBothEras } = await hostUnderTest(t, [returning(structured, output)])
  for (const [index, [what, , told]] of structured.entries())
    for (const reply of await callInBothEras(`returning_${nameOf(index)}`))
      assertFault(reply, `returning_${nameOf(index)}`, told, what)
})

test('a result of exactly limits.resultBytes passes, one byte more does not', async (t) => {
  const plugin = returning([
    ['all of it', '€€'.padEnd(1_024 - 4, 'x'), ''],
    ['one more', '€€'.padEnd(1_024 - 3, 'x'), ''],
  ])
  const { callInBothEras } = await hostUnderTest(t, [plugin], { config: { limits: { resultBytes: 1_024 } } })
  for (const reply of await callInBothEras(`returning_${nameOf(0)}`)) assert.equal(reply.content?.[0]?.text?.length, 1_020)
  for (const reply of await callInBothEras(`returning_${nameOf(1)}`))
    assertFault(reply, `returning_${nameOf(1)}`, /is too large \(1025 bytes, 1024 are allowed\)/, 'one byte more')
})

test('a resource and a prompt that return what cannot be sent are errors that name the fault', async (t) => {
  const contents: readonly (readonly [unknown, RegExp])[] = [
    [undefined, /returned neither text, bytes nor resource contents/],
    [[circular], /contents that JSON cannot hold/],
    [[{ uri: 'bad://1' }], /with neither text nor blob/],
    [Buffer.alloc(1_000_000), /is too large \(1333336 bytes/],
    ['€'.repeat(400_000), /is too large \(1200000 bytes/],
  ]
  const messages: readonly (readonly [unknown, RegExp])[] = [
    [7, /returned neither text nor messages/],
    [[{ role: 'system', content: { type: 'text', text: 'a' } }], /message 0 without the role user or assistant/],
    [[{ role: 'user', content: 'text' }], /content item 0 that is a string/],
  ]
  const plugin = definePlugin({
    name: 'bad',
    config: Type.Object({}),
    isAuthConfigured: () => true,
    createClient: () => undefined,
    tools: [],
    resources: contents.map(([value], index) =>
      defineResource({ name: nameOf(index), uri: `bad://${index}`, read: () => value as string }),
    ),
    prompts: messages.map(([value], index) => definePrompt({ name: nameOf(index), run: () => value as string })),
  })
  const { client } = await hostUnderTest(t, [plugin as ServicePlugin])
  for (const [index, [, told]] of contents.entries())
    assert.match(replyOf(await client.post('resources/read', { uri: `bad://${index}` })).error?.message ?? '', told)
  for (const [index, [, told]] of messages.entries())
    assert.match(replyOf(await client.post('prompts/get', { name: `bad_${nameOf(index)}` })).error?.message ?? '', told)
})

function assertFault(reply: ToolReply, tool: string, told: RegExp, what: string): void {
  const text = reply.content?.[0]?.text ?? ''
  assert.equal(reply.isError, true, what)
  assert.match(text, told)
  assert.match(text, new RegExp(`^.*${tool} returned `))
  assert.match(text, /a fault of the plugin "returning", not of the request/)
  assert.equal(reply.structuredContent, undefined)
}

function nameOf(index: number): string {
  return `value_${index}`
}

/** A plugin with a tool for each value. */
function returning(values: readonly (readonly [string, unknown, unknown])[], output?: TSchema): ServicePlugin {
  return definePlugin({
    name: 'returning',
    config: Type.Object({}),
    isAuthConfigured: () => true,
    createClient: () => undefined,
    tools: values.map(([what, value], index) => ({
      ...defineTool({
        name: nameOf(index),
        description: `Returns ${what}.`,
        access: 'read',
        input: Type.Object({}),
        run: () => value as string,
      }),
      ...(output && { output }),
    })),
  }) as ServicePlugin
}
