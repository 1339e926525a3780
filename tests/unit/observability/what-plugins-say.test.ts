import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { pluginLogger } from '../../../host/src/observability/log/plugin-log.ts'
import { createLogger } from '../../../host/src/observability/logger.ts'
import { progressStep } from '../../../host/src/plugin/run/progress-step.ts'

const unreadable = new Proxy(
  {},
  {
    get() {
      throw new Error('no')
    },
    ownKeys() {
      throw new Error('no keys')
    },
  },
)

/** As JavaScript sees it: nothing checks what a plugin gives. */
interface UntypedLogger {
  info(event: unknown, fields?: unknown): void
  child(fields: unknown): UntypedLogger
}
const untyped = (log: Logger): UntypedLogger => log

/** The one line that `write` writes. */
function lineOf(write: (log: Logger) => unknown): Readonly<Record<string, unknown>> {
  const lines: string[] = []
  const log = createLogger({ level: 'debug', format: 'json', destination: { write: (line) => void lines.push(line) } })
  write(pluginLogger(log))
  assert.equal(lines.length, 1)
  return JSON.parse(lines[0] ?? '') as Readonly<Record<string, unknown>>
}

for (const [given, event] of [
  [Symbol('odd'), 'plugin.Symbol(odd)'],
  [undefined, 'plugin.undefined'],
  [5, 'plugin.5'],
  [new Error('reason'), 'plugin.reason'],
  [unreadable, 'plugin.something that is no error'],
] as const)
  test(`an event that is ${event.slice(7)} is text in the log`, () => {
    assert.equal(lineOf((log) => untyped(log).info(given))['event'], event)
  })

for (const [what, given, fields] of [
  ['an error', new Error('reason'), /^\{"error":\{"name":"Error","message":"reason"/],
  ['a text', 'some words', /^\{"value":"some words"\}$/],
  ['a list', [1, 2], /^\{"value":\[1,2\]\}$/],
  ['what cannot be read', unreadable, /^\{"unreadable":"no keys"\}$/],
] as const)
  test(`${what} in place of the fields of a line is a field of it`, () => {
    assert.match(JSON.stringify(lineOf((log) => untyped(log).info('said', given))['fields']), fields)
    const child = lineOf((log) => untyped(log).child(given).info('said'))
    assert.match(JSON.stringify(child['fields']), fields)
  })

test('a step of progress is what the protocol can carry of it', () => {
  const message = { get: () => 'x' }
  assert.deepEqual(
    [
      progressStep(1, { total: 2, message: 'half' }),
      progressStep(1, { total: NaN, message }),
      progressStep(1, null),
      progressStep(1, unreadable),
      progressStep('1', {}),
      progressStep(Infinity, {}),
      progressStep(Symbol('odd'), {}),
    ],
    [
      { progress: 1, total: 2, message: 'half' },
      { progress: 1 },
      { progress: 1 },
      { progress: 1 },
      undefined,
      undefined,
      undefined,
    ],
  )
})
