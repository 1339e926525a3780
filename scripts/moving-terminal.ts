/** What stands in a terminal after one step. */
export interface Frame {
  /** A line that a person wrote; '' for none. */
  readonly typed: string
  /** What was printed, with the colours of a terminal. */
  readonly lines: readonly string[]
  /** How long it stands before the next step, in milliseconds. */
  readonly holdMs: number
}

const LINE = 19
const MARGIN = 18
const WIDTH = 860
/** How many lines are in sight. */
const ROWS = 22
const MOST_CHARACTERS = 104

/**
 * A picture of a terminal that moves, as SVG alone: each step is a group that shows for its time, by CSS, over and over. Who wants no motion
 * sees the last step.
 */
export function movingTerminal(frames: readonly Frame[], { title }: { readonly title: string }): string {
  const total = frames.reduce((sum, { holdMs }) => sum + holdMs, 0)
  let shown: string[] = []
  let at = 0
  const steps = frames.map(({ typed, lines, holdMs }, index) => {
    shown = [
      ...shown,
      ...(typed === '' ? [] : [`\u001b[36m${typed.startsWith('//') ? typed : `$ ${typed}`}\u001b[39m`]),
      ...lines,
    ].slice(-ROWS)
    const [begin, end] = [(at / total) * 100, ((at + holdMs) / total) * 100]
    at += holdMs
    const isLast = index === frames.length - 1
    const rows = shown.map((line, row) => `<text x="${MARGIN}" y="${MARGIN + 34 + row * LINE}">${spans(line)}</text>`).join('')
    const keys = `@keyframes s${index}{0%,100%{opacity:${index === 0 ? 1 : 0}}${begin.toFixed(2)}%{opacity:1}${end.toFixed(2)}%{opacity:${isLast ? 1 : 0}}}`
    return { keys, rows, isLast }
  })
  const height = MARGIN * 2 + 24 + ROWS * LINE
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">
<title>${escaped(title)}</title>
<style>
text{font:13px ui-monospace,'SF Mono','Cascadia Code','DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#d9dedb;white-space:pre}
g{opacity:0;animation:${total}ms step-end infinite}
${steps.map(({ keys }, index) => `${keys}\n#s${index}{animation-name:s${index}}`).join('\n')}
.b{font-weight:700}.g{fill:#79d28d}.r{fill:#ff938a}.y{fill:#ecb65c}.c{fill:#6fc9e0}.d{fill:#8b9694}
@media (prefers-reduced-motion:reduce){g{animation:none}#s${steps.length - 1}{opacity:1}}
</style>
<rect width="${WIDTH}" height="${height}" rx="10" fill="#14171a"/>
<circle cx="22" cy="20" r="5.5" fill="#ff938a"/><circle cx="40" cy="20" r="5.5" fill="#ecb65c"/><circle cx="58" cy="20" r="5.5" fill="#79d28d"/>
${steps.map(({ rows }, index) => `<g id="s${index}">${rows}</g>`).join('\n')}
</svg>
`
}

const CLASSES: Readonly<Record<string, string>> = { 1: 'b', 31: 'r', 32: 'g', 33: 'y', 36: 'c', 90: 'd' }

/** A line with the colours of a terminal as spans. */
function spans(line: string): string {
  let rest = MOST_CHARACTERS
  let names: readonly string[] = []
  // oxlint-disable-next-line no-control-regex -- the colours begin with one
  const parts = line.split(/\u001b\[(\d+)m/)
  return parts
    .map((part, index) => {
      if (index % 2 === 1) {
        const name = CLASSES[part]
        if (name !== undefined) names = [...names, name]
        else names = part === '22' ? names.filter((one) => one !== 'b') : names.filter((one) => one === 'b')
        return ''
      }
      const text = part.length > rest ? `${part.slice(0, Math.max(0, rest - 1))}…` : part
      rest -= part.length
      return text === '' || rest < -part.length
        ? ''
        : names.length === 0
          ? escaped(text)
          : `<tspan class="${names.join(' ')}">${escaped(text)}</tspan>`
    })
    .join('')
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
