import type { OpenSpan, Tracing } from '../../observability/tracing/types.ts'
import type { PendingCall } from './types.ts'

const METHODS = { tool: 'tools/call', resource: 'resources/read', prompt: 'prompts/get' } as const

/** Begins the span of a call, by OpenTelemetry's conventions for MCP, and makes it the trace of what the call does. */
export function beginSpan(
  { kind, name, item, io }: PendingCall,
  tracing: Tracing | undefined,
  method: string = METHODS[kind],
): OpenSpan | undefined {
  if (!tracing) return undefined
  // A URI is the caller's and may be data: a resource is named as its plugin names it.
  const target = kind === 'resource' ? item.name : name
  const span = tracing.begin(`${method} ${target}`, {
    kind: 'server',
    parent: io.trace,
    link: io.trace?.carrier,
    attributes: () => ({
      'mcp.method.name': method,
      ...(kind === 'tool' && { 'gen_ai.tool.name': target, 'gen_ai.operation.name': 'execute_tool' }),
      ...(kind === 'prompt' && { 'gen_ai.prompt.name': target }),
      'mcp.session.id': io.session,
      'patchbay.plugin': item.plugin.instance,
      'patchbay.call': io.requestId,
    }),
  })
  io.trace = span.trace
  return span
}

/** Ends it with what became of the call. */
export function endSpan(span: OpenSpan | undefined, { kind, outcome }: PendingCall): void {
  if (!span) return
  if (outcome === 'ok') span.end()
  else span.end({ error: outcome === 'error' && kind === 'tool' ? 'tool_error' : outcome })
}
