import type { ToolResult } from '../data/content.ts'
import type { Caller } from './caller.ts'
import { LIST_HINT, SERVER_INFO } from './info.ts'
import type { Snapshot } from './snapshot.ts'
import { viewOf, type View } from './view.ts'

const lists = new WeakMap<View, string>()

/** The result of `tools/list` on 2026-07-28 as JSON, prepared once for a view. */
export function listBytes(snapshot: Snapshot, caller: Caller): string {
  const view = viewOf(snapshot, caller)
  let bytes = lists.get(view)
  if (bytes === undefined) {
    bytes = JSON.stringify({ tools: view.tools, ...LIST_HINT, resultType: 'complete', _meta: SERVER_META })
    lists.set(view, bytes)
  }
  return bytes
}

/** The result of a finished `tools/call` on 2026-07-28 as JSON. */
export function resultBytes({ _meta, ...result }: ToolResult): string {
  const meta = _meta ? JSON.stringify({ ...SERVER_META, ..._meta }) : SERVER_META_BYTES
  return `${JSON.stringify(result).slice(0, -1)},"resultType":"complete","_meta":${meta}}`
}

const SERVER_META = { 'io.modelcontextprotocol/serverInfo': SERVER_INFO }
const SERVER_META_BYTES = JSON.stringify(SERVER_META)
