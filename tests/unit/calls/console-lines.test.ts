import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callLine, createCallLines } from '../../../host/src/cli/console/call-lines.ts'
import { typeLines } from '../../../host/src/cli/console/type-lines.ts'
import { viewLines } from '../../../host/src/cli/console/view-lines.ts'
import { readTypeFaults } from '../../../host/src/cli/types/type-faults.ts'
import type { EndedCall } from '../../../host/src/server/call/types.ts'

const bare = (_style: unknown, text: string) => text
const call: EndedCall = {
  kind: 'tool',
  name: 'github_issues_get',
  plugin: 'github',
  caller: { id: 'ci', kind: 'apiKey', tenant: 'acme' },
  outcome: 'ok',
  ms: 38.4,
  call: '1',
}

for (const [what, changed, line] of [
  ['a call', {}, 'call · github_issues_get · ci of acme · ok · 38 ms'],
  [
    'a quick one of the operator',
    { caller: { id: 'local', kind: 'local', tenant: undefined }, ms: 0.42 },
    'call · github_issues_get · operator · ok · 0.4 ms',
  ],
  [
    'one that was denied',
    { outcome: 'denied', reason: 'read_only', ms: 0 },
    'call · github_issues_get · ci of acme · denied: read_only',
  ],
  ['a resource', { kind: 'resource', name: 'file:///a', outcome: 'error' }, 'resource · file:///a · ci of acme · error · 38 ms'],
  ['a name that a terminal would obey', { name: 'x\u001b[31m\u0007' }, 'call · x · ci of acme · ok · 38 ms'],
] as const)
  test(`prints ${what} as one line`, () => assert.equal(callLine({ ...call, ...changed }, bare), line))

test('a flood of calls is counted, second by second', () => {
  const lines: string[] = []
  const calls = createCallLines((line) => lines.push(line), bare)
  for (let number = 0; number < 25; number++) calls.add(call)
  assert.equal(lines.length, 20)
  calls.tick()
  assert.equal(lines.at(-1), 'call · … and 5 more calls in this second')
  calls.add(call)
  calls.tick()
  assert.equal(lines.length, 22)
})

test('names what clients see otherwise, and counts the rest', () => {
  const fields = [{ field: 'description' }, { field: 'inputSchema.properties.labels' }, { field: 'inputSchema.required[0]' }]
  assert.deepEqual(viewLines([{ kind: 'tool', name: 'x_get', change: 'changed', fields }], bare), [
    '  ~ x_get  description, labels, required[0]',
  ])
  assert.deepEqual(viewLines([{ kind: 'prompt', name: 'x_ask', change: 'removed' }], bare), ['  - x_ask  prompt'])
  const many = Array.from({ length: 11 }, (_, index) => ({ kind: 'tool', name: `x_${index}`, change: 'added' }) as const)
  assert.equal(viewLines(many, bare).at(-1), '  … and 3 more for clients')
})

test('reads what the compiler prints, and names each error of a saved file', () => {
  const printed = `plugins/x/index.ts(4,7): error TS2322: Type 'number' is not assignable to type 'string'.\n  Because of this.\n../a (1).ts(1,2): error TS1: It is wrong.\r\nFound 2 errors.\n`
  assert.deepEqual(readTypeFaults(printed, '/project'), [
    {
      file: '/project/plugins/x/index.ts',
      line: 4,
      column: 7,
      code: 'TS2322',
      message: "Type 'number' is not assignable to type 'string'.",
    },
    { file: '/a (1).ts', line: 1, column: 2, code: 'TS1', message: 'It is wrong.' },
  ])
  const error = { file: 'x.ts', line: 4, column: 7, code: 'TS2322', message: 'It is wrong.' }
  assert.deepEqual(typeLines({ errors: [error], elsewhere: 2, ms: 1 }, bare), [
    '  types · x.ts:4:7 · It is wrong. TS2322',
    '  types · 2 more errors in other files',
  ])
  assert.deepEqual(
    typeLines({ errors: Array.from({ length: 12 }, () => error), elsewhere: 1, ms: 1 }, bare).at(-1),
    '  types · 3 more errors',
  )
  assert.deepEqual(typeLines({ errors: [], elsewhere: 0, ms: 1 }, bare), ['  types · right again'])
})
