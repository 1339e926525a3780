import type { ToolResult } from '../../data/content.ts'
import type { ServerInfo } from '../catalog/server-info.ts'
import { LIST_HINT } from './info.ts'
import type { View } from '../catalog/view.ts'
import { MODERN, resultAt, type Revision } from './revisions.ts'

/** JSON that is prepared once and sent often. */
export interface PreparedJson {
  readonly text: string
  readonly bytes: Buffer
}

const lists = { modern: new WeakMap<View, PreparedJson>(), legacy: new WeakMap<View, PreparedJson>() }

/** The result of `tools/list`, prepared once for a view, which is that of the revision. */
export function listJson(view: View, revision: Revision): PreparedJson {
  const known = revision === MODERN ? lists.modern : lists.legacy
  let list = known.get(view)
  if (!list) {
    const { tools, server } = view
    list = prepared(
      JSON.stringify(
        revision === MODERN ? { tools, ...LIST_HINT, resultType: 'complete', _meta: metaOf(server).meta } : { tools },
      ),
    )
    known.set(view, list)
  }
  return list
}

export function prepared(text: string): PreparedJson {
  return { text, bytes: Buffer.from(text) }
}

/** The result of a finished `tools/call`. Written out: taking `_meta` out of a copy cost more than all of this. */
export function callJson(whole: ToolResult, revision: Revision, server: ServerInfo): string {
  const { content, structuredContent, isError, _meta } = resultAt(whole, revision)
  const structured = structuredContent === undefined ? '' : `,"structuredContent":${JSON.stringify(structuredContent)}`
  const result = `{"content":${JSON.stringify(content)}${structured}${isError ? ',"isError":true' : ''}`
  // 2026-07-28 says more of a result than the revisions before.
  if (revision !== MODERN) return _meta ? `${result},"_meta":${JSON.stringify(_meta)}}` : `${result}}`
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
