import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { compileGlobs } from '../../../host/src/config/schema/glob.ts'

const table: readonly (readonly [pattern: string, name: string, matches: boolean])[] = [
  ['issues_get', 'issues_get', true],
  ['issues_get', 'issues_get_all', false],
  ['issues_*', 'issues_', true],
  ['issues_*', 'issues_get', true],
  ['issues_*', 'my_issues_get', false],
  ['*_get', 'issues_get', true],
  ['*_get', 'issues_get_all', false],
  ['*_*_get', 'jira_issues_get', true],
  ['*ab*ab', 'abxabyab', true],
  ['issue?', 'issues', true],
  ['issue?', 'issue', false],
  ['issue?', 'issue_s', false],
  ['?*', '', false],
  ['**', '', true],
  ['issues_.*', 'issues_get', false],
  ['[a-z]*', 'issues', false],
  ['(a+)+$', 'aaaa', false],
]

for (const [pattern, name, expected] of table)
  test(`${pattern} ${expected ? 'matches' : 'does not match'} "${name}"`, () => {
    assert.equal(compileGlobs([pattern])(name), expected)
  })

test('an empty list matches nothing', () => {
  assert.equal(compileGlobs([])('issues_get'), false)
})

test('one matching pattern of many is enough', () => {
  const matches = compileGlobs(['repos_*', 'issues_get', 'issues_get'])
  assert.deepEqual(['issues_get', 'issues_list', 'repos_list'].filter(matches), ['issues_get', 'repos_list'])
})

test('agrees with the regular expression of the same meaning', () => {
  fc.assert(
    fc.property(word(['a', 'b', '_', '*', '?']), word(['a', 'b', '_']), (pattern, name) => {
      const expression = new RegExp(`^${pattern.replace(/\*+/g, '.*').replaceAll('?', '.')}$`)
      assert.equal(compileGlobs([pattern])(name), expression.test(name))
    }),
    { numRuns: 2_000 },
  )
})

test('answers a pattern that would hang a backtracking matcher', () => {
  assert.equal(compileGlobs([`${'*a'.repeat(2_000)}b`])('a'.repeat(4_000)), false)
})

function word(alphabet: readonly string[]): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 12 })
}
