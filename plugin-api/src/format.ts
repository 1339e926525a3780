/** Turns records into Markdown that stays valid whatever the data holds. */
export interface ResponseFormatter {
  /**
   * A heading and one line per field. Fields that are null, undefined or empty are left out. Without an item it says so in one
   * sentence: "Project not found."
   */
  item<Item extends object>(
    item: Item | null | undefined,
    options: { type: string; title?: string | null | undefined; fields: Columns<Item> },
  ): string
  /**
   * A table, or one sentence when there is nothing: "No projects found." `total` tells how many there are when `items` is a page of
   * them.
   */
  list<Item extends object>(
    items: readonly Item[] | null | undefined,
    options: { type: string; columns: Columns<Item>; total?: number },
  ): string
  /** The form every error takes: what failed, the cause, the steps. */
  error(error: { what: string; cause?: string; fix?: readonly string[] }): string
}

/** Which values are shown, in order: keys of the item, or a label with a way to get the value. */
export type Columns<Item> = readonly (
  | Extract<keyof Item, string>
  | { readonly label: string; readonly value: (item: Item) => unknown }
)[]

/** The longest value shown in a table cell or a field; more is cut with an ellipsis. */
const MAX_CELL = 500

/** The formatter that `ctx.format` is. */
export const markdown: ResponseFormatter = Object.freeze({
  item(item, { type, title, fields }) {
    if (item === null || item === undefined) return `${capitalised(inline(type))} not found.`
    const lines = columnsOf(fields).flatMap(({ label, value }) => {
      const text = inline(value(item))
      return text === '' ? [] : [`- **${inline(label)}**: ${text}`]
    })
    const name = inline(title)
    return [heading(name === '' ? inline(type) : `${inline(type)}: ${name}`), ...(lines.length ? ['', ...lines] : [])].join('\n')
  },

  list(items, { type, columns, total }) {
    if (!items?.length) return `No ${inline(type)} found.`
    const shown = columnsOf(columns)
    const count =
      total !== undefined && total > items.length
        ? `${items.length} of ${total} ${inline(type)}`
        : `${items.length} ${inline(type)}`
    return [
      count,
      '',
      row(shown.map(({ label }) => inline(label))),
      row(shown.map(() => '---')),
      ...items.map((item) => row(shown.map(({ value }) => inline(value(item))))),
    ].join('\n')
  },

  error({ what, cause, fix = [] }) {
    return [
      `**${inline(what)}**`,
      ...(cause ? ['', `**Cause**: ${inline(cause)}`] : []),
      ...(fix.length ? ['', '**To fix**:', ...fix.map((step, index) => `${index + 1}. ${inline(step)}`)] : []),
    ].join('\n')
  },
} satisfies ResponseFormatter)

function columnsOf<Item extends object>(columns: Columns<Item>): { label: string; value: (item: Item) => unknown }[] {
  return columns.map((column) =>
    typeof column === 'string' ? { label: column, value: (item) => (isMember(item, column) ? item[column] : undefined) } : column,
  )
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

/** A key named `constructor` or `__proto__` means the record's own, never what every object has. */
function isMember(item: object, key: string): boolean {
  return Object.hasOwn(item, key) || !(key in Object.prototype)
}

/**
 * One line of Markdown that shows `value` and nothing more: no markup of its own, no line break, no cell border, no invisible
 * characters. Escapes no more than that takes, because a model reads the source: `order_items` and `{"a":1}` stay as they are.
 */
function inline(value: unknown): string {
  const text = textOf(value)
  const short = text.length > MAX_CELL ? `${sliceWhole(text, MAX_CELL)}…` : text
  return short
    .toWellFormed()
    .replace(INVISIBLE, '')
    .trim()
    .replace(/[\\`*[\]<|~]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])|&(?=#?\w+;)/gu, '\\$&')
    .replace(/^>|^[#+-](?![\p{L}\p{N}])/u, '\\$&')
    .replace(/^(\d+)([.)])(?!\S)/, '$1\\$2')
    .replace(/\s*[\r\n]\s*/g, '<br>')
    .replace(/[\t\u2028\u2029]/g, ' ')
}

function capitalised(text: string): string {
  const [first = ''] = text
  return `${first.toUpperCase()}${text.slice(first.length)}`
}

/** A run of `#` at the end of a heading would be taken for its closing. */
function heading(text: string): string {
  return `## ${text.replace(/(?<=\s)#+$/, '\\$&')}`
}

/**
 * Control characters, zero-width spaces, text direction overrides and Unicode tags: nothing a person would see, much that a model
 * would read. The joiners U+200C and U+200D stay, for scripts and emoji are spelt with them.
 */
const INVISIBLE = new RegExp(
  String.raw`[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]`,
  'gu',
)

function textOf(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? '' : value.toISOString()
  if (Array.isArray(value))
    return value
      .map((item) => (Array.isArray(item) ? jsonOf(item) : textOf(item)))
      .filter(Boolean)
      .join(', ')
  return jsonOf(value)
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value, (_key, member: unknown) => (typeof member === 'bigint' ? String(member) : member)) ?? ''
  } catch {
    return '[not serialisable]'
  }
}

/** Cuts without splitting a surrogate pair. */
function sliceWhole(text: string, length: number): string {
  const end = /[\ud800-\udbff]/.test(text[length - 1] ?? '') ? length - 1 : length
  return text.slice(0, end)
}
