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

/** JSON in pieces that follow each other. A long text that is put together of them is copied once more before it is written. */
export type JsonPieces = readonly string[]

/** The result of a finished `tools/call`. Written out: taking `_meta` out of a copy cost more than all of this. */
export function callJson(whole: ToolResult, revision: Revision, server: ServerInfo): string | JsonPieces {
  const { content, structuredContent, isError, _meta } = resultAt(whole, revision)
  const contents = JSON.stringify(content)
  const structured = structuredContent === undefined ? '' : `,"structuredContent":${JSON.stringify(structuredContent)}`
  const rest = `${structured}${isError ? ',"isError":true' : ''}${endOf(_meta, revision, server)}`
  return contents.length < LONG ? `{"content":${contents}${rest}` : ['{"content":', contents, rest]
}

/** From here on a copy costs more than a list. */
const LONG = 32_768

/** 2026-07-28 says more of a result than the revisions before. */
function endOf(meta: ToolResult['_meta'], revision: Revision, server: ServerInfo): string {
  if (revision !== MODERN) return meta ? `,"_meta":${JSON.stringify(meta)}}` : '}'
  const own = metaOf(server)
  return `,"resultType":"complete","_meta":${meta ? JSON.stringify({ ...own.meta, ...meta }) : own.json}}`
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
