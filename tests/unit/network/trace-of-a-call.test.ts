import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createReach } from '../../../host/src/network/connect/target.ts'
import { createPreparation } from '../../../host/src/network/request/prepare.ts'
import { DEFAULT_LIMITS } from '../../../host/src/network/resilience/limits.ts'

const trace = { traceId: 'a'.repeat(32), traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, tracestate: 'vendor=1' }
const prepare = createPreparation({
  reach: createReach({
    instance: 'github',
    baseUrl: 'https://api.example',
    extraHosts: ['https://files.example'],
    baseUrlVariable: 'GITHUB_API_URL',
  }),
  placement: undefined,
  headers: {},
  limits: DEFAULT_LIMITS,
  hints: { credentialVariables: [], baseUrlVariable: 'GITHUB_API_URL' },
  redact: (text) => text,
})
const sent = (path: string, headers: Readonly<Record<string, string>> = {}) =>
  prepare({ path, options: { headers }, rights: { access: 'read', safePaths: [] }, accept: '*/*', trace }).headers

test('the trace of a call goes to the service of the plugin and to no other host', () => {
  assert.deepEqual([sent('/x')['traceparent'], sent('/x')['tracestate']], [trace.traceparent, 'vendor=1'])
  const elsewhere = sent('https://files.example/x')
  assert.deepEqual([elsewhere['traceparent'], elsewhere['tracestate']], [undefined, undefined])
})

test('a plugin that traces itself says where it stands', () => {
  const own = `00-${'a'.repeat(32)}-${'c'.repeat(16)}-01`
  assert.equal(sent('/x', { Traceparent: own })['traceparent'], own)
})
