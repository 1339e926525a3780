import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { serializeError } from '../../../host/src/observability/log/serialize-error.ts'
import { shortenFields, shortenText } from '../../../host/src/observability/log/shorten.ts'
import { boundedMetrics, type PluginRecord } from '../../../host/src/observability/plugin-records.ts'
import { prettyLines } from '../../../host/src/observability/pretty.ts'
import { isError, messageOf, shown, textOf } from '../../../host/src/observability/thrown.ts'
import { visible } from '../../../host/src/observability/visible.ts'

test('a text that is cut says how long it was', () => {
  assert.equal(shortenText('abcde', 5), 'abcde')
  assert.equal(shortenText('abcdef', 5), 'abcde… [6 characters]')
})

test('a line holds so much of each value and of all together, and counts what it leaves out', () => {
  const value = (length: number) => 'x'.repeat(length)
  assert.deepEqual(shortenFields({ a: value(8_192), b: value(8_193), n: 7, z: null }, 65_536), {
    a: value(8_192),
    b: `${value(8_192)}… [8193 characters]`,
    n: 7,
    z: null,
  })
  assert.deepEqual(shortenFields({ [value(201)]: 1 }, 1_000), { [`${value(200)}… [201 characters]`]: 1 })
  assert.deepEqual(shortenFields({ list: Array.from({ length: 102 }, () => 1) }, 65_536), {
    list: [...Array.from({ length: 100 }, () => 1), '… 2 more'],
  })
  assert.deepEqual(shortenFields({ list: Array.from({ length: 100 }, () => 1) }, 65_536), {
    list: Array.from({ length: 100 }, () => 1),
  })
  // Each key costs its length and 20, each element 20: what is left when there is nothing left is counted.
  assert.deepEqual(shortenFields({ a: 1, b: 2, c: 3, d: 4 }, 42), { a: 1, b: 2, '…': '2 more' })
  assert.deepEqual(shortenFields({ a: 1, b: 2, c: 3, d: 4 }, 43), { a: 1, b: 2, c: 3, '…': '1 more' })
  assert.deepEqual(shortenFields({ a: 'abcdef', b: 2 }, 24), { a: 'abc… [6 characters]', '…': '1 more' })
  assert.deepEqual(shortenFields({ a: [1, 2, 3] }, 42), { a: [1, 2, '… 1 more'] })
  const deep = { a: { b: { c: { d: { e: { f: 1 } } } } } }
  assert.deepEqual(shortenFields(deep, 65_536), { a: { b: { c: { d: { e: '{"f":1}' } } } } })
  assert.deepEqual(shortenFields({ a: [[[[[1]]]]] }, 65_536), { a: [[[['[1]']]]] })
})

test('an error in a line has its name, message, code, stack, and five causes', () => {
  const inner = Object.assign(new TypeError('inner'), { code: 'E1' })
  const outer = Object.assign(new Error('outer', { cause: inner }), { code: 7 })
  assert.deepEqual(serializeError(outer), {
    name: 'Error',
    message: 'outer',
    code: 7,
    stack: outer.stack,
    cause: { name: 'TypeError', message: 'inner', code: 'E1', stack: inner.stack },
  })
  assert.deepEqual(serializeError('text'), 'text')
  const told = new Error('a', { cause: 'b' })
  assert.deepEqual(serializeError(told), { name: 'Error', message: 'a', cause: 'b', stack: told.stack })
  const odd = Object.assign(new Error('a'), { code: {} })
  assert.equal('code' in (serializeError(odd) as object), false)
  const itself = new Error('round')
  itself.cause = itself
  let depth = 0
  for (let at = serializeError(itself) as { cause?: unknown } | undefined; at?.cause; at = at.cause as typeof at) depth++
  assert.equal(depth, 5)
})

test('whatever was thrown has a message, of a bounded length', () => {
  const unreadable = new Proxy(new Error('x'), {
    get() {
      throw new Error('no')
    },
  })
  for (const [thrown, message] of [
    [new Error('why'), 'why'],
    [new Error(''), ''],
    ['text', 'text'],
    [undefined, 'undefined'],
    [Object.create(null), 'something that is no error'],
    [unreadable, 'an error that cannot be read'],
    [Object.assign(new Error('x'), { message: 7 }), 'an error that cannot be read'],
  ] as const)
    assert.equal(messageOf(thrown), message)
  assert.equal(messageOf(new Error('x'.repeat(65_537))).length, 65_536)
  assert.equal(messageOf('x'.repeat(65_537)).length, 65_536)
  assert.equal(textOf(new Error('a'), 'name'), 'Error')
  assert.equal(shown('x'.repeat(32_768)), 'x'.repeat(32_768))
  assert.equal(shown('x'.repeat(32_769)), `${'x'.repeat(32_768)}… (shortened)`)
  const hidden = new Proxy(
    {},
    {
      getPrototypeOf() {
        throw new Error('no')
      },
    },
  )
  assert.deepEqual([new Error('a'), 'a', null, hidden].map(isError), [true, false, false, false])
})

test('what a terminal would obey is shown, and nothing else changes', () => {
  for (const [text, expected] of [
    ['plain é 漢 🙂 "quoted" \\', 'plain é 漢 🙂 "quoted" \\'],
    ['a\nb\tc\rd\be\f', 'a\\nb\\tc\\rd\\be\\f'],
    ['\u0000\u001b[31m\u007f\u009b', '\\u0000\\u001b[31m\\u007f\\u009b'],
    ['\u2028\u2029', '\\u2028\\u2029'],
    ['\u202a\u202e\u2066\u2069', '\\u202a\\u202e\\u2066\\u2069'],
    ['\u2027\u202f\u2065', '\u2027\u202f\u2065'],
  ] as const)
    assert.equal(visible(text), expected)
})

test('a line for a person has time, level and event, then its fields, and below them the error', () => {
  const pretty = (fields: object) => {
    let written = ''
    prettyLines({ write: (line) => (written += line) }).write(
      JSON.stringify({ time: '2026-11-30T09:10:11.123Z', level: 'warn', event: 'said', ...fields }),
    )
    return stripVTControlCharacters(written)
  }
  assert.equal(pretty({}), '09:10:11.123 warn  said\n')
  assert.equal(
    pretty({ a: 'x', b: 'two words', c: 7, d: { e: 1 }, 'f\ng': '\u001b[31mred\u001b[39m' }),
    '09:10:11.123 warn  said a=x b="two words" c=7 d={"e":1} f\\ng=red\n',
  )
  assert.equal(
    pretty({ event: 'plugin.x', fields: { own: 1 }, plugin: 'notes' }),
    '09:10:11.123 warn  plugin.x plugin=notes own=1\n',
  )
  assert.equal(
    pretty({ error: { stack: 'Error: a\n    at b', message: 'a' } }),
    '09:10:11.123 warn  said\n  Error: a\n      at b\n',
  )
  assert.equal(pretty({ error: { message: 'a' } }), '09:10:11.123 warn  said\n  a\n')
  assert.equal(pretty({ error: { odd: 1 } }), '09:10:11.123 warn  said\n  {"odd":1}\n')
  assert.equal(pretty({ error: 'text' }), '09:10:11.123 warn  said\n  text\n')
  assert.equal(
    pretty({ error: 'of the host', fields: { error: 'of the plugin' } }),
    '09:10:11.123 warn  said\n  "of the plugin"\n',
  )
})

/** As JavaScript sees it: nothing checks what a plugin gives. */
interface Untyped {
  count(name: unknown, value?: unknown, labels?: unknown): void
  gauge(name: unknown, value: unknown, labels?: unknown): void
  observe(name: unknown, value: unknown, labels?: unknown): void
}

test('what a plugin counts has a bounded name and bounded labels before it waits anywhere', () => {
  const records: PluginRecord[] = []
  const own: Untyped = boundedMetrics((one) => void records.push(one))
  const inherited: object = Object.create({ from: 'above' })
  const calls: readonly (readonly [keyof typeof own, readonly [unknown, unknown?, unknown?], object])[] = [
    ['count', ['a'], { kind: 'count', name: 'a', value: 1, labels: {} }],
    ['count', ['a', 5, { b: 'c' }], { kind: 'count', name: 'a', value: 5, labels: { b: 'c' } }],
    ['gauge', ['a', 0], { kind: 'gauge', name: 'a', value: 0, labels: {} }],
    [
      'observe',
      ['a', '7', { n: 1, t: true, o: {}, u: undefined }],
      { kind: 'observe', name: 'a', value: 7, labels: { n: '1', t: 'true', o: 'object', u: 'undefined' } },
    ],
    ['count', ['a', 1, 'text'], { kind: 'count', name: 'a', value: 1, labels: {} }],
    ['count', ['a', 1, null], { kind: 'count', name: 'a', value: 1, labels: {} }],
    ['count', ['a', 1, inherited], { kind: 'count', name: 'a', value: 1, labels: {} }],
    ['count', ['x'.repeat(120)], { kind: 'count', name: 'x'.repeat(120), value: 1, labels: {} }],
    ['count', ['x'.repeat(121)], { kind: 'count', name: `${'x'.repeat(119)}…`, value: 1, labels: {} }],
    [
      'count',
      ['a', 1, Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`l${at}`, 'v'.repeat(121)]))],
      {
        kind: 'count',
        name: 'a',
        value: 1,
        labels: Object.fromEntries(Array.from({ length: 8 }, (_, at) => [`l${at}`, `${'v'.repeat(119)}…`])),
      },
    ],
  ]
  for (const [kind, [name, value, labels], expected] of calls) {
    own[kind](name, value, labels)
    assert.deepEqual(records.pop(), expected)
  }
})
