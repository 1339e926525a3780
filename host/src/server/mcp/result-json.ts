import type { ToolResult } from '../../data/content.ts'
import type { ServerInfo } from '../catalog/server-info.ts'
import { LIST_HINT } from './info.ts'
import type { View } from '../catalog/view.ts'

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
    const { tools, server } = view
    list = prepared(
      JSON.stringify(
        dress === 'legacy' ? { tools } : { tools, ...LIST_HINT, resultType: 'complete', _meta: metaOf(server).meta },
      ),
    )
    lists[dress].set(view, list)
  }
  return list
}

export function prepared(text: string): PreparedJson {
  return { text, bytes: Buffer.from(text) }
}

/** The result of a finished `tools/call`. Written out: taking `_meta` out of a copy cost more than all of this. */
export function callJson({ content, structuredContent, isError, _meta }: ToolResult, dress: Dress, server: ServerInfo): string {
  const structured = structuredContent === undefined ? '' : `,"structuredContent":${JSON.stringify(structuredContent)}`
  const result = `{"content":${JSON.stringify(content)}${structured}${isError ? ',"isError":true' : ''}`
  if (dress === 'legacy') return _meta ? `${result},"_meta":${JSON.stringify(_meta)}}` : `${result}}`
  const own = metaOf(server)
  const meta = _meta ? JSON.stringify({ ...own.meta, ..._meta }) : own.json
  return `${result},"resultType":"complete","_meta":${meta}}`
}

interface ServerMeta {
  readonly meta: Readonly<Record<string, unknown>>
  readonly json: string
}

const metas = new WeakMap<ServerInfo, ServerMeta>()

/** What results of 2026-07-28 say of the server, made once for a config. */
function metaOf(server: ServerInfo): ServerMeta {
  let known = metas.get(server)
  if (!known) {
    const meta = { 'io.modelcontextprotocol/serverInfo': server }
    metas.set(server, (known = { meta, json: JSON.stringify(meta) }))
  }
  return known
}
