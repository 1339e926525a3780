import type { Content, PromptMessage, ResourceContents } from '@mcp-patchbay/plugin-api'
import type { ToolResult } from '../../../data/content.ts'
import { isObject } from '../../../data/json.ts'
import { mountedMeta, type PluginUris } from '../../../plugin/run/plugin-uris.ts'
import type { SnapshotTool } from '../../catalog/snapshot.ts'
import type { Layer, PendingCall, ToolAnswer } from '../types.ts'

/** Puts the instance into the plugin's own URIs in the result of a later mount. Around the cache: what is kept is the plugin's. */
export function mountResults(): Layer<PendingCall<SnapshotTool>, ToolAnswer> {
  return async ({ item }, next) => {
    const answer = await next()
    return item.uris && answer.kind === 'result' ? { ...answer, result: mountedResult(answer.result, item.uris) } : answer
  }
}

function mountedResult(result: ToolResult, uris: PluginUris): ToolResult {
  const meta = mountedMeta(result._meta, uris)
  return { ...result, content: result.content.map((item) => mountedContent(item, uris)), ...(isObject(meta) && { _meta: meta }) }
}

function mountedContent(item: Content, uris: PluginUris): Content {
  if (item.type === 'resource_link') return { ...item, uri: uris.toClient(item.uri) }
  if (item.type !== 'resource') return item
  return { ...item, resource: { ...item.resource, uri: uris.toClient(item.resource.uri) } }
}

/** The messages of a prompt of a later mount. */
export function mountedMessages(messages: readonly PromptMessage[], uris: PluginUris | undefined): readonly PromptMessage[] {
  return uris ? messages.map((message) => ({ ...message, content: mountedContent(message.content, uris) })) : messages
}

/** What was read of `asked`, which the plugin knows as `uri`, of a later mount. */
export function mountedContents(
  contents: readonly ResourceContents[],
  { asked, uri, uris }: { readonly asked: string; readonly uri: string; readonly uris: PluginUris | undefined },
): readonly ResourceContents[] {
  return uris ? contents.map((item) => ({ ...item, uri: item.uri === uri ? asked : uris.toClient(item.uri) })) : contents
}
