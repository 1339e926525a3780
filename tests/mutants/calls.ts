import { mutantsOf } from './mutant.ts'

const way = ['tests/unit/calls/way-of-a-call.test.ts']
const GIVES = 'tests/unit/calls/what-a-call-gives.test.ts'

export const calls = mutantsOf('calls', [
  {
    file: 'host/src/server/call/listing/resource-listing.ts',
    noticedBy: ['tests/mcp_protocol/resource-sources.test.ts'],
    changes: [
      [
        'a caller is listed the resources of a template that it may not see',
        ' && refusal(item, caller, snapshot.policy) === undefined',
        '',
      ],
      ['a list names what reading by its template would not find', 'if (!match(uri))', 'if (false)'],
      ['a list shows what its caller may not see', 'refusal(found, caller, snapshot.policy) === undefined', 'true'],
      ['a list that does not end keeps back the others', "error.code === 'CALL_TIMEOUT' && following", 'false'],
      ['a list that goes round has no end', 'next !== undefined && next === args', 'false'],
      ['one list that fails takes the others with it', '|| ENDS.has(error.code)', '|| true'],
      [
        'the second page begins with what is fixed',
        'cursor === undefined ? viewOf(snapshot, caller).resources : []',
        'viewOf(snapshot, caller).resources',
      ],
      ['resources of a second mount are those of the first', 'uris?.mounted(one.uri) ?? one.uri', 'one.uri'],
    ],
  },
  {
    file: 'host/src/server/call/audit-line.ts',
    noticedBy: way,
    changes: [
      ['a call that no person approved is in the audit as allowed', " || outcome === 'refused' || outcome", ' || outcome'],
      ['the audit does not name the variables of a credential', "`server:${use.source.variables.join('+')}`", "'server'"],
      ['a call that is one too many is in the audit as allowed', "outcome === 'limited' || ", ''],
    ],
  },
  {
    file: 'host/src/server/call/completion.ts',
    noticedBy: way,
    changes: [
      [
        'a completion that is denied is not in the audit',
        "      deny({ kind, name, caller, io }, refused ?? 'unknown', deps)\n",
        '',
      ],
    ],
  },
  {
    file: 'host/src/server/call/result/error-text.ts',
    noticedBy: way,
    changes: [['a wait is told too short', 'Math.ceil((retryAfterMs ?? 0) / 1000)', 'Math.floor((retryAfterMs ?? 0) / 1000)']],
  },
  {
    file: 'host/src/server/call/approval/approval.ts',
    noticedBy: ['tests/unit/calls/approval.test.ts'],
    changes: [
      ['a yes to one call is a yes to another', 'state?.approval !== digest || !(', '!('],
      ['an accepted question without the tick runs the tool', " && answer.content?.['approve'] === true", ''],
      ['a tick that is a text counts', "answer.content?.['approve'] === true", "Boolean(answer.content?.['approve'])"],
      ['a declined question with the tick runs the tool', "answer?.action === 'accept' && ", ''],
      ['a cancelled question with the tick runs the tool', "answer?.action === 'accept'", "answer?.action !== 'decline'"],
      [
        'a client that cannot ask is asked',
        "if (!isObject(io.clientCapabilities?.['elicitation']))",
        'if (io.clientCapabilities === undefined)',
      ],
      ['any answer approves', '!(state.given || isApproved)', 'false'],
      ['a yes counts again and again', 'if (!(await tickets.use(state.ticket)))', 'if (false)'],
      ['a tool sees the state of the host', 'call.io = withState(io, state.inner)', ''],
      ['a tool that asks itself asks for approval again', 'given: true, inner', 'inner'],
    ],
  },
  {
    file: 'host/src/server/call/approval/arguments-digest.ts',
    noticedBy: ['tests/unit/calls/approval.test.ts'],
    changes: [
      ['a yes to a text with half a character is one to any', 'return JSON.stringify(args)', "return ''"],
      ['a yes is not to the same arguments in another order', 'return canonicalJson(args)', 'return JSON.stringify(args)'],
    ],
  },
  {
    file: 'host/src/server/call/approval/approval-question.ts',
    noticedBy: ['tests/unit/calls/approval-question.test.ts'],
    changes: [
      ['what is not shown is counted wrong', 'if (line.length > left) break', 'if (line.length > left) continue'],
      [
        'arguments that change nothing come first',
        'Number(a.isDefault) - Number(b.isDefault)',
        'Number(b.isDefault) - Number(a.isDefault)',
      ],
    ],
  },
  {
    file: 'host/src/server/call/call-layers.ts',
    noticedBy: ['tests/unit/calls/approval.test.ts', 'tests/unit/calls/way-of-a-call.test.ts'],
    changes: [
      ['approval is not asked for', 'item.needsApproval ? approved(call, next) : next()', 'next()'],
      ['approval is asked for always', 'item.needsApproval ? ', 'true ? '],
      ['a call waits for its rate outside its version', 'inVersion(call, () => counted.then(next))', 'counted.then(next)'],
      ['what the rate says is not waited for', 'counted ? inVersion(call, () => counted.then(next)) : next()', 'next()'],
      ['the error of a resource or prompt shows secrets', 'problem: shown(deps.redact(text)) }', 'problem: shown(text) }'],
      ['the error of a tool shows secrets', 'errorResult(shown(deps.redact(text)))', 'errorResult(shown(text))'],
      ['arguments that do not fit reach the plugin', 'if (problems) {', 'if (false) {'],
      [
        'outside of tools an error of the host loses its code',
        '      if (error instanceof HostError) throw error\n      const { item, io }',
        '      const { item, io }',
      ],
      ['denials are not audited', 'audit?.record(() => deniedLine(call, reason))', 'void [audit, deniedLine, call, reason]'],
    ],
  },
  {
    file: 'host/src/server/call/call.ts',
    noticedBy: ['tests/unit/calls/way-of-a-call.test.ts', 'tests/unit/calls/visibility-is-one-decision.test.ts'],
    changes: [
      [
        'arguments are checked before the rate',
        '...limitRate<ToolAnswer>(deps),\n      checkTool(deps),',
        'checkTool(deps),\n      ...limitRate<ToolAnswer>(deps),',
      ],
      ['the rate is not counted for tools', '      ...limitRate<ToolAnswer>(deps),\n', ''],
      ["a tool's own time limit does not count", 'item.timeoutMs ?? deps.limits().callTimeoutMs', 'deps.limits().callTimeoutMs'],
      [
        'a result that says isError counts as one that went well',
        "if (result.isError) {\n        call.outcome = 'error'",
        "if (result.isError) {\n        call.outcome = 'ok'",
      ],
      ['denied tools are not audited', "deny({ kind: 'tool', name: of, caller, io }, item, deps)", ''],
      ['denied prompts are not audited', "deny({ kind: 'prompt', name, caller, io }, refused ?? 'unknown', deps)", ''],
      ['denied resources are not audited', "deny({ kind: 'resource', name: uri, caller, io }, refused ?? 'unknown', deps)", ''],
      [
        'a hidden prompt can be asked for',
        "if (!item || refused) {\n        deny({ kind: 'prompt'",
        "if (!item) {\n        deny({ kind: 'prompt'",
      ],
    ],
  },
  {
    file: 'host/src/server/call/running-call.ts',
    noticedBy: ['tests/unit/calls/way-of-a-call.test.ts'],
    changes: [
      [
        'a call that is cancelled still starts the plugin',
        "if (life.io.cancellation.isCancelled) return reject(hostError('CALL_CANCELLED', { tool: life.name }))",
        '',
      ],
      ['progress that stays where it was goes out', 'step.progress <= last', 'step.progress < last'],
      ['progress goes out behind the answer', 'if (!io.progress || isOver()) return', 'if (!io.progress) return'],
      ['log lines go out behind the answer', 'if (!this.#isOver) io.log', 'io.log'],
    ],
  },
  {
    file: 'host/src/modules/reading/read-ahead.ts',
    noticedBy: ['tests/unit/calls/what-is-read-ahead.test.ts'],
    changes: [
      ['requests wait for all that is read ahead', '      await turn()\n', ''],
      ['a closed host reads on', ' && !signal.aborted', ''],
      ['reading ahead is never over', '    reading = undefined\n', ''],
      ['what is added later is over before it is read', 'isOver: () => reading === undefined', 'isOver: () => true'],
    ],
  },
  {
    file: 'host/src/transport/listen.ts',
    noticedBy: ['tests/integration/http-edge/management-listener.test.ts'],
    changes: [
      ['/readyz says that reading ahead is over while it goes on', '!deps.readAhead.isOver()', 'deps.readAhead.isOver()'],
    ],
  },
  {
    file: 'host/src/server/call/result/resource-and-prompt-results.ts',
    noticedBy: [GIVES],
    changes: [
      ['bytes of a resource may be of any size', '    limit(Math.ceil(value.length / 3) * 4, bounds.maxBytes)\n', ''],
      [
        'a secret in what was read is shown',
        "JSON.parse(serialise(value, 'contents', bounds))",
        "JSON.parse(serialise(value, 'contents', { ...bounds, redact: (text) => text }))",
      ],
      ['contents need no uri', "      typeof item['uri'] !== 'string' ||\n", ''],
      ['contents need neither text nor blob', "(typeof item['text'] !== 'string' && typeof item['blob'] !== 'string')", 'false'],
      [
        'a prompt may speak for the system',
        "(role !== 'user' && role !== 'assistant') || !content",
        'role === undefined || !content',
      ],
    ],
  },
  {
    file: 'host/src/server/call/result/mounted-results.ts',
    noticedBy: [GIVES],
    changes: [
      [
        'what was asked for has another address in the answer',
        'item.uri === uri ? asked : uris.toClient(item.uri)',
        'uris.toClient(item.uri)',
      ],
      [
        'an embedded resource keeps the address that the plugin knows',
        'resource: { ...item.resource, uri: uris.toClient(item.resource.uri) }',
        'resource: item.resource',
      ],
      ['a link keeps the address that the plugin knows', '{ ...item, uri: uris.toClient(item.uri) }', 'item'],
    ],
  },
  {
    file: 'host/src/server/call/result/error-text.ts',
    noticedBy: [GIVES],
    changes: [
      [
        'what a plugin throws is a fault of the host',
        "isOfPlugin ? hostError('PLUGIN_THREW', { plugin, requestId }) : hostError('INTERNAL', { requestId })",
        "hostError('INTERNAL', { requestId })",
      ],
      ['what a plugin throws is not in the log', 'error: isOfPlugin ? error.cause : error', 'error'],
      [
        'a model is not told how long to wait',
        'retryAfterMs === undefined || fix.includes(seconds) ? []',
        'fix.includes(seconds) || fix === fix ? []',
      ],
      [
        'a model is told twice how long to wait',
        'retryAfterMs === undefined || fix.includes(seconds)',
        'retryAfterMs === undefined',
      ],
    ],
  },
  {
    file: 'host/src/server/call/approval/single-use.ts',
    noticedBy: ['tests/unit/calls/approval.test.ts'],
    changes: [['a yes counts again after a minute', 'const TTL_SECONDS = 660', 'const TTL_SECONDS = 60']],
  },
])
