import { inlineMarkdown } from './inline.ts'
import type { Element } from './parse.ts'

/** Wider than any table a person reads. */
const MAX_COLUMNS = 50

/** Whether it is a table of values. Other tables only lay out a page, and are read like any container. */
export function isDataTable(table: Element): boolean {
  const rows = rowsOf(table)
  if (/^(?:presentation|none)$/.test(table.attributes['role'] ?? '')) return false
  if (rows.some((row) => cellsOf(row).some((cell) => contains(cell, LAYOUT)))) return false
  return rows.length > 1 && rows.some((row) => cellsOf(row).length > 1)
}

/** A GitHub table. The first row is its head, as Markdown has no table without one. */
export function tableMarkdown(table: Element, base: string): string {
  const rows = rowsOf(table)
    .map((row) => cellsOf(row).flatMap((cell) => [cellMarkdown(cell, base), ...emptyCells(cell)]))
    .filter((cells) => cells.some((text) => text !== ''))
  const width = Math.min(
    MAX_COLUMNS,
    rows.reduce((most, cells) => Math.max(most, cells.length), 0),
  )
  const line = (cells: readonly string[]) => `| ${Array.from({ length: width }, (_, index) => cells[index] ?? '').join(' | ')} |`
  const [head, ...body] = rows
  const caption = table.children.find((child) => typeof child !== 'string' && child.name === 'caption')
  const title = caption && typeof caption !== 'string' ? inlineMarkdown(caption.children, base) : ''
  if (!head) return title
  const written = [line(head), line(Array.from({ length: width }, () => '---')), ...body.map(line)].join('\n')
  return title === '' ? written : `**${title}**\n\n${written}`
}

function cellMarkdown(cell: Element, base: string): string {
  return inlineMarkdown(cell.children, base)
    .replace(/\s*\n\s*/g, '<br>')
    .replace(/\\?\|/g, '\\|')
}

/** What a cell over several columns leaves to its right. */
function emptyCells(cell: Element): readonly string[] {
  const span = Number.parseInt(cell.attributes['colspan'] ?? '1', 10)
  return Array.from({ length: Math.min(MAX_COLUMNS, Math.max(1, span || 1)) - 1 }, () => '')
}

function rowsOf(table: Element): readonly Element[] {
  return table.children.flatMap((child) => {
    if (typeof child === 'string') return []
    if (child.name === 'tr') return [child]
    return /^(?:thead|tbody|tfoot)$/.test(child.name) ? rowsOf(child) : []
  })
}

function cellsOf(row: Element): readonly Element[] {
  return row.children.filter((child) => typeof child !== 'string').filter(({ name }) => name === 'td' || name === 'th')
}

const LAYOUT = new Set(['table', 'h1', 'h2', 'h3', 'form', 'article', 'section'])

function contains(element: Element, names: ReadonlySet<string>): boolean {
  return element.children.some((child) => typeof child !== 'string' && (names.has(child.name) || contains(child, names)))
}
