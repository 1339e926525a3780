import { isObject } from '../../../data/json.ts'
import { traceFields, type TraceContext } from '../../../observability/tracing/trace-context.ts'
import type { Fields } from '../connect/types.ts'

/** The parameters of a request to an MCP server, with the trace of the call in `_meta`, where a server looks for it. */
export function inTrace(params: Fields, trace: TraceContext | undefined): Fields {
  if (!trace) return params
  const { _meta: meta } = params
  return { ...params, _meta: { ...(isObject(meta) ? meta : {}), ...traceFields(trace) } }
}
