import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { markdown, SecretValue } from '@mcp-patchbay/plugin-api'

const cell = (value: unknown) => {
  const row = markdown.list([{ value }], { type: 'rows', columns: ['value'] }).split('\n')[4] ?? ''
  return row.slice(2, -2)
}

/** Borders of a table row as GitHub's renderer finds them: a pipe behind an odd number of backslashes is text. */
const borders = (line: string) => line.replace(/\\[\\|]/g, '').split('|').length - 1

const shown: readonly (readonly [name: string, value: unknown, expected: string])[] = [
  ['a pipe', 'a|b', 'a\\|b'],
  ['a backslash before a pipe', 'a\\|b', 'a\\\\\\|b'],
  ['backticks', '`x` ```', '\\`x\\` \\`\\`\\`'],
  ['line breaks of every kind', 'a\nb\r\nc\rd\n\n e', 'a<br>b<br>c<br>d<br>e'],
  ['line separators that are not Markdown', 'a\u2028b\u2029c\td', 'a b c d'],
  ['a link', 'x](javascript:alert(1))', 'x\\](javascript:alert(1))'],
  ['an image', '![x](y)', '!\\[x\\](y)'],
  ['HTML', '<script>&lt;b&gt;</script>', '\\<script>\\&lt;b\\&gt;\\</script>'],
  ['emphasis', '*a* _b_ ~~c~~', '\\*a\\* \\_b\\_ \\~\\~c\\~\\~'],
  ['the name of a table', 'order_items_2', 'order_items_2'],
  ['a JSON object', { a: 1, b: { c: 'd' } }, '{"a":1,"b":{"c":"d"}}'],
  ['a list', ['a', 2, null, true], 'a, 2, yes'],
  ['a list in a list', [['a', 'b'], 'c'], '\\["a","b"\\], c'],
  ['booleans', false, 'no'],
  ['an integer beyond doubles', 9007199254740993n, '9007199254740993'],
  ['an object with one', { id: 9007199254740993n }, '{"id":"9007199254740993"}'],
  ['a negative number', -5, '-5'],
  ['a date', new Date('2026-01-02T03:04:05Z'), '2026-01-02T03:04:05.000Z'],
  ['a date that is none', new Date('x'), ''],
  ['a secret', new SecretValue(() => 'hunter2'), '"\\[secret\\]"'],
  ['nothing', undefined, ''],
  ['null', null, ''],
  ['not a number', Number.NaN, 'NaN'],
  ['half a surrogate pair', '\ud83d', '\ufffd'],
  ['a joined emoji', '👩‍💻', '👩‍💻'],
  ['hidden text: zero width, direction, tags', 'a\u200bb\u202ec\u{e0041}\u{e0042}d\u0000e\u001b[31m', 'abcde\\[31m'],
  ['a function', () => 1, ''],
]

for (const [name, value, expected] of shown) test(`shows ${name} as it is meant`, () => assert.equal(cell(value), expected))

test('shows a value that refers to itself as not serialisable', () => {
  const loop: Record<string, unknown> = {}
  loop['self'] = loop
  const ring: unknown[] = []
  ring.push(ring)
  assert.equal(cell(loop), '\\[not serialisable\\]')
  assert.equal(cell(ring), '\\[not serialisable\\]')
})

test('cuts a cell of a megabyte without splitting a character', () => {
  const text = cell('x'.repeat(499) + '😀'.repeat(500_000))
  assert.equal(text, `${'x'.repeat(499)}…`)
})

test('takes a key only where the record has it', () => {
  const rows = [JSON.parse('{"__proto__":"own","a":1}'), { a: 2 }, {}] as Record<string, unknown>[]
  assert.deepEqual(
    markdown
      .list(rows, { type: 'rows', columns: ['__proto__', 'constructor', 'a'] })
      .split('\n')
      .slice(4),
    ['| own |  | 1 |', '|  |  | 2 |', '|  |  |  |'],
  )
})

test('takes a key that a class answers with a getter', () => {
  class Issue {
    get title() {
      return 'from a getter'
    }
  }
  assert.match(markdown.list([new Issue()], { type: 'issues', columns: ['title'] }), /\| from a getter \|/)
})

test('says how many there are, and of how many they are a page', () => {
  const columns = ['id'] as const
  assert.match(markdown.list([{ id: 1 }, { id: 2 }], { type: 'issues', columns }), /^2 issues\n/)
  assert.match(markdown.list([{ id: 1 }], { type: 'issues', columns, total: 40 }), /^1 of 40 issues\n/)
  assert.equal(markdown.list([], { type: 'issues', columns }), 'No issues found.')
})

test('says in one sentence that there is nothing, without a heading', () => {
  type Project = { readonly id: number }
  const absent: readonly (Project | null | undefined)[] = [undefined, null]
  for (const item of absent) {
    assert.equal(markdown.item(item, { type: 'Project', title: '', fields: ['id'] }), 'Project not found.')
    assert.equal(markdown.item(item, { type: 'project', title: item?.id.toString(), fields: ['id'] }), 'Project not found.')
  }
  const none: readonly (readonly Project[] | null | undefined)[] = [[], undefined, null]
  for (const items of none)
    assert.equal(markdown.list(items, { type: 'projects', columns: ['id'], total: 3 }), 'No projects found.')
})

test('leaves the colon out of the heading of an item without a title', () => {
  for (const title of ['', '\u200b', null, undefined])
    assert.equal(markdown.item({ id: 1 }, { type: 'Project', title, fields: [] }), '## Project')
})

test('writes an item as a heading with a line for every field that has a value', () => {
  const item = { id: 7, body: 'line one\nline two', owner: null, labels: [] as string[] }
  assert.equal(
    markdown.item(item, {
      type: 'Issue',
      title: 'Fix C #',
      fields: ['id', 'body', 'owner', 'labels', { label: 'Link', value: () => '<x>' }],
    }),
    ['## Issue: Fix C \\#', '', '- **id**: 7', '- **body**: line one<br>line two', '- **Link**: \\<x>'].join('\n'),
  )
})

test('writes an error with its cause and numbered steps', () => {
  assert.equal(
    markdown.error({ what: 'No such table', cause: 'orders\n# is gone', fix: ['# list them', '1. then ask', '--- again'] }),
    [
      '**No such table**',
      '',
      '**Cause**: orders<br># is gone',
      '',
      '**To fix**:',
      '1. \\# list them',
      '2. 1\\. then ask',
      '3. \\--- again',
    ].join('\n'),
  )
})

const anything = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('|', '\\', '\n', '\r', '`', '[', ']', '(', '<', '#', '-', ' ', 'a', '_', '*', '\u2028') }),
  fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true, withSparseArray: true }),
)

test('keeps a table a table, whatever it holds', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(anything, { minLength: 3, maxLength: 3 }), { minLength: 1, maxLength: 5 }),
      fc.array(fc.string({ unit: 'binary' }), { minLength: 3, maxLength: 3 }),
      (rows, labels) => {
        const columns = labels.map((label, index) => ({ label, value: (row: readonly unknown[]) => row[index] }))
        const lines = markdown.list(rows, { type: 'rows', columns }).split(/\r\n|\r|\n/)
        assert.equal(lines.length, 4 + rows.length)
        for (const line of lines.slice(2)) assert.equal(borders(line), 4, line)
        for (const line of lines) assert.doesNotMatch(line, /(?<!\\)(?:\\\\)*\]\(/)
      },
    ),
    { numRuns: 2_000 },
  )
})

test('never shows a value that is not there as undefined', () => {
  const absent = fc.constantFrom(undefined, null, [undefined], [null], Symbol('x'), () => 1)
  fc.assert(
    fc.property(fc.array(absent, { minLength: 1 }), (values) => {
      const rows = values.map((value) => ({ value }))
      assert.doesNotMatch(markdown.list(rows, { type: 'rows', columns: ['value'] }), /undefined|null/)
      for (const row of rows) assert.equal(markdown.item(row, { type: 'row', title: 'x', fields: ['value'] }), '## row: x')
    }),
  )
})

test('keeps every field of an item on a line of its own', () => {
  fc.assert(
    fc.property(fc.array(anything, { maxLength: 6 }), fc.string({ unit: 'binary' }), (values, title) => {
      const fields = values.map((_, index) => ({ label: `f${index}`, value: (item: readonly unknown[]) => item[index] }))
      const [head = '', ...rest] = markdown.item(values, { type: 'item', title, fields }).split(/\r\n|\r|\n/)
      assert.match(head, /^## item(?:: |$)/)
      for (const line of rest) assert.match(line, /^$|^- \*\*f\d\*\*: ./su)
    }),
    { numRuns: 1_000 },
  )
})
