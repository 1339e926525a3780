import assert from 'node:assert/strict'
import { test } from 'node:test'
import { markOf } from '../../../host/src/data/long-text/cut.ts'
import { argumentsJson, cutBytes, exact, readCut, writeCut } from '../../../host/src/plugin/isolate/channel/arguments-codec.ts'

const parse = (json: string): unknown => JSON.parse(json)

test('arguments with long texts are read as they were written', () => {
  const texts = ['', 'ü😀', 'x'.repeat(70_000), markOf(0)].map((text) => Buffer.from(text))
  const json = JSON.stringify({ ü: markOf(2), list: [markOf(0), { deep: markOf(1), ['__proto__']: markOf(3) }], n: 1 })
  const into = Buffer.alloc(cutBytes({ json, texts }) + 7)
  writeCut({ json, texts }, into, 7)
  assert.deepEqual(readCut(into.subarray(7), parse), {
    ü: 'x'.repeat(70_000),
    list: ['', { deep: 'ü😀', ['__proto__']: markOf(0) }],
    n: 1,
  })
})

test('arguments that are cut short are no arguments', () => {
  const texts = [Buffer.from('x'.repeat(100))]
  const json = JSON.stringify({ a: markOf(0) })
  const whole = Buffer.alloc(cutBytes({ json, texts }))
  writeCut({ json, texts }, whole, 0)
  for (const bytes of [1, 3, 10, whole.length - 101, whole.length - 1])
    assert.throws(() => readCut(whole.subarray(0, bytes), parse), /cut short/, `${bytes} of ${whole.length}`)
})

test('a number that is too large for one stays so, and so does -0', () => {
  for (const text of [
    '{"a":1e400,"b":[-1e400,null],"c":{"d":1e400}}',
    '1e400',
    '{"a":null}',
    '{"__proto__":1e400}',
    '[]',
    '{"a":-0,"b":[1,-0,0]}',
    '[[-0]]',
    '{"__proto__":-0}',
    '{"a":0,"b":":0"}',
  ]) {
    const value = parse(text)
    assert.deepEqual(parse(argumentsJson(value)), value, text)
    assert.deepEqual(parse(JSON.stringify({ in: exact(value) })), { in: value }, text)
  }
  assert.equal(argumentsJson(undefined), '')
})
