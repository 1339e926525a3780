import { stripVTControlCharacters, styleText } from 'node:util'
import type { LogLines } from './log/log-lines.ts'
import { visible } from './visible.ts'

/** Turns JSON log lines into lines for a person: time, level, event, then `key=value`. */
export function prettyLines(sink: LogLines): LogLines {
  return {
    write(line) {
      sink.write(`${pretty(line)}\n`)
    },
  }
}

type Style = Parameters<typeof styleText>[0]

/** Colours where stderr is a terminal, which is where the log goes. */
const paint = (style: Style, text: string) => styleText(style, text, { stream: process.stderr })

const levels: Readonly<Record<string, Style>> = { debug: 'gray', info: 'green', warn: 'yellow', error: 'red' }

function pretty(line: string): string {
  const { level, time, event, error: own, fields: given, ...fields } = JSON.parse(line) as Record<string, unknown>
  const name = String(level)
  // What a plugin wrote stands behind what the host says of the line.
  const { error = own, ...ofPlugin }: { error?: unknown } = typeof given === 'object' && given !== null ? given : {}
  const values = [...Object.entries(fields), ...Object.entries(ofPlugin)].map(
    ([key, value]) => `${paint('gray', `${plain(key)}=`)}${show(value)}`,
  )
  const head = `${paint('gray', String(time).slice(11, 23))} ${paint(levels[name] ?? 'white', name.padEnd(5))} ${plain(String(event))}`
  return [[head, ...values].join(' '), ...errorLines(error)].join('\n')
}

/** Without the colours that a plugin gave it; any other control character is shown. */
const plain = (text: string) => visible(stripVTControlCharacters(text))

function show(value: unknown): string {
  if (typeof value !== 'string') return plain(JSON.stringify(value))
  const text = stripVTControlCharacters(value)
  return visible(/\s/.test(text) ? JSON.stringify(text) : text)
}

function errorLines(error: unknown): readonly string[] {
  if (typeof error !== 'object' || error === null) return error === undefined ? [] : [`  ${show(error)}`]
  const { stack, message } = error as Readonly<Record<string, unknown>>
  const text = [stack, message].find((part) => typeof part === 'string') ?? JSON.stringify(error)
  return text.split('\n').map((line) => `  ${paint('gray', plain(line))}`)
}
