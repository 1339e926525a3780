import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const snapshot = fileURLToPath(new URL('plugin-api.snapshot.d.ts.txt', import.meta.url))

test('the contract compiles to the declarations that were committed', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'plugin-api-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  // `npm run types` checks; this only writes down what is declared.
  const options = [
    '--noCheck',
    '--removeComments',
    '--emitDeclarationOnly',
    '--outDir',
    folder,
    '--tsBuildInfoFile',
    path.join(folder, 'build'),
  ]
  execFileSync(process.execPath, [tsc, '-p', path.join(root, 'plugin-api'), ...options], { stdio: 'pipe' })
  const emitted = reachable(folder, ['index.d.ts', 'testing.d.ts'])
    .map((file) => `// ${file}\n${readFileSync(path.join(folder, file), 'utf8')}`)
    .join('\n')

  if (process.env['UPDATE_SNAPSHOTS']) writeFileSync(snapshot, emitted)
  const committed = readFileSync(snapshot, 'utf8')
  // Not assert.equal: it would print both texts whole.
  assert.ok(
    emitted === committed,
    [
      'What plugins are compiled against has changed:',
      ...changedLines(committed, emitted),
      'A plugin that compiled must go on compiling, or API_VERSION has to grow. If that is so, run this test again with',
      'UPDATE_SNAPSHOTS=1 and commit tests/unit/contract/plugin-api.snapshot.d.ts.txt; otherwise undo the change.',
    ].join('\n'),
  )
})

/** The public entries and every file their declarations import, in order of their names. */
function reachable(folder: string, entries: readonly string[]): readonly string[] {
  const found = new Set(entries)
  for (const file of found)
    for (const [, specifier = ''] of readFileSync(path.join(folder, file), 'utf8').matchAll(/from '(\.[^']+)\.ts'/g))
      found.add(path.posix.join(path.posix.dirname(file), `${specifier}.d.ts`))
  return [...found].toSorted()
}

/** Lines only one side has, in the order of the files, which is enough to see what happened. */
function changedLines(before: string, after: string): readonly string[] {
  const [old, now] = [new Set(linesByFile(before)), new Set(linesByFile(after))]
  return [...old.difference(now)].map((line) => `- ${line}`).concat([...now.difference(old)].map((line) => `+ ${line}`))
}

function linesByFile(text: string): readonly string[] {
  let file = ''
  return text.split('\n').flatMap((line) => {
    if (line.startsWith('// ')) file = line.slice(3)
    return line.startsWith('// ') ? [] : [`${file}: ${line.trim()}`]
  })
}
