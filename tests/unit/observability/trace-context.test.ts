import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTraceIds } from '../../../host/src/observability/tracing/trace-ids.ts'
import { readTrace, traceFields, traceOf } from '../../../host/src/observability/tracing/trace-context.ts'

const ID = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'
const GOOD = `00-${ID}-${SPAN}-01`

for (const [what, traceparent, isTaken] of [
  ['a traceparent as the specification has it', GOOD, true],
  ['one of a later version with more behind it', `cc-${ID}-${SPAN}-01-what-the-future-brings`, true],
  ['one of a later version without', `01-${ID}-${SPAN}-00`, true],
  ['version 00 with more behind it', `${GOOD}-more`, false],
  ['version ff', `ff-${ID}-${SPAN}-01`, false],
  ['a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`, false],
  ['a span of zeros', `00-${ID}-${'0'.repeat(16)}-01`, false],
  ['capitals', GOOD.toUpperCase(), false],
  ['a trace that is too short', `00-${ID.slice(1)}-${SPAN}-01`, false],
  ['a line break at its end', `${GOOD}\n`, false],
  ['a line break and a header', `cc-${ID}-${SPAN}-01-\r\nx-evil: 1`, false],
  ['characters beyond Latin-1', `cc-${ID}-${SPAN}-01-\u{1f600}`, false],
  ['a very long one', `cc-${ID}-${SPAN}-01-${'a'.repeat(100_000)}`, false],
  ['no text', 7, false],
  ['nothing', '', false],
] as const)
  test(`${what} is ${isTaken ? '' : 'not '}taken up`, () => {
    const trace = readTrace(traceparent)
    assert.equal(trace?.traceId, isTaken ? ID : undefined)
    if (isTaken) assert.deepEqual(traceFields(trace), { traceparent })
  })

for (const [tracestate, kept] of [
  ['vendor=1,other=2', true],
  ['', false],
  ['no member', false],
  ['a=\r\nx-evil: 1', false],
  [`a=${'b'.repeat(600)}`, false],
  [['a=1'], false],
] as const)
  test(`a tracestate ${JSON.stringify(tracestate).slice(0, 30)} is ${kept ? 'kept' : 'left out, and the trace goes on'}`, () => {
    assert.deepEqual(traceFields(readTrace(GOOD, tracestate)), kept ? { traceparent: GOOD, tracestate } : { traceparent: GOOD })
  })

test('a message says of which trace it is, and else its HTTP request', () => {
  const other = `00-${ID.toUpperCase().toLowerCase().replace('4', '5')}-${SPAN}-00`
  assert.equal(traceOf({ traceparent: GOOD }, { traceparent: other })?.traceparent, GOOD)
  assert.equal(traceOf({}, { traceparent: other, tracestate: 'a=1' })?.traceparent, other)
  assert.equal(traceOf(undefined, new Headers({ traceparent: other, tracestate: 'a=1' }))?.tracestate, 'a=1')
  assert.equal(traceOf({ traceparent: 'nonsense' }, { traceparent: other }), undefined, 'two that differ are not mixed')
  assert.equal(traceOf({ tracestate: 'of=meta' }, { traceparent: other })?.tracestate, undefined)
  assert.equal(traceOf(undefined, { traceparent: [GOOD] }), undefined)
  assert.equal(traceOf(undefined), undefined)
  assert.deepEqual(traceFields(undefined), {})
})

test('a message with a trace of its own says which request brought it', () => {
  const other = GOOD.replace('4', '5')
  assert.equal(traceOf({ traceparent: GOOD }, { traceparent: other })?.carrier, other)
  assert.equal(traceOf({ traceparent: GOOD })?.carrier, undefined)
  assert.equal(traceOf({}, { traceparent: other })?.carrier, undefined)
  assert.deepEqual(traceFields(traceOf({ traceparent: GOOD }, { traceparent: other })), { traceparent: GOOD })
})

test('ids are random hexadecimal digits, never all zeros, however many are made', () => {
  const ids = createTraceIds()
  const made = Array.from({ length: 2_000 }, () => [ids.traceId(), ids.spanId()])
  for (const [traceId, spanId] of made) assert.ok(readTrace(`00-${traceId}-${spanId}-01`), `${traceId} ${spanId}`)
  assert.equal(new Set(made.flat()).size, 4_000)
  let fills = 0
  const first = createTraceIds((bytes) => bytes.fill(fills++ === 0 ? 0 : 7))
  assert.equal(first.spanId(), '07'.repeat(8))
})
