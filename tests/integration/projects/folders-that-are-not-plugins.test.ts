import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reloading, revisionPlugin } from '../../fixtures/plugins/reloading.ts'

const plugin = (name: string) => revisionPlugin(name, 1)
const manifest = (fields: object) => JSON.stringify({ name: 'x', type: 'module', ...fields })

/** What each is told, in order of name. */
const notServed = {
  built: {
    files: { 'package.json': manifest({ main: 'dist/index.js', scripts: { build: 'tsc' } }), 'src/index.ts': plugin('built') },
    told: /^\.\/plugins\/built is not served: its package\.json names dist\/index\.js, which does not exist$/,
    fix: /^Build it: npm run build --prefix \.\/plugins\/built$/,
  },
  conditions: {
    files: { 'package.json': manifest({ exports: { '.': { types: './dist/i.d.ts', default: './dist/i.js' } } }), 'src/i.ts': '' },
    told: /names \.\/dist\/i\.d\.ts, which does not exist$/,
    fix: /^Build it, so that/,
  },
  jsx: { files: { 'index.tsx': plugin('jsx') }, told: /it is TSX or JSX, which needs a compiler$/, fix: /^Rename it to \.ts/ },
  main: {
    files: { 'server.ts': plugin('main') },
    told: /no module to begin with \(looked for package\.json/,
    fix: /call its module index\.ts/,
  },
  source: {
    files: { 'src/index.ts': plugin('source') },
    told: /its module is src\/index\.ts, which nothing names/,
    fix: /^Write plugins\/source\/package\.json/,
  },
}

test('what may be meant as a plugin and is not one is told in log, list and readiness, until it is one', async (t) => {
  const files = Object.entries(notServed).flatMap(([name, { files: own }]) =>
    Object.entries(own).map(([path, content]) => [`plugins/${name}/${path}`, content] as const),
  )
  const at = await reloading(
    t,
    { ...Object.fromEntries(files), 'plugins/README.md': 'not code' },
    { config: { pluginDirs: ['./plugins', './absent'] } },
  )
  const { ignored, plugins } = at.host.list()
  assert.deepEqual(plugins, [])
  assert.equal(ignored.length, 6)
  Object.values(notServed).forEach(({ told, fix }, index) => {
    assert.match(ignored[index]?.message ?? '', told)
    assert.match(ignored[index]?.fix[0] ?? '', fix)
  })
  assert.deepEqual(
    [ignored[5]?.message, ignored[5]?.code],
    ['pluginDirs names ./absent, which does not exist', 'PLUGIN_DIR_MISSING'],
  )
  assert.equal(at.lines.all.filter(({ event }) => event === 'plugin_ignored').length, 6)
  const down = await at.ready()
  assert.deepEqual([down.ready, down.ignored], [false, ignored.map(({ message }) => message)])

  at.write('plugins/built/dist/index.js', plugin('built'))
  await at.reloads.next(({ outcome }) => outcome === 'added')
  assert.equal(await at.call('built_rev'), '1')
  const up = await at.ready()
  assert.deepEqual([up.ready, up.ignored?.length], [true, 5])
  at.write('absent/late/src/index.ts', plugin('late'))
  const line = await at.lines.next(({ event, reason }) => event === 'plugin_ignored' && String(reason).includes('absent/late'))
  assert.equal(line['code'], 'PLUGIN_IGNORED')
})

test('tests, mocks, stories and settings of tools beside plugins are left out without a word', async (t) => {
  const left = [
    'a.test.ts',
    'a.spec.ts',
    'a.test.js',
    'a.spec.mjs',
    'vitest.config.ts',
    'jest.setup.js',
    'a.stories.ts',
    'a.bench.ts',
    'a.e2e.ts',
    'a_test.ts',
    'a.d.mts',
    '__tests__/index.ts',
    '__mocks__/index.ts',
  ]
  const at = await reloading(
    t,
    {
      'plugins/a.ts': plugin('a'),
      ...Object.fromEntries(left.map((path) => [`plugins/${path}`, `throw new Error('not a plugin')`])),
    },
    { watch: false },
  )
  const { plugins, ignored } = at.host.list()
  assert.deepEqual([plugins.map(({ name }) => name), ignored], [['a'], []])
})
