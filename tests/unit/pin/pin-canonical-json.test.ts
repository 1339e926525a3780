import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { canonicalJson } from '../../../host/src/data/canonical-json.ts'

test('writes the example of RFC 8785 section 3.2.2 byte for byte as section 3.2.4 prints it', () => {
  const input = JSON.parse(String.raw`{
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  }`)
  const bytes =
    '7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e756d62657273223a5b3333333333333333332e333333333333332c' +
    '31652b33302c342e352c302e3030322c31652d32375d2c22737472696e67223a22e282ac245c75303030665c6e4127425c225c5c5c5c5c222f227d'
  assert.equal(Buffer.from(canonicalJson(input)).toString('hex'), bytes)
})

test('sorts keys by UTF-16 code units, as in RFC 8785 section 3.2.3', () => {
  const input = {
    '\u20ac': 'Euro Sign',
    '\r': 'Carriage Return',
    '\ufb33': 'Hebrew Letter Dalet With Dagesh',
    '1': 'One',
    '\ud83d\ude00': 'Emoji: Grinning Face',
    '\u0080': 'Control',
    '\u00f6': 'Latin Small Letter O With Diaeresis',
  }
  const order = [...canonicalJson(input).matchAll(/:"([^"]+)"/g)].map(([, value]) => value)
  assert.deepEqual(order, [
    'Carriage Return',
    'One',
    'Control',
    'Latin Small Letter O With Diaeresis',
    'Euro Sign',
    'Emoji: Grinning Face',
    'Hebrew Letter Dalet With Dagesh',
  ])
})

// RFC 8785, Appendix B.
for (const [bits, text] of [
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
] as const) {
  test(`writes the double ${bits} as ${text}`, () => {
    assert.equal(canonicalJson(Buffer.from(bits, 'hex').readDoubleBE()), text)
  })
}

class Boxed {
  readonly value = 1
}
const circular: Record<string, unknown> = {}
circular['self'] = { again: [circular] }
const deep = Array.from({ length: 300 }).reduce<unknown>((inner) => [inner], 0)

for (const [what, value, path] of [
  ['undefined', { a: { b: undefined } }, '$.a.b'],
  ['NaN', [0, Number.NaN], '$[1]'],
  ['Infinity', { 'a b': Infinity }, '$["a b"]'],
  ['a bigint', { a: [{ b: 1n }] }, '$.a[0].b'],
  ['a function', { run: () => 1 }, '$.run'],
  ['a symbol', [Symbol('s')], '$[0]'],
  ['half of a surrogate pair', { a: '\ud83d' }, '$.a'],
  ['half of a surrogate pair', { a: { '\ude00': 1 } }, '$.a'],
  ['an instance of Boxed', { a: new Boxed() }, '$.a'],
  ['an instance of Date', { a: new Date(0) }, '$.a'],
  ['an instance of Map', [new Map()], '$[0]'],
  // oxlint-disable-next-line no-sparse-arrays
  ['undefined', [1, , 3], '$[1]'],
  ['an object that contains itself', circular, '$.self.again[0]'],
  ['nested more than 256 deep', deep, '$[0]'],
] as const) {
  test(`refuses ${what} at ${path}`, () => {
    assert.throws(
      () => canonicalJson(value),
      (error: Error & { code?: string }) =>
        error.code === 'PIN_NOT_JSON' && error.message.startsWith(path) && error.message.includes(what),
    )
  })
}

test('takes one object that stands in two places', () => {
  const shared = { a: 1 }
  assert.equal(canonicalJson([shared, shared]), '[{"a":1},{"a":1}]')
})

test('keeps a key named __proto__ as data', () => {
  assert.equal(canonicalJson(JSON.parse('{"__proto__":{"x":1},"a":2}')), '{"__proto__":{"x":1},"a":2}')
})

const json = () => fc.jsonValue({ stringUnit: 'binary' })

test('reads back as the value it was written from', () => {
  fc.assert(fc.property(json(), (value) => assert.deepEqual(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)))))
})

test('gives the same text whatever the order of the keys', () => {
  fc.assert(fc.property(json(), (value) => assert.equal(canonicalJson(reversed(value)), canonicalJson(value))))
})

test('gives values that differ as JSON different texts', () => {
  fc.assert(
    fc.property(json(), json(), (a, b) => {
      const same = JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))
      assert.equal(canonicalJson(a) === canonicalJson(b), same)
    }),
  )
})

function reversed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(reversed)
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, member]) => [key, reversed(member)]),
  )
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(sorted)
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sorted(member)]),
  )
}
