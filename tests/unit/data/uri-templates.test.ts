import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseExpressions } from '../../../host/src/data/uri/uri-expressions.ts'
import { parseTemplate } from '../../../host/src/data/uri/uri-template.ts'

/** By template: each URI with the values that it has, or undefined where it is not of that template. */
const TABLE: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, string>> | undefined>>>> = {
  'notes://{folder}/{id}': {
    'notes://a/b': { folder: 'a', id: 'b' },
    'notes://a/%C3%A9': { folder: 'a', id: 'é' },
    'notes://a/b/c': undefined,
    'notes://a/': undefined,
  },
  'file:///{+path}': {
    'file:///a/b%20c.txt': { path: 'a/b c.txt' },
    'file:///': undefined,
    'file://a': undefined,
  },
  'git://{+path}/raw/{id}': {
    'git://a/raw/b/raw/c': { path: 'a/raw/b', id: 'c' },
    'git://raw/c': undefined,
  },
  'db://{table}{?limit,offset}': {
    'db://users': { table: 'users' },
    'db://users?limit=5': { table: 'users', limit: '5' },
    'db://users?offset=2&limit=5': { table: 'users', limit: '5', offset: '2' },
    'db://users?drop=1': undefined,
    'db://users/x?limit=5': undefined,
  },
  'db://all{?filter*}': { 'db://all?any=1&other=2': { any: '1', other: '2' } },
  'web://search?fixed=1{&q}': { 'web://search?fixed=1&q=a%20b': { q: 'a b' }, 'web://search?fixed=1': {} },
  'repo://{owner}{/path*}': {
    'repo://me/a/b': { owner: 'me', path: 'a/b' },
    'repo://me': { owner: 'me' },
  },
  'repo://x{/a,b}': { 'repo://x/1/2': { a: '1', b: '2' }, 'repo://x/1': { a: '1' }, 'repo://x/1/2/3': undefined },
  'doc://{name}{.ext}': { 'doc://readme.md': { name: 'readme', ext: 'md' }, 'doc://readme': { name: 'readme' } },
  'doc://x{.ext}{#part}': { 'doc://x.md#one': { ext: 'md', part: 'one' }, 'doc://x#one': { part: 'one' }, 'doc://x': {} },
  'map://{x,y}': { 'map://1,2': { x: '1', y: '2' } },
  'm://a{;v}': { 'm://a;v=2': { v: '2' }, 'm://a': {} },
  'm://{id:3}': { 'm://abc': { id: 'abc' } },
  '{+url}': { 'https://a.example/b?c=d#e': { url: 'https://a.example/b?c=d#e' } },
}

for (const [template, uris] of Object.entries(TABLE))
  test(`${template} has the URIs that expand it, and no others`, () => {
    const match = parseTemplate(template) ?? assert.fail('it is a template')
    for (const [uri, values] of Object.entries(uris)) {
      const found = match(uri)
      assert.deepEqual(found && { ...found }, values, uri)
    }
  })

test('what is not RFC 6570 is not a template', () => {
  for (const text of ['x://{', 'x://{}', 'x://{a', 'x://a}', 'x://{a b}', 'x://{|a}', 'x://{{a}}', 'x://{a}'.repeat(40)])
    assert.equal(parseExpressions(text), undefined, text)
})

test('a template costs as much as the URI is long, for each of its expressions', () => {
  const match = parseExpressions(`x://${'{+a}-'.repeat(15)}`) ?? assert.fail('it is a template')
  assert.equal(match(`x://${'-'.repeat(8_000)}/`), undefined)
  assert.equal(match(`x://${'a-'.repeat(5_000)}`), undefined, 'longer than any that is matched')
})
