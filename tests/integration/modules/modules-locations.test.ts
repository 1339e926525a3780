import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { Session } from 'node:inspector'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { locationOf } from '../../../host/src/modules/location.ts'
import { moduleBench, type Bench } from '../../fixtures/plugins/module-graph.ts'

const faults: readonly (readonly [
  what: string,
  file: string,
  content: string,
  expected: { code?: string; line: number; column: number; marked: string },
])[] = [
  [
    'an ES module',
    'p/lib.mjs',
    'export const fine = 1\n\nexport const = 2',
    { code: 'MODULE_SYNTAX', line: 3, column: 14, marked: 'export const = 2' },
  ],
  [
    'a name declared twice',
    'p/lib.mjs',
    'let one = 1\n\tlet one = 2',
    { code: 'MODULE_SYNTAX', line: 2, column: 6, marked: '\tlet one = 2' },
  ],
  [
    'a file that ends early',
    'p/lib.mjs',
    'export const x = {\n  a: 1,',
    { code: 'MODULE_SYNTAX', line: 2, column: 8, marked: '  a: 1,' },
  ],
  [
    'a CommonJS module',
    'p/lib.cjs',
    'exports.a = 1\nexports.b = )',
    { code: 'MODULE_SYNTAX', line: 2, column: 13, marked: 'exports.b = )' },
  ],
  [
    'a TypeScript module',
    'p/lib.ts',
    'export const a: number = 1\nexport const b: = 2',
    { code: 'MODULE_SYNTAX', line: 2, column: 17, marked: 'export const b: = 2' },
  ],
  [
    'TypeScript that is wrong as JavaScript',
    'p/lib.ts',
    'const a: number = 1\nconst a: number = 2',
    { code: 'MODULE_SYNTAX', line: 2, column: 7, marked: 'const a: number = 2' },
  ],
  [
    'an enum',
    'p/lib.ts',
    'export const a = 1\nexport enum Color { Red }',
    { code: 'MODULE_TYPESCRIPT_SYNTAX', line: 2, column: 8, marked: 'export enum Color { Red }' },
  ],
  [
    'a parameter property',
    'p/lib.ts',
    'class A {\n  constructor(private b: number) {}\n}',
    { code: 'MODULE_TYPESCRIPT_SYNTAX', line: 2, column: 23, marked: '  constructor(private b: number) {}' },
  ],
  [
    'a decorator',
    'p/lib.ts',
    'const d = () => {}\n@d class A {}',
    { code: 'MODULE_TYPESCRIPT_SYNTAX', line: 2, column: 1, marked: '@d class A {}' },
  ],
  [
    'a type imported as a value',
    'p/lib.ts',
    `import { type Kind, Missing } from './types.ts'\nexport const a = 1`,
    { code: 'MODULE_EXPORT_MISSING', line: 1, column: 21, marked: `import { type Kind, Missing } from './types.ts'` },
  ],
  ['JSON that names a position', 'p/lib.json', '{\n  "a": 1,\n}', { code: 'MODULE_SYNTAX', line: 3, column: 1, marked: '}' }],
  [
    'JSON that names none',
    'p/lib.json',
    '{ "a":\n  [1, ?] }',
    { code: 'MODULE_SYNTAX', line: 2, column: 7, marked: '  [1, ?] }' },
  ],
  ['JSON that ends early', 'p/lib.json', '{ "a": [', { code: 'MODULE_SYNTAX', line: 1, column: 9, marked: '{ "a": [' }],
  [
    'what a module throws',
    'p/lib.mjs',
    `\n  throw new TypeError('thrown')`,
    { line: 2, column: 9, marked: `  throw new TypeError('thrown')` },
  ],
  ['what a CommonJS module throws', 'p/lib.cjs', `\n\n null.field`, { line: 3, column: 7, marked: ' null.field' }],
  [
    'what a TypeScript module throws',
    'p/lib.ts',
    `const a: number = 1\nconst fail = (x: number): never => { throw new Error(String(x)) }\nfail(a)`,
    { line: 2, column: 44, marked: 'const fail = (x: number): never => { throw new Error(String(x)) }' },
  ],
  ['a syntax error that code threw', 'p/lib.mjs', `\nJSON.parse('{')`, { line: 2, column: 6, marked: `JSON.parse('{')` }],
]

for (const [what, path, content, { code, line, column, marked }] of faults)
  test(`tells file, line and column of ${what}, and shows them`, async () => {
    const attributes = path.endsWith('.json') ? ` with { type: 'json' }` : ''
    using bench = moduleBench({
      'p/index.mjs': `import './${path.slice(2)}'${attributes}`,
      'p/types.ts': 'export type Missing = 1\nexport type Kind = 2',
      [path]: content,
    })
    const { error, location } = await failure(bench, 'p/index.mjs')
    if (code) assert.equal(Reflect.get(error, 'code'), code)
    assert.deepEqual([location?.file, location?.line, location?.column], [bench.path(path), line, column])
    const lines = location?.frame.split('\n') ?? []
    const at = lines.findIndex((text) => text.startsWith('>'))
    assert.equal(lines[at], `> ${line} | ${marked}`)
    const gutter = '    | '
    assert.equal(lines[at + 1], `${gutter}${marked.slice(0, column - 1).replaceAll(/[^\t]/g, ' ')}^`)
    if (code)
      assert.ok(error.message.startsWith(`${bench.path(path)}:${line}:${column} `) && error.cause instanceof Error, error.message)
  })

test('shows two lines before and two after the fault', async () => {
  using bench = moduleBench({
    'p/index.mjs': Array.from({ length: 12 }, (_, index) => (index === 8 ? 'const = 9' : `// ${index + 1}`)).join('\n'),
  })
  const { location } = await failure(bench, 'p/index.mjs')
  assert.equal(
    location?.frame,
    ['   7 | // 7', '   8 | // 8', '>  9 | const = 9', '     |       ^', '  10 | // 10', '  11 | // 11'].join('\n'),
  )
})

test('errors of a plugin name its files, not our URLs', async () => {
  using bench = moduleBench({
    'folder with space/index.ts': `import { inner } from './lib.cjs'\ninterface Erased {\n  readonly a: 1\n}\n\nexport const outer = (): unknown => inner()`,
    'folder with space/lib.cjs': `exports.inner = () => {\n  throw new Error('deep')\n}`,
  })
  const { outer } = (await bench.load<{ outer: () => unknown }>('folder with space/index.ts')).exports
  const stack = stackOf(outer)
  const url = pathToFileURL(bench.path('folder with space')).href
  assert.match(stack, new RegExp(`${url}/lib\\.cjs:2:9`))
  assert.match(stack, new RegExp(`${url}/index\\.ts:6:37`))
  assert.doesNotMatch(stack, /patchbay=/)
})

test('errors of the loader name files, not our URLs', async () => {
  using bench = moduleBench({ 'p/index.mjs': `import './data.json'`, 'p/data.json': '{}' })
  const { error } = await failure(bench, 'p/index.mjs')
  assert.doesNotMatch(`${error.message}${error.stack}`, /patchbay=/)
})

test('a breakpoint set by the URL of a file binds in every version of it', async () => {
  using bench = moduleBench({
    'p/index.ts': `interface A {}\nexport const run = (): number => {\n  return 1\n}`,
    'p/lib.cjs': `exports.a = 1\nexports.run = () => {\n  return 2\n}`,
  })
  using session = debuggerSession()
  interface Runs {
    readonly run: () => number
  }
  for (const path of ['p/index.ts', 'p/lib.cjs']) {
    const id = session.breakpoint(pathToFileURL(bench.path(path)).href, 3)
    for (let version = 0; version < 2; version++) {
      const { run } = (await bench.load<Runs>(path)).exports
      session.hits.length = 0
      run()
      assert.deepEqual(session.hits, [{ ids: [id], line: 3 }])
    }
  }
})

test('where the permission model denies the inspector, a fault still has its place', () => {
  using bench = moduleBench({ 'p/index.mjs': 'export const fine = 1\nexport const = 2' })
  const graph = new URL('../../../host/src/modules/graph.ts', import.meta.url).href
  const script = `import { createModuleGraph } from ${JSON.stringify(graph)}
    await createModuleGraph({ shared: {} }).load(process.argv[1], { root: process.argv[1], timeoutMs: 60_000 }).catch((error) => console.log(error.message))`
  const flags = ['--permission', '--allow-fs-read=*', '--conditions=@mcp-patchbay/source', '--input-type=module']
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, '--eval', script, bench.path('p/index.mjs')], {
    encoding: 'utf8',
  })
  assert.ok(stdout.startsWith(`${bench.path('p/index.mjs')}:2:14 has a syntax error`), stdout + stderr)
})

async function failure(bench: Bench, entry: string): Promise<{ error: Error; location: ReturnType<typeof locationOf> }> {
  const digests = new Map<string, string>()
  const error: unknown = await bench.load(entry, { digests }).then(
    () => assert.fail('loaded'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof Error)
  return { error, location: locationOf(error, new Set(digests.keys())) }
}

function stackOf(fail: () => unknown): string {
  try {
    fail()
  } catch (error) {
    return error instanceof Error ? (error.stack ?? '') : ''
  }
  return assert.fail('did not throw')
}

interface DebuggerSession extends Disposable {
  /** The breakpoints hit at every pause, and its line, counted from 1. */
  readonly hits: { readonly ids: readonly string[]; readonly line: number | undefined }[]
  /** Sets one; its id. */
  breakpoint(url: string, line: number): string
}

function debuggerSession(): DebuggerSession {
  const session = new Session()
  session.connect()
  session.post('Debugger.enable')
  const hits: DebuggerSession['hits'] = []
  session.on('Debugger.paused', ({ params: { callFrames, hitBreakpoints = [] } }) => {
    const line = callFrames[0]?.location.lineNumber
    hits.push({ ids: hitBreakpoints, line: line === undefined ? line : line + 1 })
    session.post('Debugger.resume')
  })
  return {
    hits,
    breakpoint(url, line) {
      let id = ''
      session.post('Debugger.setBreakpointByUrl', { url, lineNumber: line - 1 }, (_error, { breakpointId }) => {
        id = breakpointId
      })
      return id
    },
    [Symbol.dispose]: () => session.disconnect(),
  }
}
