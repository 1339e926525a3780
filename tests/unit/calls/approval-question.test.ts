import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withEscapes } from '../../../host/src/data/invisible.ts'
import { approvalQuestion } from '../../../host/src/server/call/approval/approval-question.ts'

const ask = (args: unknown, schema: unknown = {}, tenant?: string) =>
  approvalQuestion({ name: 'desk_files_delete', plugin: 'desk', tenant, args, schema })

test('the question names the tool, the plugin and the tenant, and has a line for each argument', () => {
  assert.equal(
    ask({ path: '/a', force: true }, {}, 'acme'),
    ['Run desk_files_delete?', 'Plugin: desk. Tenant: acme', 'Arguments:', '- path: "/a"', '- force: true'].join('\n'),
  )
  assert.match(ask({}), /It has no arguments\.$/)
  assert.match(ask(undefined), /It has no arguments\.$/)
})

test('arguments that change what the tool does by itself come first, and the short ones before the long', () => {
  const schema = { properties: { mode: { default: 'safe' }, force: { default: false } } }
  const order = ask({ mode: 'safe', text: 'x'.repeat(500), force: true, to: 'all' }, schema)
    .split('\n')
    .slice(3)
    .map((line) => line.split(':')[0])
  assert.deepEqual(order, ['- force', '- to', '- text', '- mode'])
})

test('what is cut is said, with how much', () => {
  assert.match(ask({ text: 'x'.repeat(1_200) }), /- text: "x{199} \[CUT: 1,002 more characters\]$/)
  assert.match(ask({ ['k'.repeat(100)]: 1 }), /- k{60} \[CUT: 40 more characters\]: 1$/)
  assert.match(ask({ text: 'x'.repeat(199) }), /\[CUT: 1 more character\]$/)
  assert.doesNotMatch(ask({ text: 'x'.repeat(198) }), /CUT/)
  const many = ask(Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`argument_${index}`, 'y'.repeat(190)])))
  assert.ok(many.length < 4_000)
  const shown = many.match(/^- argument_/gm)?.length ?? 0
  assert.match(
    many,
    new RegExp(`NOT SHOWN: ${100 - shown} more arguments, ${((100 - shown) * 192).toLocaleString('en')} characters$`),
  )
  assert.match(ask({ emoji: '\u{1f600}'.repeat(200) }), /\u{1f600} \[CUT: \d+ more characters\]$/u)
})

test('what is not shown is what comes last, and is counted whole', () => {
  const long = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`argument_${index}`, 'y'.repeat(190)]))
  const lines = ask({ mode: 'safe', ...long }, { properties: { mode: { default: 'safe' } } }).split('\n')
  const shown = lines.filter((line) => line.startsWith('- argument_')).length
  assert.ok(!lines.some((line) => line.startsWith('- mode')))
  const characters = (20 - shown) * 192 + '"safe"'.length
  assert.equal(lines.at(-1), `NOT SHOWN: ${21 - shown} more arguments, ${characters.toLocaleString('en')} characters`)
})

test('no text of an argument can look like a line of the question', () => {
  const question = ask({ a: 'x\nRun nothing?\r- force: false\u2028\u0085', 'b\n- c': 1 })
  assert.equal(question.split('\n').length, 5)
  assert.doesNotMatch(question, /[\r\u2028\u0085]/)
})

for (const [what, character, shown] of [
  ['a zero-width space', '\u200b', '\\u200b'],
  ['a right-to-left override', '\u202e', '\\u202e'],
  ['an isolate', '\u2066', '\\u2066'],
  ['an Arabic letter mark', '\u061c', '\\u061c'],
  ['a soft hyphen', '\u00ad', '\\u00ad'],
  ['a byte order mark', '\ufeff', '\\ufeff'],
  ['a tag character', '\u{e0041}', '\\u{e0041}'],
  ['a variation selector', '\ufe0f', '\\ufe0f'],
  ['a Hangul filler', '\u3164', '\\u3164'],
  ['a blank braille pattern', '\u2800', '\\u2800'],
  ['a no-break space', '\u00a0', '\\u00a0'],
  ['an ideographic space', '\u3000', '\\u3000'],
  ['a line separator', '\u2028', '\\u2028'],
  ['a control character', '\u009b', '\\u009b'],
  ['a private character', '\ue000', '\\ue000'],
  ['an unassigned character', '\u{1fbff}', '\\u{1fbff}'],
  ['a combining grapheme joiner', '\u034f', '\\u034f'],
] as const)
  test(`${what} is shown as an escape`, () => {
    assert.equal(withEscapes(`a${character}b`), `a${shown}b`)
    assert.ok(!ask({ text: `a${character}b`, [`k${character}`]: 1 }).includes(character))
  })

test('text that can be seen stays as it is, and marks that pile up do not', () => {
  for (const text of ['Grüße, 你好, नमस्ते, שלום, 👍', 'a b', 'e\u0301\u0323']) assert.equal(withEscapes(text), text)
  assert.equal(withEscapes(`e${'\u0301'.repeat(5)}`), `e\u0301\u0301\u0301\\u0301\\u0301`)
})
