import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { parseJsonText } from '../../../host/src/data/json-text.ts'

for (const [what, text, line, column, problem] of [
  ['a cut object', '{\n  "a": 1,\n  "b": {', 3, 9, /a key in double quotes, but the file ends/],
  ['a cut value', '{\n  "a":', 2, 7, /expected a value, but the file ends/],
  ['a cut string', '{\n  "a": "sha256-', 2, 8, /string is not closed/],
  ['a cut list', '[1', 1, 3, /"," or "\]", but the file ends/],
  ['a trailing comma', '{"a":1,}', 1, 8, /a key in double quotes, but found "}"/],
  ['a trailing comma in a list', '[1,]', 1, 4, /a value, but found "\]"/],
  ['a missing colon', '{"a" 1}', 1, 6, /":", but found "1"/],
  ['a missing comma', '{"a":1\n"b":2}', 2, 1, /"," or "}", but found "\\""/],
  ['a comment', '{ // no\n}', 1, 3, /a key in double quotes, but found "\/"/],
  ['something behind the value', '{}\n{}', 2, 1, /the end of the file, but found "{"/],
  ['a number with a leading zero', '{"a":01}', 1, 7, /"," or "}", but found "1"/],
  ['NaN', '[NaN]', 1, 2, /a value, but found "N"/],
  ['a line break in a string', '["a\nb"]', 1, 2, /control character/],
  ['an unknown escape', String.raw`["\x41"]`, 1, 2, /unknown escape/],
  ['a key that stands twice', '{\n  "jira": 1,\n  "jira": 2\n}', 3, 3, /the key "jira" stands here a second time/],
  [
    'a key that stands twice, once escaped',
    String.raw`{"jira":1,"jir\u0061":2}`,
    1,
    11,
    /the key "jira" stands here a second time/,
  ],
  ['the key __proto__', '{\n "__proto__": {}}', 2, 2, /"__proto__" is not accepted/],
  ['the key __proto__, escaped', String.raw`{"\u005f_proto__": {}}`, 1, 2, /"__proto__" is not accepted/],
  ['nesting that is too deep', '['.repeat(100_000), 1, 33, /nested deeper than 32/],
] as const) {
  test(`finds ${what}`, () => {
    const fault = parseJsonText(text, { maxDepth: 32 })
    assert.ok(!fault.ok)
    assert.deepEqual(fault.position, { line, column })
    assert.match(fault.problem, problem)
  })
}

test('finds where a part begins, and for a part that is not there where its parent begins', () => {
  const source = parseJsonText('{\n  "a/b": {\n    "c~": [10,\n 20] }\n}', { maxDepth: 32 })
  assert.ok(source.ok)
  assert.deepEqual(source.positionOf(''), { line: 1, column: 1 })
  assert.deepEqual(source.positionOf('/a~1b/c~0/1'), { line: 4, column: 2 })
  assert.deepEqual(source.positionOf('/a~1b/missing/deeper'), { line: 2, column: 10 })
})

test('reads a string of seven megabytes', () => {
  const long = 'é\\"'.repeat(2_500_000)
  const source = parseJsonText(JSON.stringify({ long }), { maxDepth: 32 })
  assert.ok(source.ok)
  assert.deepEqual(source.value, { long })
})

test('reads every JSON value as JSON.parse does', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary', maxDepth: 8 }), fc.constantFrom(0, 2, '\r\n\t'), (value, space) => {
      fc.pre(!JSON.stringify(value).includes('__proto__'))
      const source = parseJsonText(JSON.stringify(value, null, space), { maxDepth: 32 })
      assert.ok(source.ok)
      assert.deepEqual(source.value, JSON.parse(JSON.stringify(value)))
    }),
  )
})

test('accepts a damaged text only when JSON.parse reads it as the same value', () => {
  const texts = fc.jsonValue().map((value) => JSON.stringify(value))
  const damage = fc.tuple(
    fc.nat(),
    fc.constantFrom('', '"', ',', '{', '}', '[', ']', ':', '\\', '0', '-', 'e', '.', ' ', '\n', 'u', 't'),
  )
  fc.assert(
    fc.property(texts, damage, fc.boolean(), (text, [place, insert], replace) => {
      const at = place % (text.length + 1)
      const damaged = text.slice(0, at) + insert + text.slice(at + (replace ? 1 : 0))
      const source = parseJsonText(damaged, { maxDepth: 32 })
      const refusedByUs = !source.ok && /second time|__proto__|nested/.test(source.problem)
      fc.pre(!refusedByUs)
      assert.deepEqual(source.ok ? { value: source.value } : undefined, parsed(damaged))
    }),
    { numRuns: 1000 },
  )
})

function parsed(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}
