import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { elicit, listRoots } from '../../../plugin-api/src/index.ts'
import { askQuestions } from '../../../host/src/cli/terminal/ask-questions.ts'
import { traceCall } from '../../../host/src/cli/terminal/call-trace.ts'

/** A person who types `typed`, line by line, and then ends the input. */
function personWho(typed: readonly string[]) {
  const shown: string[] = []
  const left = [...typed]
  return {
    shown,
    left,
    say: (line: string) => void shown.push(line),
    ask: (question: string) => {
      shown.push(question)
      return Promise.resolve(left.shift())
    },
  }
}

const schema = {
  type: 'object',
  properties: {
    name: { type: 'string', title: 'Name', minLength: 2, description: 'As in the passport' },
    age: { type: 'integer', minimum: 0 },
    plan: {
      type: 'string',
      oneOf: [
        { const: 'a', title: 'Small' },
        { const: 'b', title: 'Large' },
      ],
    },
    tags: { type: 'array', items: { type: 'string', enum: ['x', 'y', 'z'] } },
    news: { type: 'boolean', default: false },
    note: { type: 'string' },
  },
  required: ['name', 'age', 'plan', 'news'],
}
const ask = (typed: readonly string[], request = elicit('Who are you?', schema)) => {
  const person = personWho(typed)
  return askQuestions('people_add', { who: request }, person).then(({ who }) => ({ answer: who, ...person }))
}

describe('a question of a tool in the terminal', () => {
  test('is a form whose fields are asked one by one, again until the value fits', async () => {
    const typed = ['', 'A', 'Ada', '', 'x', '-1', '36', '3', '2', 'x, 3', '', '']
    const { answer, shown, left } = await ask(typed)
    assert.deepEqual(answer, { action: 'accept', content: { name: 'Ada', age: 36, plan: 'b', tags: ['x', 'z'], news: false } })
    assert.deepEqual(left, [])
    assert.deepEqual(shown.slice(0, 4), [
      'people_add asks: Who are you?',
      'Answer it? [Y/n] ',
      '  As in the passport',
      '  Name: ',
    ])
    assert.equal(shown.filter((line) => line.startsWith('  That does not fit: ')).length, 5)
    assert.ok(shown.includes('  age (a number): ') && shown.includes('  note (optional): ') && shown.includes('  2. Large'))
  })

  test('is declined by a no, and cancelled where the input ends', async () => {
    assert.deepEqual((await ask(['n'])).answer, { action: 'decline' })
    assert.deepEqual((await ask([])).answer, { action: 'cancel' })
    assert.deepEqual((await ask(['y', 'Ada'])).answer, { action: 'cancel' })
  })

  test('shows nothing that a terminal obeys', async () => {
    const { shown } = await ask(['n'], elicit('one\u001B[2J\ntwo', {}))
    assert.equal(shown[0], 'people_add asks: one\\u001b[2J\n  two')
  })

  test('may be an address to open', async () => {
    const request = {
      method: 'elicitation/create',
      params: { mode: 'url', message: 'Pay', url: 'https://pay.example/1' },
    } as const
    const { answer, shown } = await ask([''], request)
    assert.deepEqual(answer, { action: 'accept' })
    assert.ok(shown.includes('  Open this address in a browser: https://pay.example/1'))
  })

  test('is refused where only a client has the answer', async () => {
    await assert.rejects(ask([], listRoots()), { code: 'CALL_QUESTION', message: /roots\/list needs an MCP client/ })
  })
})

test('the trace of a call says where its time went', async () => {
  let now = 0
  const trace = traceCall(() => now)
  const ended = (outcome: 'ok' | 'asking') =>
    trace.ended({
      kind: 'tool',
      name: 'a',
      plugin: 'a',
      caller: { id: 'local', kind: 'local', tenant: undefined },
      outcome,
      ms: 0,
      call: '1',
    })
  now = 100
  trace.opened()
  trace.begin()
  now = 101
  await trace.layer.tool?.({} as never, async () => {
    now = 121
    return { kind: 'result', result: { content: [] } }
  })
  now = 122.5
  ended('ok')
  const rows = trace.lines().map((line) => line.replace(/ {2,}/g, ': '))
  assert.deepEqual(rows, [
    'LAYER: MS',
    'config and plugins: 100.0',
    'rate, arguments, approval, middleware: 1.0',
    'cache and plugin: 20.0',
    'the way back: 1.5',
    'ok: 22.5',
  ])
})
