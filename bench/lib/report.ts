import type { Measured } from './load.ts'
import type { ServerName } from './server.ts'

/** One figure of one server in one round. */
export interface Row {
  readonly cell: string
  readonly server: ServerName
  readonly round: number
  readonly values: Readonly<Record<string, number>>
}

export const valuesOf = ({ perSecond, cpuUs, p50Ms, p99Ms }: Measured): Record<string, number> => ({
  'req/s': perSecond,
  'CPU µs': cpuUs,
  'p50 ms': p50Ms,
  'p99 ms': p99Ms,
})

/** A Markdown table: medians, and of one figure the median of its ratios to the peers', each within one round. */
export function table(
  title: string,
  rows: readonly Row[],
  ratioOf: string,
  peers: readonly ServerName[] = ['raw', 'mcp-v2'],
): string {
  const names = Object.keys(rows[0]?.values ?? {})
  const lines = [
    `### ${title}`,
    '',
    `| what | server | ${names.join(' | ')} | ${peers.map((peer) => `${ratioOf} / ${peer}`).join(' | ')} |`,
  ]
  lines.push(`|${' --- |'.repeat(2)}${' ---: |'.repeat(names.length + peers.length)}`)
  for (const cell of new Set(rows.map((row) => row.cell))) {
    const inCell = rows.filter((row) => row.cell === cell)
    for (const server of new Set(inCell.map((row) => row.server))) {
      const own = inCell.filter((row) => row.server === server)
      const at = { cell, server }
      const figures = names.map((name) => shown(figureOf(own, { ...at, figure: name })))
      const ratios = peers.map((peer) => shown(ratioTo(peer, inCell, { ...at, figure: ratioOf })))
      lines.push(`| ${cell} | ${server} | ${[...figures, ...ratios].join(' | ')} |`)
    }
  }
  return `${lines.join('\n')}\n`
}

export interface FigureAt {
  readonly cell: string
  /** Default: ours. */
  readonly server?: ServerName
  readonly figure: string
}

/** The median of all rounds. */
export function figureOf(rows: readonly Row[], { cell, server = 'patchbay', figure }: FigureAt): number {
  return median(
    rows.filter((row) => row.cell === cell && row.server === server).map(({ values }) => values[figure] ?? Number.NaN),
  )
}

/** The median of the ratios to what a peer has, each within one round. */
export function ratioTo(peer: ServerName, rows: readonly Row[], { cell, server = 'patchbay', figure }: FigureAt): number {
  const inCell = rows.filter((row) => row.cell === cell)
  const ratios = inCell
    .filter((row) => row.server === server)
    .map(({ round, values }) => {
      const theirs = inCell.find((row) => row.server === peer && row.round === round)
      return (values[figure] ?? Number.NaN) / (theirs?.values[figure] ?? Number.NaN)
    })
  return median(ratios)
}

export function median(values: readonly number[]): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

function shown(value: number): string {
  if (Number.isNaN(value)) return '–'
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)
}

/** How often everything is measured, in turns, so that a slow minute of the machine hits all alike. */
export const ROUNDS = Number(process.env['ROUNDS'] ?? 3)
