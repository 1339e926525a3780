import { isObject } from '../../../data/json.ts'
import { withEscapes } from '../../../data/invisible.ts'

export interface ApprovalSubject {
  readonly name: string
  readonly plugin: string
  readonly tenant: string | undefined
  readonly args: unknown
  /** Of the tool's input, for its defaults. */
  readonly schema: unknown
}

const MOST_OF_A_VALUE = 200
const MOST_OF_A_NAME = 60
const MOST_OF_ALL = 3_000

/**
 * The text that a person reads before a tool runs: the tool, its plugin, the tenant, and the arguments, one a line. Arguments that differ
 * from the tool's defaults come first, short ones before long ones, so that no long text pushes another argument out of sight. Where text
 * is cut, it says how much. Characters that are invisible, or that turn the direction of text, are shown as escapes.
 */
export function approvalQuestion({ name, plugin, tenant, args, schema }: ApprovalSubject): string {
  const head = [`Run ${name}?`, `Plugin: ${plugin}${tenant === undefined ? '' : `. Tenant: ${withEscapes(tenant)}`}`]
  const given = argumentsOf(args, defaultsOf(schema))
  if (given.length === 0) return [...head, 'It has no arguments.'].join('\n')
  const lines: string[] = []
  let left = MOST_OF_ALL
  for (const { line } of given) {
    if (line.length > left) break
    left -= line.length
    lines.push(line)
  }
  const hidden = given.slice(lines.length)
  const size = hidden.reduce((sum, { text }) => sum + text.length, 0)
  const cut = hidden.length === 0 ? [] : [`NOT SHOWN: ${count(hidden.length, 'more argument')}, ${count(size, 'character')}`]
  return [...head, 'Arguments:', ...lines, ...cut].join('\n')
}

interface Argument {
  readonly line: string
  /** The value as JSON. */
  readonly text: string
}

function argumentsOf(args: unknown, defaults: Readonly<Record<string, unknown>>): readonly Argument[] {
  if (!isObject(args)) return args === undefined ? [] : [argument('(all)', JSON.stringify(args))]
  return Object.entries(args)
    .map(([key, value]) => {
      const text = JSON.stringify(value) ?? 'null'
      const isDefault = Object.hasOwn(defaults, key) && JSON.stringify(defaults[key]) === text
      return { ...argument(key, text), isDefault }
    })
    .toSorted((a, b) => Number(a.isDefault) - Number(b.isDefault) || a.text.length - b.text.length)
}

function argument(key: string, text: string): Argument {
  return { line: `- ${cutTo(key, MOST_OF_A_NAME)}: ${cutTo(text, MOST_OF_A_VALUE)}`, text }
}

/** Counted before the escapes, and never in the middle of a character. */
function cutTo(text: string, most: number): string {
  if (text.length <= most) return withEscapes(text)
  const shown = text
    .slice(0, most)
    .toWellFormed()
    .replace(/\ufffd$/, '')
  return `${withEscapes(shown)} [CUT: ${count(text.length - shown.length, 'more character')}]`
}

function count(number: number, what: string): string {
  return `${number.toLocaleString('en')} ${what}${number === 1 ? '' : 's'}`
}

function defaultsOf(schema: unknown): Readonly<Record<string, unknown>> {
  const properties = isObject(schema) && isObject(schema['properties']) ? schema['properties'] : {}
  return Object.fromEntries(
    Object.entries(properties).flatMap(([key, part]) =>
      isObject(part) && Object.hasOwn(part, 'default') ? [[key, part['default']]] : [],
    ),
  )
}
