import assert from 'node:assert/strict'
import { test } from 'node:test'
import { moduleBench, type Bench } from '../../fixtures/plugins/module-graph.ts'

interface Plugin {
  readonly revision: number
  readonly lazy: () => Promise<number>
}

/** A plugin that works, at revision 1, with a lazy import. */
function plugin(): Bench {
  return moduleBench({ 'p/index.mjs': working(1), 'p/lib.mjs': 'export const lib = 1', 'p/lazy.mjs': 'export const lazy = 1' })
}

function working(revision: number, more = ''): string {
  return `import { lib } from './lib.mjs'\n${more}\nexport const revision = ${revision} * lib\nexport const lazy = async () => (await import('./lazy.mjs')).lazy`
}

const faults: readonly (readonly [what: string, files: Readonly<Record<string, string>>, expected: object | RegExp])[] = [
  ['half-written', { 'p/index.mjs': working(2).slice(0, 20) }, { code: 'MODULE_SYNTAX' }],
  ['empty', { 'p/lib.mjs': '' }, { code: 'MODULE_EXPORT_MISSING' }],
  ['missing a file', { 'p/index.mjs': working(2, `import './missing.mjs'`) }, { code: 'ERR_MODULE_NOT_FOUND' }],
  ['throwing', { 'p/lib.mjs': `export const lib = 1\nthrow new RangeError('at the top level')` }, /RangeError: at the top level/],
  ['rejecting', { 'p/lib.mjs': `export const lib = await Promise.reject(new RangeError('awaited'))` }, /RangeError: awaited/],
  [
    'throwing in CommonJS',
    { 'p/index.mjs': working(2, `import './lib.cjs'`), 'p/lib.cjs': `throw new RangeError('required')` },
    /RangeError: required/,
  ],
  [
    'requiring a file with top-level await',
    { 'p/index.mjs': working(2, `import './lib.cjs'`), 'p/lib.cjs': `require('./tla.mjs')`, 'p/tla.mjs': 'await 0' },
    { code: 'ERR_REQUIRE_ASYNC_MODULE' },
  ],
  [
    'of an unknown kind',
    { 'p/index.mjs': working(2, `import './page.html'`), 'p/page.html': '' },
    { code: 'ERR_UNKNOWN_FILE_EXTENSION' },
  ],
]

for (const [what, files, expected] of faults)
  test(`a version that is ${what} is refused and let go; the one before works on, and the next one works`, async () => {
    using bench = plugin()
    const first = await bench.load<Plugin>('p/index.mjs')
    for (const [path, content] of Object.entries(files)) bench.write(path, content)
    await assert.rejects(bench.load('p/index.mjs'), expected)
    assert.deepEqual([bench.graph.status.versions, bench.graph.status.shared], [1, 0])
    assert.equal(await first.exports.lazy(), 1)

    bench.write('p/lib.mjs', 'export const lib = 1')
    bench.write('p/index.mjs', working(3))
    assert.equal((await bench.load<Plugin>('p/index.mjs')).exports.revision, 3)
  })

test('rejects with the very value that a module threw', async () => {
  using bench = moduleBench({ 'p/index.mjs': `throw globalThis.thrownByTest` })
  for (const thrown of [new Error('own'), 'a string', undefined, { code: 'X' }]) {
    Reflect.set(globalThis, 'thrownByTest', thrown)
    const outcome = await bench.load('p/index.mjs').then(
      () => 'loaded',
      (error: unknown) => [error],
    )
    assert.deepEqual(outcome, [thrown])
  }
})

test('a module that awaits forever is given up after timeoutMs; the version before works on', async () => {
  using bench = plugin()
  const first = await bench.load<Plugin>('p/index.mjs')
  bench.write('p/lib.mjs', 'await new Promise(() => {})\nexport const lib = 1')
  await assert.rejects(bench.load('p/index.mjs', { timeoutMs: 50 }), {
    code: 'MODULE_LOAD_TIMEOUT',
    message: `${bench.path('p/index.mjs')} was not imported within 50 ms`,
  })
  assert.equal(bench.graph.status.versions, 1)
  assert.equal(await first.exports.lazy(), 1)
  bench.write('p/lib.mjs', 'export const lib = 1')
  assert.equal((await bench.load<Plugin>('p/index.mjs')).exports.revision, 1)
})

test('an aborted load rejects with the reason of the signal, before and while it runs', async () => {
  using bench = moduleBench({ 'p/index.mjs': 'globalThis.abortedByTest.abort(new Error("enough"))\nawait new Promise(() => {})' })
  const controller = new AbortController()
  Reflect.set(globalThis, 'abortedByTest', controller)
  await assert.rejects(bench.load('p/index.mjs', { signal: controller.signal }), { message: 'enough' })
  await assert.rejects(bench.load('p/index.mjs', { signal: controller.signal }), { message: 'enough' })
  assert.equal(bench.graph.status.versions, 0)
})

test('a broken shared file refuses both plugins that use it; corrected, both load', async () => {
  using bench = moduleBench({
    'a/index.mjs': `export { value } from '../shared.mjs'`,
    'b/index.mjs': `export { value } from '../shared.mjs'`,
    'shared.mjs': 'export const value = 1',
  })
  const first = [await bench.load('a/index.mjs'), await bench.load('b/index.mjs')]
  bench.write('shared.mjs', 'export const value =')
  for (const entry of ['a/index.mjs', 'b/index.mjs']) await assert.rejects(bench.load(entry), { code: 'MODULE_SYNTAX' })
  assert.deepEqual(
    first.map(({ exports }) => exports['value']),
    [1, 1],
  )
  bench.write('shared.mjs', 'export const value = 2')
  const second = await Promise.all(['a/index.mjs', 'b/index.mjs'].map((entry) => bench.load(entry)))
  assert.deepEqual(
    second.map(({ exports }) => exports['value']),
    [2, 2],
  )
})

test('a failed load tells which files to wait for, the missing one among them', async () => {
  using bench = moduleBench({ 'p/index.mjs': `import '../shared.mjs'`, 'shared.mjs': `import './late.mjs'` })
  const digests = new Map<string, string>()
  await assert.rejects(bench.load('p/index.mjs', { digests }))
  assert.equal(digests.get(bench.path('late.mjs')), '')
  assert.deepEqual(
    [...digests.keys()].toSorted(),
    ['late.mjs', 'p/index.mjs', 'shared.mjs'].map((name) => bench.path(name)),
  )
  bench.write('late.mjs', '')
  await bench.load('p/index.mjs')
})

test('a failed require tells the missing file', async () => {
  using bench = moduleBench({ 'p/index.cjs': `require('./late')` })
  const digests = new Map<string, string>()
  await assert.rejects(bench.load('p/index.cjs', { digests }), { code: 'MODULE_NOT_FOUND' })
  assert.equal(digests.get(bench.path('p/late')), '')
})

test('an entry that is gone is missing, and back when it is back', async () => {
  using bench = plugin()
  await bench.load('p/index.mjs')
  bench.remove('p/index.mjs')
  await assert.rejects(bench.load('p/index.mjs'), { code: 'ENOENT', path: bench.path('p/index.mjs') })
  bench.write('p/index.mjs', working(2))
  assert.equal((await bench.load<Plugin>('p/index.mjs')).exports.revision, 2)
})

test('a released version can import nothing more, and says so', async () => {
  using bench = moduleBench({
    'p/index.mjs': `import { createRequire } from 'node:module'\nexport const byImport = () => import('./lazy.mjs')\nexport const byRequire = () => createRequire(import.meta.url)('./lazy.cjs')\nexport const byRequireOfShared = () => createRequire(import.meta.url)('../shared.cjs')`,
    'p/lazy.mjs': '',
    'p/lazy.cjs': '',
    'shared.cjs': '',
  })
  interface Lazy {
    readonly byImport: () => Promise<unknown>
    readonly byRequire: () => unknown
    readonly byRequireOfShared: () => unknown
  }
  const version = await bench.load<Lazy>('p/index.mjs')
  version.release()
  const { exports } = version
  await assert.rejects(exports.byImport(), { code: 'MODULE_RELEASED' })
  assert.throws(exports.byRequire, { code: 'MODULE_RELEASED' })
  assert.throws(exports.byRequireOfShared, { code: 'MODULE_RELEASED' })
  assert.deepEqual([bench.graph.status.versions, bench.graph.status.shared], [0, 0])
})
