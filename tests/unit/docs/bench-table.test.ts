import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { BENCH_ROWS } from '../../../bench/lib/figures.ts'
import { goalsTable, withTable, type Results } from '../../../bench/lib/results.ts'

const root = join(import.meta.dirname, '../../..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const figures = BENCH_ROWS.flatMap((row) => row.figures)

test('the table of README.md is the one that npm run bench wrote, row by row', () => {
  const readme = read('README.md')
  const results = JSON.parse(read('bench/results.json')) as Results
  assert.equal(readme, withTable(readme, results), 'npm run bench -- --render')
  for (const { what } of BENCH_ROWS) assert.ok(readme.includes(`| ${what} `), what)
})

test('each row and each figure stands once, and a script of bench/ records it', () => {
  const names = BENCH_ROWS.map(({ what }) => what)
  const keys = figures.map(({ key }) => key)
  assert.deepEqual([new Set(names).size, new Set(keys).size], [names.length, keys.length])
  const scripts = globSync(['bench/*.ts', 'bench/reload/*.ts'], { cwd: root }).map(read).join('\n')
  // A key with a number may be made of it.
  const isRecorded = (key: string) =>
    new RegExp(`['\`{ ]${key.replaceAll(/\d{2,}/g, '(?:$&|\\$\\{\\w+\\})')}['\`:]`).test(scripts)
  assert.deepEqual(
    keys.filter((key) => !isRecorded(key)),
    [],
  )
})

test('a goal is met by what the table shows, and not by what was not measured', () => {
  const metBy = (measured: Results['figures']) => {
    const line = goalsTable({ machine: '', figures: measured })
      .split('\n')
      .find((row) => row.startsWith('| `tools/call`, 1 KB'))
    return line?.split('|').map((cell) => cell.trim())
  }
  const rate = { 'call-1kb-rate': 50_340.4 }
  assert.deepEqual(metBy({ ...rate, 'call-1kb-sdk': 15, 'call-1kb-raw': 0.757 }), [
    '',
    '`tools/call`, 1 KB, 32 connections',
    '50,340 calls/s, 15.0 × the SDK, 0.76 × a bare server',
    '≥ 15.0 × the SDK, ≥ 0.76 × a bare server',
    'yes',
    '',
  ])
  assert.equal(metBy({ ...rate, 'call-1kb-sdk': 14.9, 'call-1kb-raw': 0.76 })?.at(-2), 'no')
  assert.equal(metBy({ ...rate, 'call-1kb-sdk': 15 })?.at(-2), 'not measured')
})
