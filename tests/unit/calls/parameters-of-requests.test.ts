import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProtocolError } from '@modelcontextprotocol/server'
import { hostError } from '../../../host/src/errors.ts'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import { params } from '../../../host/src/server/mcp/params.ts'
import { protocolError } from '../../../host/src/server/mcp/protocol-error.ts'

/** What a method reads of its parameters, or what is wrong with them. */
function read(method: keyof typeof params, given: unknown): unknown {
  const checked = params[method]['~standard'].validate(given) as { value?: unknown; issues?: readonly { message: string }[] }
  return checked.issues ? checked.issues[0]?.message : checked.value
}

const client = { name: 'c', version: '1' }
const begin = { protocolVersion: '2025-11-25', capabilities: { roots: {} }, clientInfo: { ...client, title: 'C' } }
const ONE_PAGE = 'cursor is not one that this server gave: its lists have one page'

test('the parameters of each method, and a sentence for each that is wrong', () => {
  for (const [method, given, expected] of [
    ['list', undefined, {}],
    ['list', { cursor: null }, {}],
    ['list', { cursor: '' }, {}],
    ['list', { cursor: 'x' }, ONE_PAGE],
    ['list', { cursor: 0 }, ONE_PAGE],
    ['pages', undefined, { cursor: undefined }],
    ['pages', { cursor: null }, { cursor: undefined }],
    ['pages', { cursor: '' }, { cursor: undefined }],
    ['pages', { cursor: 'x' }, { cursor: 'x' }],
    ['pages', { cursor: 7 }, 'cursor is not a text'],
    ['initialize', begin, { ...begin, clientInfo: client }],
    ['initialize', undefined, 'clientInfo must be an object'],
    ['initialize', { ...begin, clientInfo: [] }, 'clientInfo must be an object'],
    ['initialize', { ...begin, clientInfo: { name: 'c' } }, 'version must be a string'],
    ['initialize', { ...begin, clientInfo: { version: '1' } }, 'name must be a string'],
    ['initialize', { ...begin, protocolVersion: 7 }, 'protocolVersion must be a string'],
    ['initialize', { ...begin, capabilities: null }, 'capabilities must be an object'],
    ['call', { name: 'a', arguments: { b: 1 } }, { name: 'a', arguments: { b: 1 } }],
    ['call', { name: 'a' }, { name: 'a', arguments: {} }],
    ['call', { name: 'a', arguments: null }, { name: 'a', arguments: {} }],
    ['call', { name: 'a', arguments: [] }, 'arguments must be an object'],
    ['call', { name: 7 }, 'name must be a string'],
    ['call', 'a', 'name must be a string'],
    ['uri', { uri: 'a:b' }, { uri: 'a:b' }],
    ['uri', {}, 'uri must be a string'],
    ['prompt', { name: 'a', arguments: { b: 'c' } }, { name: 'a', arguments: { b: 'c' } }],
    ['prompt', { name: 'a' }, { name: 'a', arguments: {} }],
    ['prompt', { name: 'a', arguments: { b: 1 } }, 'b must be a string'],
    ['prompt', { arguments: {} }, 'name must be a string'],
    [
      'completion',
      { ref: { type: 'ref/prompt', name: 'p', uri: 'u' }, argument: { name: 'n', value: 'v' } },
      { ref: { prompt: 'p' }, argument: { name: 'n', value: 'v', others: {} } },
    ],
    [
      'completion',
      {
        ref: { type: 'ref/resource', name: 'p', uri: 'u' },
        argument: { name: 'n', value: '' },
        context: { arguments: { o: 'x' } },
      },
      { ref: { template: 'u' }, argument: { name: 'n', value: '', others: { o: 'x' } } },
    ],
    ['completion', { ref: { type: 'ref/prompt' }, argument: { name: 'n', value: 'v' } }, 'name must be a string'],
    ['completion', { ref: { type: 'ref/resource' }, argument: { name: 'n', value: 'v' } }, 'uri must be a string'],
    ['completion', { ref: { type: 'ref/prompt', name: 'p' }, argument: { name: 'n' } }, 'value must be a string'],
    ['completion', { ref: { type: 'ref/prompt', name: 'p' } }, 'argument must be an object'],
    ['level', { level: 'warning' }, { level: 'warning' }],
    ['level', { level: 'Warning' }, 'level must be one of debug, info, notice, warning, error, critical, alert, emergency'],
    ['level', {}, 'level must be one of debug, info, notice, warning, error, critical, alert, emergency'],
  ] as const)
    assert.deepEqual(read(method, given), expected, `${method} ${JSON.stringify(given)}`)
})

test('what is wrong with a request is said as it is; what is wrong inside is only in the log', () => {
  const lines: { event: string; fields: Readonly<Record<string, unknown>> }[] = []
  const log = { ...silentLogger, error: (event: string, fields = {}) => void lines.push({ event, fields }) }
  const answerOf = (error: unknown) => {
    const { code, message } = protocolError(error, log)
    return { code, message }
  }
  const own = new ProtocolError(-32_000, 'of the protocol')
  assert.equal(protocolError(own, log), own)
  for (const [error, code] of [
    [hostError('TOOL_UNKNOWN', { name: 'a' }), -32602],
    [hostError('PROMPT_UNKNOWN', { name: 'a' }), -32602],
    [hostError('CALL_CANCELLED', { tool: 'a' }), -32603],
    [hostError('HOST_CLOSING', {}), -32603],
    [hostError('INTERNAL', { requestId: 'r' }), -32603],
  ] as const)
    assert.deepEqual(answerOf(error), { code, message: error.message }, error.code)
  const unknown = answerOf(hostError('RESOURCE_UNKNOWN', { uri: 'a://b' }))
  assert.match(unknown.message, /a:\/\/b/)
  assert.equal(lines.length, 0)
  for (const error of [new Error('a path of this machine'), hostError('FAULTS_INVALID', { step: '/x' }), 'text', undefined]) {
    const { code, message } = answerOf(error)
    const line = lines.pop()
    assert.equal(code, -32603)
    assert.doesNotMatch(message, /machine|\/x|text/)
    assert.deepEqual([line?.event, line?.fields['error']], ['request_failed', error])
    assert.ok(message.includes(String(line?.fields['call'])), 'the answer names the line of the log')
  }
})
