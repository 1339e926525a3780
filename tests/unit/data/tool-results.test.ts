import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WholeResult } from '@mcp-patchbay/plugin-api'
import {
  contentItems,
  errorResult,
  InvalidResult,
  limit,
  serialise,
  toolResult,
  wellFormed,
  wholeResult,
} from '../../../host/src/data/content.ts'
import { resourceContents } from '../../../host/src/server/call/result/resource-and-prompt-results.ts'

const bounds = { maxBytes: 1_000, redact: (text: string) => text }
const text = (of: string) => [{ type: 'text', text: of }]

/** What a tool returned with a schema of its output or without, and what is sent, or what is said of the plugin. */
function sent(value: unknown, structured = false, more: Partial<typeof bounds> = {}): unknown {
  try {
    return toolResult(value, { ...bounds, ...more, structured })
  } catch (error) {
    assert.ok(error instanceof InvalidResult)
    return error.message
  }
}

const WITHOUT = 'without an output schema a tool returns Markdown text or content items'
const cyclic: { self?: unknown } = {}
cyclic.self = cyclic

test('what a tool returned is text, content items, or with a schema the value and its JSON', () => {
  for (const [value, structured, expected] of [
    ['# A', false, { content: text('# A') }],
    ['', false, { content: text('') }],
    [[], false, { content: [] }],
    [text('a'), false, { content: text('a') }],
    [undefined, false, `returned nothing; ${WITHOUT}`],
    [null, false, `returned null; ${WITHOUT}`],
    [7, false, `returned a number; ${WITHOUT}`],
    [{}, false, `returned an object; ${WITHOUT}`],
    [{ a: [1], b: undefined }, true, { content: text('{"a":[1]}'), structuredContent: { a: [1] } }],
    ['a', true, { content: text('"a"'), structuredContent: 'a' }],
    [null, true, { content: text('null'), structuredContent: null }],
    [undefined, true, 'returned nothing'],
    [() => 1, true, 'returned a function'],
    [1n, true, 'returned a value that JSON cannot hold: Do not know how to serialize a BigInt'],
    [cyclic, true, 'returned a value that JSON cannot hold: Converting circular structure to JSON'],
  ] as const)
    assert.deepEqual(sent(value, structured), expected, JSON.stringify(expected))
})

test('each kind of content has what a client needs of it', () => {
  for (const [item, problem] of [
    [{ type: 'text', text: '' }, undefined],
    [{ type: 'text' }, 'has no text'],
    [{ type: 'text', text: 7 }, 'has no text'],
    [{ type: 'image', data: '', mimeType: 'image/png' }, undefined],
    [{ type: 'image', data: '' }, 'has no mimeType'],
    [{ type: 'image', mimeType: 'image/png' }, 'has no data'],
    [{ type: 'image', data: 'iVBORw', mimeType: 'image/png' }, undefined],
    [{ type: 'image', data: 'data:image/png;base64,AAAA', mimeType: 'image/png' }, 'has data that is not base64'],
    [{ type: 'audio', data: 'AAAA AAA=', mimeType: 'audio/ogg' }, undefined],
    [{ type: 'audio', data: '-_-_', mimeType: 'audio/ogg' }, 'has data that is not base64'],
    [{ type: 'audio', data: '', mimeType: 'audio/ogg' }, undefined],
    [{ type: 'audio', data: '' }, 'has no mimeType'],
    [{ type: 'audio', mimeType: 'audio/ogg' }, 'has no data'],
    [{ type: 'resource_link', uri: 'a:b', name: 'b' }, undefined],
    [{ type: 'resource_link', uri: 'a:b' }, 'has no name'],
    [{ type: 'resource_link', name: 'b' }, 'has no uri'],
    [{ type: 'resource', resource: { uri: 'a:b', text: '' } }, undefined],
    [{ type: 'resource', resource: { uri: 'a:b', blob: '' } }, undefined],
    [{ type: 'resource', resource: { uri: 'a:b', blob: 'no!' } }, 'has a resource.blob that is not base64'],
    [{ type: 'resource', resource: { uri: 'a:b', text: '', blob: 'no!' } }, 'has a resource.blob that is not base64'],
    [{ type: 'resource', resource: { uri: 'a:b' } }, 'has neither resource.text nor resource.blob'],
    [{ type: 'resource', resource: { text: '' } }, 'has no resource.uri'],
    [{ type: 'resource' }, 'has no resource.uri'],
    [{}, 'has the type undefined, not text, image, audio, resource or resource_link'],
    [{ type: 'video' }, 'has the type "video", not text, image, audio, resource or resource_link'],
    [{ type: 'toString' }, 'has the type "toString", not text, image, audio, resource or resource_link'],
    [null, 'is null'],
    ['a', 'is a string'],
    [[], 'is an array'],
  ] as const) {
    const expected = problem === undefined ? { content: [...text('a'), item] } : `returned content item 1 that ${problem}`
    assert.deepEqual(sent([...text('a'), item]), expected, JSON.stringify(item))
  }
})

test('a result is bounded in bytes and items, at the limit and beyond it', () => {
  const tooLarge = (size: number, max: number, unit = 'bytes') =>
    `returned a result that is too large (${size} ${unit}, ${max} are allowed); ask for less or in pages`
  assert.deepEqual(sent('é'.repeat(5), false, { maxBytes: 10 }), { content: text('ééééé') })
  assert.deepEqual(sent('é'.repeat(5), false, { maxBytes: 9 }), tooLarge(10, 9))
  assert.deepEqual(sent('aaaaa', false, { maxBytes: 5 }), { content: text('aaaaa') })
  assert.deepEqual(sent('aaaaaa', false, { maxBytes: 5 }), tooLarge(6, 5))
  assert.deepEqual(sent('abc', true, { maxBytes: 5 }), { content: text('"abc"'), structuredContent: 'abc' })
  assert.deepEqual(sent('abcd', true, { maxBytes: 5 }), tooLarge(6, 5))
  assert.deepEqual(sent(text('abc'), false, { maxBytes: 30 }), { content: text('abc') })
  assert.deepEqual(sent(text('abcd'), false, { maxBytes: 30 }), tooLarge(31, 30))
  const many = (count: number) => Array.from({ length: count }, () => text('')[0])
  assert.equal(contentItems(many(1_000), { ...bounds, maxBytes: 100_000 }).length, 1_000)
  assert.deepEqual(sent(many(1_001), false, { maxBytes: 100_000 }), tooLarge(1_001, 1_000, 'items'))
  assert.doesNotThrow(() => limit(5, 5))
  assert.throws(() => limit(6, 5, 'keys'), { message: tooLarge(6, 5, 'keys') })
})

test('no secret and no half character is in what is sent, also where JSON has escaped it', () => {
  const redact = (of: string) => of.replaceAll('s3cret', '[redacted]')
  assert.equal(wellFormed('a s3cret \ud800', { maxBytes: 100, redact }), 'a [redacted] \ufffd')
  assert.deepEqual(sent({ a: 's3cret' }, true, { redact }), {
    content: text('{"a":"[redacted]"}'),
    structuredContent: { a: '[redacted]' },
  })
  assert.deepEqual(sent({ a: 'x\ud800' }, true), { content: text('{"a":"x\ufffd"}'), structuredContent: { a: 'x\ufffd' } })
  assert.deepEqual(errorResult('no \udfff'), { content: text('no \ufffd'), isError: true })
  // A secret that took a bracket along leaves no JSON: then each text is redacted by itself.
  const greedy = (of: string) => of.replaceAll('"}', '[redacted]').replaceAll('key', '[redacted]')
  assert.equal(
    serialise({ a: 'key', b: 1, c: 'd' }, 'a value', { maxBytes: 100, redact: greedy }),
    '{"a":"[redacted]","b":1,"c":"d"}',
  )
})

test('a whole result has its content, what is structured, whether it is an error, and meta of its own', () => {
  const whole = (result: object, structured = false, more: Partial<typeof bounds> = {}): unknown => {
    try {
      return wholeResult({ content: text('a'), ...result } as WholeResult, { ...bounds, ...more, structured })
    } catch (error) {
      assert.ok(error instanceof InvalidResult)
      return error.message
    }
  }
  const content = text('a')
  for (const [result, structured, expected] of [
    [{}, false, { content }],
    [{ content: 'a' }, false, 'returned a result whose content is a string'],
    [
      { content: [{}] },
      false,
      'returned content item 0 that has the type undefined, not text, image, audio, resource or resource_link',
    ],
    [{ structuredContent: { a: 1 } }, false, { content, structuredContent: { a: 1 } }],
    [{ structuredContent: [1] }, false, 'returned structured content that is an array; without an output schema it is an object'],
    [{ structuredContent: [1] }, true, { content, structuredContent: [1] }],
    [{ isError: true }, false, { content, isError: true }],
    [{ isError: false }, false, { content }],
    [{ isError: 'yes' }, false, { content }],
    [{ meta: { own: 1 } }, false, { content, _meta: { own: 1 } }],
    [{ meta: {} }, false, { content }],
    [
      { meta: { 'io.modelcontextprotocol/x': 1, 'mcp-patchbay/y': 2, 'mcp-patchbayx/z': 3 } },
      false,
      { content, _meta: { 'mcp-patchbayx/z': 3 } },
    ],
    [{ meta: { 'mcp-patchbay/y': 2 } }, false, { content }],
    [{ meta: [] }, false, 'returned meta that is an array'],
    [{ meta: null }, false, 'returned meta that is null'],
  ] as const)
    assert.deepEqual(whole(result, structured), expected, JSON.stringify(result))
  const large = 'x'.repeat(100)
  for (const part of [{ content: text(large) }, { structuredContent: { large } }, { meta: { large } }])
    assert.match(String(whole(part, false, { maxBytes: 90 })), /too large/, Object.keys(part).join())
})

test('what a resource returned as a blob is base64, which a client can decode', () => {
  const read = (blob: string) =>
    resourceContents([{ uri: 'a:b', blob }], { uri: 'a:b', mimeType: undefined, maxBytes: 1_000, redact: (text) => text })
  assert.deepEqual(read('AAAA'), [{ uri: 'a:b', blob: 'AAAA' }])
  assert.throws(() => read('data:,AAAA'), new InvalidResult('returned contents with a blob that is not base64'))
})
