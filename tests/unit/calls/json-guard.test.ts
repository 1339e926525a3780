import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { findJsonFault } from '../../../host/src/transport/http/json-guard.ts'

const objectOf = (count: number): string => `[{${Array.from({ length: count }, (_, index) => `"k${index}":0`).join(',')}}]`

test('lets an ordinary request through', () => {
  assert.equal(
    findJsonFault(
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"name":"b"},"_meta":{"x":[1,{"y":2}]}}}',
    ),
    undefined,
  )
})

test('takes 64 levels and refuses the 65th, of arrays and of objects', () => {
  assert.equal(findJsonFault('['.repeat(64) + ']'.repeat(64)), undefined)
  assert.match(findJsonFault('['.repeat(65) + ']'.repeat(65)) ?? '', /deeper than 64/)
  assert.equal(findJsonFault('{"a":'.repeat(63) + '{}' + '}'.repeat(63)), undefined)
  assert.match(findJsonFault('{"a":'.repeat(64) + '{}' + '}'.repeat(64)) ?? '', /deeper than 64/)
})

test('takes 10,000 keys and refuses the next one', () => {
  assert.equal(findJsonFault(objectOf(10_000)), undefined)
  assert.match(findJsonFault(objectOf(10_001)) ?? '', /more than 10000 keys/)
})

for (const [where, text] of [
  ['the message', '{"id":1,"method":"a","method":"b"}'],
  ['params', '{"params":{"name":"a","name":"b"}}'],
  ['_meta', '{"params":{"_meta":{"v":1,"v":2}}}'],
  ['a message of a batch', '[{"id":1},{"id":2,"id":3}]'],
  ['a message of a batch, in its params', '[{"params":{"name":"a","name":"b"}}]'],
  ['the message, spelled with an escape', String.raw`{"method":"a","meth\u006fd":"b"}`],
  [
    'the message, after a string with quotes and backslashes',
    String.raw`{"id":"\\\"{[\\","method":"${'x'.repeat(40)}\\\\","id":2}`,
  ],
] as const) {
  test(`refuses a key that is twice in ${where}`, () => {
    assert.match(findJsonFault(text) ?? '', /twice/)
  })
}

test('leaves the arguments of a tool to the parser', () => {
  assert.equal(findJsonFault('{"params":{"name":"a","arguments":{"name":"b","name":"c","_meta":{"d":1,"d":2}}}}'), undefined)
})

test('the same keys in two messages of a batch are not twice in one', () => {
  assert.equal(findJsonFault('[{"id":1,"params":{"name":"a"}},{"id":2,"params":{"name":"a"}}]'), undefined)
})

test('brackets, commas and colons inside strings count for nothing', () => {
  assert.equal(findJsonFault(JSON.stringify({ text: `${'['.repeat(200)}"${'{"a":1,'.repeat(200)}\\` })), undefined)
})

test('says nothing about any JSON that is small and has no key twice', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), (text) => {
      assert.equal(findJsonFault(text), undefined)
      assert.equal(findJsonFault(`{"jsonrpc":"2.0","params":{"arguments":${text}}}`), undefined)
    }),
  )
})

test('never throws and always ends, whatever the bytes', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => void findJsonFault(text)))
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('{', '}', '[', ']', '"', ',', ':', '\\', 'a')),
      (parts) => void findJsonFault(parts.join('')),
    ),
  )
})

test('refuses a key that is twice among many, wherever the two are', () => {
  const names = Array.from({ length: 40 }, (_, index) => `"k${index}":0`)
  assert.equal(findJsonFault(`{${names.join(',')}}`), undefined)
  for (const [first, second] of [
    [0, 39],
    [0, 17],
    [15, 16],
    [16, 17],
    [30, 35],
  ] as const) {
    const doubled = names.toSpliced(second, 1, `"k${first}":0`)
    assert.match(findJsonFault(`{${doubled.join(',')}}`) ?? '', new RegExp(`"k${first}" twice`))
  }
})
