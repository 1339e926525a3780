import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from '@mcp-patchbay/plugin-api'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import { createMetrics } from '../../../host/src/observability/metrics.ts'
import { createRedactor } from '../../../host/src/observability/redact.ts'
import { LivePlugin } from '../../../host/src/plugin/run/live-plugin.ts'
import type { RunningPlugin } from '../../../host/src/plugin/run/running.ts'
import { createCalls } from '../../../host/src/server/call/call.ts'
import type { CallDeps } from '../../../host/src/server/call/types.ts'
import { activeRecord, emptyPlugin, emptyTool, snapshotOf } from '../../fixtures/projects/snapshots.ts'

const tools = [
  emptyTool('plain', 'read', { input: Type.Object({ text: Type.String() }) }),
  emptyTool('bounded', 'read', { input: Type.Object({ text: Type.String({ maxLength: 9_000 }) }) }),
  emptyTool('strict', 'read', { input: Type.Object({ text: Type.String({ pattern: 'x' }) }) }),
  emptyTool('kept', 'read', { cache: { ttlMs: 1_000, scope: 'caller' } }),
  emptyTool('grave', 'write', { approval: 'required' }),
]

/** Of which tools the host leaves a long text alone. */
function leftAlone(deps: Partial<CallDeps> = {}, running: Partial<RunningPlugin> = { takesLongTexts: true }): readonly string[] {
  const record = activeRecord(emptyPlugin('a', tools))
  assert.ok(record.live)
  const live = new LivePlugin('a', { ...record.live.running, ...running })
  const calls = createCalls({
    log: silentLogger,
    metrics: createMetrics(),
    now: () => 0,
    limits: () => ({ callTimeoutMs: 5_000, resultBytes: 10_000 }),
    redact: createRedactor(),
    ...deps,
  })
  const found = [...snapshotOf([{ ...record, live }]).tools.values()]
  return found.filter((tool) => calls.takesLongTexts(tool, 9_001)).map(({ localName }) => localName)
}

test('the host leaves a long text alone only where nothing in it looks at arguments', () => {
  assert.deepEqual(leftAlone(), ['plain'])
  assert.deepEqual(leftAlone({ audit: { isOn: () => false, record() {} } }), ['plain'])
  assert.deepEqual(leftAlone({ middleware: [{ name: 'http', http: (_, next) => next() }] }), ['plain'])
  assert.deepEqual(leftAlone({ audit: { isOn: () => true, record() {} } }), [], 'the audit says how long a text is')
  assert.deepEqual(leftAlone({ middleware: [{ name: 'tool', tool: (_, next) => next() }] }), [], 'middleware may read it')
  assert.deepEqual(leftAlone({}, { takesLongTexts: false }), [], 'a plugin in the host gets a string')
  assert.deepEqual(leftAlone({}, {}), [], 'and so does one of which it is not known')
})
