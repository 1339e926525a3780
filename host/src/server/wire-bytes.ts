import type { ToolResult } from '../data/content.ts'
import { SERVER_INFO, LIST_HINT } from './info.ts'
import type { View } from './view.ts'

/** JSON that is prepared once and sent often. */
export interface PreparedJson {
  readonly text: string
  readonly bytes: Buffer
}

/** How results are dressed: 2026-07-28 says more of them than the revisions of 2025. */
export type Dress = 'modern' | 'legacy'

const lists: Readonly<Record<Dress, WeakMap<View, PreparedJson>>> = { modern: new WeakMap(), legacy: new WeakMap() }

/** The result of `tools/list`, prepared once for a view. */
export function listJson(view: View, dress: Dress): PreparedJson {
  let list = lists[dress].get(view)
  if (!list) {
    const { tools } = view
    list = prepared(JSON.stringify(dress === 'legacy' ? { tools } : { tools, ...LIST_HINT, ...COMPLETE }))
    lists[dress].set(view, list)
  }
  return list
}

export function prepared(text: string): PreparedJson {
  return { text, bytes: Buffer.from(text) }
}

/** The result of a finished `tools/call`. */
export function callJson({ _meta, ...result }: ToolResult, dress: Dress): string {
  const json = JSON.stringify(result)
  if (dress === 'legacy') return _meta ? `${json.slice(0, -1)},"_meta":${JSON.stringify(_meta)}}` : json
  const meta = _meta ? JSON.stringify({ ...SERVER_META, ..._meta }) : SERVER_META_JSON
  return `${json.slice(0, -1)},"resultType":"complete","_meta":${meta}}`
}

const SERVER_META = { 'io.modelcontextprotocol/serverInfo': SERVER_INFO }
const SERVER_META_JSON = JSON.stringify(SERVER_META)
const COMPLETE = { resultType: 'complete', _meta: SERVER_META }
