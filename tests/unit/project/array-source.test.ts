import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writtenIn } from '../../../host/src/config/source/written-in.ts'
import { appendTo, arraySource, removeFrom } from '../../../host/src/project/array-source.ts'

/** Every array that is the value of the key `plugins`. */
const arraysOf = (text: string) =>
  writtenIn('mcp.config.ts', text).members.flatMap(({ name, value }) => {
    const array = name === 'plugins' && value ? arraySource(text, value) : undefined
    return array ? [array] : []
  })

/** Each array before, with `NEW` appended, and without its last and its first element. */
const layouts: Readonly<Record<string, readonly [before: string, appended: string, withoutLast: string, withoutFirst: string]>> =
  {
    'on one line': [`['a', 'b']`, `['a', 'b', NEW]`, `['a']`, `['b']`],
    'on one line with a trailing comma': [`['a', 'b',]`, `['a', 'b', NEW]`, `['a',]`, `['b',]`],
    'on several lines': [
      `[\n    'a',\n    'b'\n  ]`,
      `[\n    'a',\n    'b',\n    NEW\n  ]`,
      `[\n    'a'\n  ]`,
      `[\n    'b'\n  ]`,
    ],
    'on several lines with trailing comma and comments': [
      `[\n    'a', // first, ]\n    { use: 'b', tools: { deny: ['x'] } }, /* second */\n  ]`,
      `[\n    'a', // first, ]\n    { use: 'b', tools: { deny: ['x'] } }, /* second */\n    NEW,\n  ]`,
      `[\n    'a', // first, ]\n /* second */\n  ]`,
      `[\n    { use: 'b', tools: { deny: ['x'] } }, /* second */\n  ]`,
    ],
  }

for (const [what, [before, appended, withoutLast, withoutFirst]] of Object.entries(layouts))
  test(`edits an array ${what}`, () => {
    const text = `export default { readOnly: true, plugins: ${before}, log: {} }`
    const [array, ...others] = arraysOf(text)
    assert.ok(array)
    assert.equal(others.length, 0)
    assert.equal(array.elements.length, 2)
    assert.equal(
      appendTo(text, array, 'NEW'),
      text.replace(before, () => appended),
    )
    assert.equal(
      removeFrom(text, array, 1),
      text.replace(before, () => withoutLast),
    )
    assert.equal(
      removeFrom(text, array, 0),
      text.replace(before, () => withoutFirst),
    )
  })

test('edits an array that is empty, or will be', () => {
  const text = `export default { "plugins": [] }`
  const [array] = arraysOf(text)
  assert.ok(array)
  const full = appendTo(text, array, '"a"')
  assert.equal(full, `export default { "plugins": ["a"] }`)
  const [one] = arraysOf(full)
  assert.ok(one)
  assert.equal(removeFrom(full, one, 0), text)
})

test('finds no array in strings, comments, and under other keys', () => {
  assert.deepEqual(arraysOf(`// plugins: ['a']\nconst x = "plugins: ['a']"; y({ pluginDirs: ['a'] }); plugins['a']`), [])
})
