import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { ServiceError } from '@mcp-patchbay/plugin-api/host'
import { InvalidResult } from '../../../host/src/data/content.ts'
import { hostError } from '../../../host/src/errors.ts'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import type { PluginUris } from '../../../host/src/plugin/run/plugin-uris.ts'
import { errorText } from '../../../host/src/server/call/result/error-text.ts'
import { mountedContents, mountedMessages } from '../../../host/src/server/call/result/mounted-results.ts'
import { promptMessages, resourceContents } from '../../../host/src/server/call/result/resource-and-prompt-results.ts'
import { PluginThrew } from '../../../host/src/server/call/running-call.ts'

const bounds = { maxBytes: 40, redact: (text: string) => text.replaceAll('s3cret', '***') }
const URI = 'a:x'
const text = (value: string) => ({ type: 'text', text: value })

/** [what `read` returned, its media type, what is sent or why it is refused] */
const READ: readonly (readonly [unknown, unknown, unknown])[] = [
  ['plain', 'text/plain', [{ uri: URI, mimeType: 'text/plain', text: 'plain' }]],
  ['plain', undefined, [{ uri: URI, text: 'plain' }]],
  ['plain', 5, [{ uri: URI, text: 'plain' }]],
  ['a s3cret\ud800', undefined, [{ uri: URI, text: 'a ***\ufffd' }]],
  ['x'.repeat(40), undefined, [{ uri: URI, text: 'x'.repeat(40) }]],
  ['x'.repeat(41), undefined, /too large \(41 bytes, 40 are allowed\)/],
  ['\u00e4'.repeat(21), undefined, /too large \(42 bytes/],
  [new Uint8Array([0, 255]), 'image/png', [{ uri: URI, mimeType: 'image/png', blob: 'AP8=' }]],
  [new Uint8Array(30), undefined, [{ uri: URI, blob: 'A'.repeat(40) }]],
  [new Uint8Array(31), undefined, /too large \(44 bytes/],
  [[{ uri: 'b:y', text: 's3cret' }], 'text/plain', [{ uri: 'b:y', text: '***' }]],
  [[{ uri: 'b:y', blob: '' }], undefined, [{ uri: 'b:y', blob: '' }]],
  [[], undefined, []],
  [[{ uri: 'b:y', text: 5 }], undefined, /contents without a uri, or with neither text nor blob/],
  [[{ uri: 'b:y' }], undefined, /contents without a uri/],
  [[{ text: 'x' }], undefined, /contents without a uri/],
  [[{ uri: 5, text: 'x' }], undefined, /contents without a uri/],
  [[null], undefined, /contents without a uri/],
  [[{ uri: 'b:y', text: 'x'.repeat(40) }], undefined, /too large/],
  [{ uri: URI, text: 'x' }, undefined, /neither text, bytes nor resource contents/],
  [undefined, undefined, /neither text, bytes nor resource contents/],
]
for (const [value, mimeType, expected] of READ)
  test(`a resource that gives ${JSON.stringify(value)?.slice(0, 50)} as ${String(mimeType)} ${expected instanceof RegExp ? `is refused: ${expected.source}` : 'is sent'}`, () => {
    const contents = () => resourceContents(value, { uri: URI, mimeType, ...bounds })
    if (expected instanceof RegExp)
      assert.throws(contents, (error) => error instanceof InvalidResult && expected.test(error.message))
    else assert.deepEqual(contents(), expected)
  })

const wide = { ...bounds, maxBytes: 1_000 }
/** [what a prompt's `run` returned, its messages or why it is refused] */
const RUN: readonly (readonly [unknown, unknown])[] = [
  ['do s3cret', [{ role: 'user', content: text('do ***') }]],
  [
    [
      { role: 'user', content: text('a') },
      { role: 'assistant', content: text('s3cret') },
    ],
    [
      { role: 'user', content: text('a') },
      { role: 'assistant', content: text('***') },
    ],
  ],
  [[{ role: 'user', content: text('a'), extra: 1 }], [{ role: 'user', content: text('a') }]],
  [
    [
      { role: 'user', content: text('a') },
      { role: 'system', content: text('b') },
    ],
    /message 1 without the role user or assistant/,
  ],
  [[{ content: text('a') }], /message 0 without the role/],
  [[{ role: 'user', content: { type: 'other' } }], /./],
  [[null], /./],
  [[], []],
  [{ role: 'user', content: text('a') }, /neither text nor messages/],
  [undefined, /neither text nor messages/],
  ['x'.repeat(1_001), /too large/],
]
for (const [value, expected] of RUN)
  test(`a prompt that gives ${JSON.stringify(value)?.slice(0, 70)} ${expected instanceof RegExp ? `is refused: ${expected.source}` : 'is sent'}`, () => {
    if (expected instanceof RegExp)
      assert.throws(
        () => promptMessages(value, wide),
        (error) => error instanceof InvalidResult && expected.test(error.message),
      )
    else assert.deepEqual(promptMessages(value, wide), expected)
  })

test("of a later mount clients see the plugin's own addresses with its instance, and what they asked for as they asked", () => {
  const uris: PluginUris = {
    toClient: (uri) => (uri.startsWith('own:') ? `own:two/${uri.slice(4)}` : uri),
    toPlugin: (uri) => uri,
    mounted: (uri) => uri,
  }
  const read = [
    { uri: 'own:a', text: '' },
    { uri: 'own:b', text: '' },
    { uri: 'x:c', text: '' },
  ]
  const addresses = (of: PluginUris | undefined) =>
    mountedContents(read, { asked: 'asked:a', uri: 'own:a', uris: of }).map(({ uri }) => uri)
  assert.deepEqual(addresses(uris), ['asked:a', 'own:two/b', 'x:c'])
  assert.deepEqual(addresses(undefined), ['own:a', 'own:b', 'x:c'])
  const messages = [
    { role: 'user', content: { type: 'resource_link', uri: 'own:a', name: 'a' } },
    { role: 'user', content: { type: 'resource', resource: { uri: 'own:b', text: '' } } },
    { role: 'assistant', content: { type: 'text', text: 'own:c' } },
  ] as const
  assert.deepEqual(mountedMessages(messages, uris), [
    { role: 'user', content: { type: 'resource_link', uri: 'own:two/a', name: 'a' } },
    { role: 'user', content: { type: 'resource', resource: { uri: 'own:two/b', text: '' } } },
    messages[2],
  ])
  assert.deepEqual(mountedMessages(messages, undefined), messages)
})

/** What a model reads of an error, and what the log has of it. */
function told(error: unknown) {
  const lines: unknown[] = []
  const log: Logger = {
    ...silentLogger,
    info: (event, fields) => void lines.push(['info', event, fields]),
    error: (event, fields) => void lines.push(['error', event, fields]),
  }
  return { text: errorText(error, { name: 'desk_get', plugin: 'desk', requestId: 'r1', trace: undefined }, log), lines }
}
const about = { plugin: 'desk', tool: 'desk_get', call: 'r1' }

/** [the code of a service error, its cause in words] */
const CAUSES = {
  AUTHENTICATION_FAILED: 'this call had no credential that the service accepts',
  PERMISSION_DENIED: 'the credential may not do this',
  NOT_FOUND: 'the service has no such thing, or the credential may not see it',
  RATE_LIMITED: 'too many requests',
  INVALID_INPUT: 'the service refused the input',
  UPSTREAM_FAILED: 'the service is not working',
  TIMEOUT: 'the service did not answer in time',
} as const
for (const [code, cause] of Object.entries(CAUSES) as [keyof typeof CAUSES, string][])
  test(`a service's ${code} says: ${cause}`, () => {
    const { text: said, lines } = told(new ServiceError(code, 'it failed', { fix: 'Do this' }))
    assert.match(said, /desk_get failed: it failed/)
    assert.ok(said.includes(cause))
    assert.match(said, /Do this/)
    assert.doesNotMatch(said, /Wait/)
    assert.deepEqual(lines, [['info', 'call_failed', { ...about, code }]])
  })

test('how long to wait is said once', () => {
  const wait = (retryAfterMs: number | undefined, fix?: string) =>
    told(
      new ServiceError('RATE_LIMITED', 'x', {
        ...(fix !== undefined && { fix }),
        ...(retryAfterMs !== undefined && { retryAfterMs }),
      }),
    ).text
  assert.match(wait(1_001), /Wait 2 s, then try again/)
  assert.match(wait(0), /Wait 0 s, then try again/)
  assert.match(wait(2_000, 'Call later'), /Call later[^]*Wait 2 s, then try again/)
  assert.doesNotMatch(wait(2_000, 'Call again in 2 s'), /Wait/)
  assert.doesNotMatch(wait(undefined), /Wait/)
})

test("the host's own error is told with its advice and logged elsewhere", () => {
  const { text: said, lines } = told(hostError('TOOL_UNKNOWN', { name: 'desk_gone' }))
  assert.match(said, /desk_gone/)
  assert.deepEqual(lines, [])
})

test('an invalid result is a fault of the plugin, and is logged', () => {
  const { text: said, lines } = told(new InvalidResult('returned nothing'))
  assert.match(said, /desk_get returned nothing/)
  assert.match(said, /a fault of the plugin "desk", not of the request/)
  assert.deepEqual(lines, [['error', 'invalid_result', { ...about, problem: 'returned nothing' }]])
})

test('of what a plugin throws, and of what fails in the host, a model reads the request id alone, and the log has all', () => {
  const secret = new Error('/home/s3cret')
  const ofPlugin = told(new PluginThrew('A plugin threw', { cause: secret }))
  const ofHost = told(secret)
  for (const { text: said } of [ofPlugin, ofHost]) {
    assert.doesNotMatch(said, /s3cret/)
    assert.match(said, /r1/)
  }
  assert.match(ofPlugin.text, /"desk"/)
  assert.notEqual(ofPlugin.text, ofHost.text)
  assert.doesNotMatch(ofHost.text, /"desk"/)
  for (const { lines } of [ofPlugin, ofHost]) assert.deepEqual(lines, [['error', 'call_failed', { ...about, error: secret }]])
})
