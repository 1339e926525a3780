import { stripVTControlCharacters, styleText } from 'node:util'
import type { DestinationStream } from 'pino'

/** Turns JSON log lines into lines for a person: time, level, event, then `key=value`. */
export function prettyLines(sink: DestinationStream): DestinationStream {
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
  const { level, time, event, error, ...fields } = JSON.parse(line) as Record<string, unknown>
  const name = String(level)
  const values = Object.entries(fields).map(([key, value]) => `${paint('gray', `${key}=`)}${show(value)}`)
  const head = `${paint('gray', String(time).slice(11, 23))} ${paint(levels[name] ?? 'white', name.padEnd(5))} ${stripVTControlCharacters(String(event))}`
  return [[head, ...values].join(' '), ...errorLines(error)].join('\n')
}

function show(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const plain = stripVTControlCharacters(text)
  return /\s/.test(plain) && typeof value === 'string' ? JSON.stringify(plain) : plain
}

function errorLines(error: unknown): readonly string[] {
  if (typeof error !== 'object' || error === null) return error === undefined ? [] : [`  ${show(error)}`]
  const { stack, message } = error as { stack?: string; message?: string }
  return (stack ?? message ?? '').split('\n').map((line) => `  ${paint('gray', stripVTControlCharacters(line))}`)
}
