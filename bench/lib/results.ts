import { appendFileSync, readFileSync } from 'node:fs'
import { markdownTable } from '../../tests/fixtures/markdown-table.ts'
import { BENCH_ROWS, type Figure } from './figures.ts'

/** The figures of one run, by their keys, and what they were measured on. */
export interface Results {
  readonly machine: string
  readonly figures: Readonly<Record<string, number>>
}

/** Names the file that the scripts of one run write into, a line a figure. Without it a script prints its own tables only. */
export const FIGURES_VARIABLE = 'BENCH_FIGURES'

/** Records what a script has measured. Throws for a key that no row has. */
export function record(figures: Readonly<Record<string, number>>): void {
  const keys = new Set(BENCH_ROWS.flatMap((row) => row.figures.map(({ key }) => key)))
  const file = process.env[FIGURES_VARIABLE]
  for (const [key, value] of Object.entries(figures)) {
    if (!keys.has(key)) throw new Error(`No row of bench/lib/figures.ts has "${key}"`)
    if (file !== undefined && Number.isFinite(value)) appendFileSync(file, `${JSON.stringify([key, value])}\n`)
  }
}

/** What the scripts of one run have recorded. */
export function recorded(file: string): Results['figures'] {
  const lines = readFileSync(file, 'utf8').trim().split('\n').filter(Boolean)
  return Object.fromEntries(lines.map((line) => JSON.parse(line) as [string, number]))
}

/** Every row with what is wanted of it, and whether that is met. */
export function goalsTable({ figures }: Results): string {
  return markdownTable(
    ['what', 'measured', 'goal', 'met'],
    BENCH_ROWS.map((row) => [row.what, ...[measured, goal, met].map((cell) => cell(row.figures, figures))]),
  )
}

/** The table of README.md. */
export function readmeTable({ figures }: Results): string {
  return markdownTable(
    ['what', 'measured'],
    BENCH_ROWS.map((row) => [row.what, measured(row.figures, figures)]),
  )
}

const BEGIN = '<!-- npm run bench -- --readme writes from here -->'
const END = '<!-- to here -->'

/** README.md with the table of these results in place of the one that it has. Throws when its marks are gone. */
export function withTable(readme: string, results: Results): string {
  const from = readme.indexOf(BEGIN)
  const to = readme.indexOf(END)
  if (from === -1 || to < from) throw new Error(`README.md needs "${BEGIN}" and, behind it, "${END}"`)
  return `${readme.slice(0, from + BEGIN.length)}\n\n${readmeTable(results)}\n\nMeasured on ${results.machine}.\n\n${readme.slice(to)}`
}

type Cell = (row: readonly Figure[], figures: Results['figures']) => string

const measured: Cell = (row, figures) =>
  row
    .filter(({ key }) => figures[key] !== undefined)
    .map((figure) => shown(figure, figures[figure.key]))
    .join(', ') || 'not measured'

const goal: Cell = (row) =>
  row
    .filter(hasGoal)
    .map((figure) => `${figure.atLeast === undefined ? '≤' : '≥'} ${shown(figure, figure.atLeast ?? figure.atMost)}`)
    .join(', ')

const met: Cell = (row, figures) => {
  const wanted = row.filter(hasGoal)
  if (wanted.length === 0) return ''
  if (wanted.some(({ key }) => figures[key] === undefined)) return 'not measured'
  return wanted.every((figure) => isMet(figure, figures[figure.key])) ? 'yes' : 'no'
}

function hasGoal({ atLeast, atMost }: Figure): boolean {
  return atLeast !== undefined || atMost !== undefined
}

/** By the number as it is shown, so that the table never says "0.70, at least 0.70: no". */
function isMet({ atLeast = -Infinity, atMost = Infinity, digits = 0 }: Figure, value = Number.NaN): boolean {
  const rounded = Number(value.toFixed(digits))
  return rounded >= atLeast && rounded <= atMost
}

function shown({ unit, digits = 0 }: Figure, value = Number.NaN): string {
  return `${value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${unit}`
}
