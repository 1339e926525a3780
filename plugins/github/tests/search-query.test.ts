import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { searchQuery } from '../search-query.ts'

const scope = ['repo:acme/web']

test('leaves words, phrases and narrowing qualifiers as they are', () => {
  assert.equal(
    searchQuery('issues', 'memory leak "out of heap" is:open -label:"good first issue" created:>2026-01-31T00:00:00Z', scope),
    'memory leak "out of heap" is:open -label:"good first issue" created:>2026-01-31T00:00:00Z repo:acme/web',
  )
  assert.equal(searchQuery('code', 'addClass language:js path:src/lib', []), 'addClass language:js path:src/lib')
})

test('refuses a qualifier that says where to search, and names the arguments for it', () => {
  for (const query of ['repo:evil/x', 'bug REPO:evil/x', '-org:acme', 'user:"evil"', 'x enterprise:evil'])
    assert.throws(() => searchQuery('issues', query, scope), { code: 'INVALID_INPUT', fix: /arguments owner and repo/ })
})

test('searches for operators and parentheses as text', () => {
  assert.equal(searchQuery('issues', 'a OR b', scope), 'a "OR" b repo:acme/web')
  assert.equal(searchQuery('issues', 'x) OR (y', scope), '"x)" "OR" "(y" repo:acme/web')
})

test('takes a quote without its partner for nothing', () => {
  assert.equal(searchQuery('issues', '"a b', scope), 'a b repo:acme/web')
  assert.equal(searchQuery('issues', 'say "repo:evil/x"', scope), 'say "repo evil/x" repo:acme/web')
  assert.throws(() => searchQuery('issues', 'a" repo:evil/x', scope), { code: 'INVALID_INPUT' })
})

test('joins scopes by OR in parentheses for issues, side by side for the rest', () => {
  const two = ['repo:acme/web', 'user:octocat']
  assert.equal(searchQuery('issues', 'x', two), 'x (repo:acme/web OR user:octocat)')
  assert.equal(searchQuery('code', 'x', two), 'x repo:acme/web user:octocat')
})

test('refuses more scopes than an issue search can hold', () => {
  const seven = Array.from({ length: 7 }, (_, index) => `repo:acme/r${index}`)
  assert.throws(() => searchQuery('issues', 'x', seven), { code: 'INVALID_INPUT' })
})

/** What can open a scope, an operator or a quote, mixed with what surrounds it. */
const pieces = fc.constantFrom(
  'repo:',
  'org:',
  'user:',
  'REPO:',
  'evil/secret',
  'OR',
  'AND',
  'NOT',
  'or',
  '"',
  '\\',
  '\\"',
  '(',
  ')',
  ':',
  '-',
  ' ',
  '\n',
  '\t',
  '\u00a0',
  '\u2028',
  '\u0000',
  'label:',
  'is:',
  'bug',
  'é',
  "'",
  '`',
  '*',
  '>',
)

test('holds every query inside its scope, whatever the text', () => {
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), fc.constantFrom('issues', 'code', 'repositories'), (parts, kind) => {
      const q = attempt(() => searchQuery(kind, parts.join(''), scope))
      if (q === undefined) return
      assert.ok(q.endsWith(scope[0] ?? ''))
      const text = q.slice(0, -(scope[0]?.length ?? 0))
      assert.equal((text.match(/"/g) ?? []).length % 2, 0, `an open quote in ${q}`)
      const outside = text.replaceAll(/"[^"]*"/g, '""')
      assert.doesNotMatch(outside, /[()\\]|(?:^|[\s-])(?:repo|org|user|owner|enterprise):|(?:^|\s)(?:AND|OR|NOT)(?:\s|$)/i, q)
    }),
    { numRuns: 5000 },
  )
})

/** A refused query is as safe as can be. */
function attempt(make: () => string): string | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}
