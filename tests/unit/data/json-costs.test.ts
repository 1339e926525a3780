import assert from 'node:assert/strict'
import { test } from 'node:test'
import { beyondBounds, jsonCostProblem, parseBounded, TooCostly } from '../../../host/src/data/json-cost.ts'

const DEEP = 'nests deeper than 2 levels'
const MANY = 'holds more than 4 values'

/** [text, why it must not be parsed, for 2 levels and 4 values] */
const TEXTS: readonly (readonly [string, string | undefined])[] = [
  ['1', undefined],
  ['"1234567"', undefined],
  ['[[1]]', undefined],
  ['[[[1]]]', DEEP],
  ['{"a":{"b":1}}', undefined],
  ['{"a":{"b":{}}}', DEEP],
  ['{"a":[{}]}', DEEP],
  ['[{"a":[]}]', DEEP],
  // Level by level, and not all brackets there are.
  ['[[1],[2]]', undefined],
  ['[{},{}  ]', undefined],
  ['[1,2,3,4]', undefined],
  ['[1,2,3,4,5]', MANY],
  ['{"a":1,"b":2,"c":3,"d":4}', undefined],
  ['{"a":1,"b":2,"c":3,"d":4,"e":5}', MANY],
  ['[[],[],[]]', MANY],
  ['{"a":[1,2,3]}', undefined],
  ['{"a":[1,2,3,4]}', MANY],
  // What is inside a string counts for nothing, whatever stands before its end.
  ['"[[[,,,,,]]]"', undefined],
  ['"{{{,,,,,}}}"', undefined],
  [String.raw`["\"[[[",1]`, undefined],
  [String.raw`["\\",[[1]]]`, DEEP],
  [String.raw`["\\\"[[[",1]`, undefined],
  [String.raw`["\\\\",[[1]]]`, DEEP],
  ['["a","b[[[","c"]', undefined],
  // What is not JSON is for the parser to refuse.
  ['"[[[,,,,,', undefined],
  ['nothing at all', undefined],
]
for (const [text, problem] of TEXTS)
  test(`${text} ${problem ?? 'may be parsed'}`, () => {
    assert.equal(jsonCostProblem(text, { depth: 2, values: 4 }), problem)
  })

test('a short text is not looked at, and never one that could cost too much', () => {
  assert.equal(jsonCostProblem('[[]]', { depth: 2, values: 4 }), undefined)
  assert.equal(jsonCostProblem('[[[]]]', { depth: 2, values: 100 }), DEEP)
  assert.equal(jsonCostProblem('[1,2]', { depth: 100, values: 1 }), 'holds more than 1 values')
  assert.equal(jsonCostProblem('[[', { depth: 1, values: 100 }), undefined, 'too short to be JSON of two levels')
  assert.equal(jsonCostProblem('[[1', { depth: 1, values: 100 }), 'nests deeper than 1 levels')
})

test('what costs too much is refused before it is parsed, the rest is parsed', () => {
  assert.deepEqual(parseBounded('{"a":[1,2]}', { depth: 2, values: 4 }), { a: [1, 2] })
  assert.throws(
    () => parseBounded('[[[[ no JSON', { depth: 2, values: 4 }),
    (error) => error instanceof TooCostly && error.message === DEEP,
  )
  assert.throws(() => parseBounded('{"a":', { depth: 2, values: 4 }), SyntaxError)
})

test('a value is bounded by its levels and by all of its members together', () => {
  const itself: unknown[] = []
  itself.push(itself)
  for (const [value, problem] of [
    [1, undefined],
    [null, undefined],
    ['x'.repeat(100), undefined],
    [[1, 2, 3], undefined],
    [[1, 2, 3, 4], 'holds more than 4 values'],
    [{ a: 1, b: 2, c: 3 }, undefined],
    [{ a: [1, 2] }, undefined],
    [{ a: [1, 2, 3] }, 'holds more than 4 values'],
    [[[1]], undefined],
    [[[[1]]], 'is nested deeper than 2'],
    [itself, 'is nested deeper than 2'],
  ] as const)
    assert.equal(beyondBounds(value, { depth: 2, values: 4 }), problem)
})
