import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cutLongTexts, LONG_BYTES, markOf } from '../../../host/src/data/long-text/cut.ts'
import { longTextsOf, makeWhole, readWithoutLongTexts, type CutReading } from '../../../host/src/data/long-text/long-texts.ts'
import { randomFrom } from '../../fixtures/random.ts'

const LONG = 'x'.repeat(20_000)
const none = () => undefined
const read = (text: string, how: Partial<CutReading> = {}) => readWithoutLongTexts(Buffer.from(text), { problem: none, ...how })
const argumentsIn = (value: unknown) => (value as { arguments?: object }).arguments

test('a long text is cut out of JSON, and what is left is small', () => {
  const cut = cutLongTexts(Buffer.from(`{"a":"${LONG}","b":"${LONG}é","c":"short"}`))
  assert.equal(cut?.json, `{"a":"${markOf(0)}","b":"${markOf(1)}","c":"short"}`)
  assert.deepEqual(
    cut.texts.map(({ from, to }) => to - from),
    [20_000, 20_002],
  )
  const name = 'n'.repeat(LONG_BYTES)
  assert.equal(cutLongTexts(Buffer.from(`{"${name}" \n:"${LONG}"}`))?.json, `{"${name}" \n:"${markOf(0)}"}`, 'a name stays')
})

const whole: readonly (readonly [why: string, json: string])[] = [
  ['nothing is long', `{"a":"${'y'.repeat(LONG_BYTES - 1)}"}`],
  ['a name stays where it is', `{"${LONG}" \n: 1}`],
  ['most of it is not long', `{"a":"${LONG}","b":[${'1,'.repeat(20_000)}1]}`],
  ['a long text has an escape', `{"a":"${LONG}\\n"}`],
  ['a long text begins with an escape', `{"a":"\\n${LONG}"}`],
  ['a long text has a lone surrogate', `{"a":"${LONG}\\ud800"}`],
  ['a text of the sender looks like a mark', `{"a":"${LONG}","b":"${markOf(0)}"}`],
  ['a text of the sender looks like a mark that there is not', `{"a":"${LONG}","b":"${markOf(7)}"}`],
  ['a text of the sender begins like a mark', `{"a":"${LONG}","b":"${markOf(0)}x"}`],
  ['a text of the sender is a mark by an escape', `{"a":"${LONG}","b":"\\u006d${markOf(0).slice(1)}"}`],
  ['of two of one name the last counts', `{"a":"${LONG}","a":1}`],
]

test('what cannot be cut out is left to the parser', () => {
  for (const [why, json] of whole) {
    assert.ok(JSON.parse(json), why)
    assert.equal(read(json), undefined, why)
  }
})

test('what is not JSON is left to the parser, wherever it is wrong', () => {
  for (const control of ['\n', '\u0000', '\u001f', '\t'])
    for (const at of [0, 1, 2, 3, 4, 5, 31, 32, 33, 64, 65, 10_000, 19_996, 19_997, 19_998, 19_999, 20_000]) {
      const json = `{"a":"${LONG.slice(0, at)}${control}${LONG.slice(at)}"}`
      assert.throws(() => JSON.parse(json))
      assert.equal(read(json), undefined, `a control character at ${at}`)
    }
  for (const json of [
    `{"a":"${LONG}`,
    `{"a":"${LONG}"`,
    `{"a":"${LONG}"}}`,
    `{"a":"${LONG}"x}`,
    `{'a':"${LONG}"}`,
    `\ufeff{"a":"${LONG}"}`,
  ]) {
    assert.throws(() => JSON.parse(json))
    assert.equal(read(json), undefined, json.slice(0, 20))
  }
})

test('what is read without its long texts is what the parser reads', () => {
  const random = randomFrom(11)
  const alphabet = ['a', ' ', '{', '}', ':', ',', '[', 'é', '\u007f', '\u0080', '😀', '\u2028']
  const text = (length: number) => Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join('')
  let cut = 0
  for (let round = 0; round < 150; round++) {
    const value = {
      [text(5)]: text(random() * 100),
      long: text(4_000 + random() * 3_000),
      list: [1, text(9_000), { deep: text(random() * 6_000), escaped: random() < 0.3 ? 'a"\\\n' : '' }, null, 1e21],
      ['__proto__']: text(5_000),
    }
    const json = JSON.stringify(value, null, random() < 0.5 ? 2 : 0)
    const found = read(json)
    if (!found || !('value' in found)) continue
    cut++
    assert.deepEqual(found.value, JSON.parse(json))
    assert.deepEqual(Object.keys(found.value as object), Object.keys(value))
  }
  assert.ok(cut > 100, `${cut} were cut`)
})

test('why a text must not be parsed is asked of what is left of it', () => {
  const asked: string[] = []
  const problem = (json: string) => (asked.push(json), 'too deep')
  assert.deepEqual(read(`{"a":"${LONG}"}`, { problem }), { problem: 'too deep' })
  assert.deepEqual(asked, [`{"a":"${markOf(0)}"}`])
})

test('the long texts of one part are kept where all of them are in it, and are whole when they are asked for', () => {
  let given = 0
  const keep = { keepIn: argumentsIn, giveBack: () => void given++ }
  const kept = read(`{"arguments":{"a":"${LONG}","b":["${LONG}é"],"n":1},"other":"short"}`, keep)
  assert.ok(kept && 'value' in kept && kept.isKept)
  const args = argumentsIn(kept.value)
  assert.deepEqual(args, { a: markOf(0), b: [markOf(1)], n: 1 })
  assert.equal(longTextsOf(args)?.longest, 20_002)
  assert.ok(makeWhole(args))
  assert.deepEqual(args, { a: LONG, b: [`${LONG}é`], n: 1 })
  assert.deepEqual([longTextsOf(args), makeWhole(args), given], [undefined, true, 1])

  const beside = read(`{"arguments":{"a":"${LONG}"},"other":"${LONG}"}`, keep)
  assert.deepEqual(beside, { value: { arguments: { a: LONG }, other: LONG }, isKept: false })
  assert.equal(given, 1, 'what is not kept is given back by who read it')
})

test('long texts are taken once, and their memory is another message’s from then on', () => {
  const bytes = Buffer.from(`{"arguments":{"a":"${LONG}"}}`)
  const kept = readWithoutLongTexts(bytes, { problem: none, keepIn: argumentsIn, giveBack: () => void bytes.fill('z') })
  assert.ok(kept && 'value' in kept)
  const args = argumentsIn(kept.value)
  const texts = longTextsOf(args)
  assert.equal(
    texts?.take(([piece]) => Buffer.from(piece ?? []).toString()),
    LONG,
  )
  assert.throws(() => texts.take(() => {}), /taken before/)
  assert.equal(makeWhole(args), false)
  assert.deepEqual(args, { a: markOf(0) })
})
