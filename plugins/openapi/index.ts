import { definePlugin, type AnyTool, type HttpClient } from '@mcp-patchbay/plugin-api'
import { config } from './config.ts'
import { LeftOut } from './document/left-out.ts'
import { readDocument } from './document/read.ts'
import { createIsAtApi, requireApiUrl } from './document/servers.ts'
import { toolNames } from './operations/names.ts'
import { listOperations, type Refused } from './operations/operations.ts'
import { readSecurity } from './operations/security.ts'
import { selectOperations } from './operations/select.ts'
import { operationTool } from './operations/tool.ts'

/** The operations of one OpenAPI description as tools. */
export default definePlugin({
  name: 'openapi',
  description: 'The HTTP API of an OpenAPI description.',
  config,
  // Whether an API wants a credential is for the API to say.
  isAuthConfigured: () => true,
  createClient: ({ http }) => http,
  tools: [],
  async discover({ config: settings, http, log }) {
    const { apiUrl, allow, deny, maxNameLength, maxAnswerCharacters } = settings
    const document = await readDocument({ document: settings.document, apiUrl, maxBytes: settings.maxDocumentBytes }, http)
    requireApiUrl(apiUrl, document)
    const { operations, refused } = listOperations(document)
    const { selected, unmatched } = selectOperations(operations, { allow, deny })
    const security = readSecurity(document, selected)
    const isAtApi = createIsAtApi(document, apiUrl)
    const names = toolNames(operations, maxNameLength)
    const leftOut: Refused[] = [...refused]
    const tools = selected.flatMap((operation): readonly AnyTool<HttpClient>[] => {
      try {
        return [operationTool(operation, names.get(operation) ?? '', { document, security, isAtApi, maxAnswerCharacters })]
      } catch (error) {
        if (!(error instanceof LeftOut)) throw error
        leftOut.push({ operation: operation.label, reason: error.message })
        return []
      }
    })
    for (const { operation, reason } of leftOut) log.warn('operation_left_out', { operation, reason })
    for (const pattern of unmatched) log.warn('pattern_matches_nothing', { pattern })
    if (tools.length === 0) throw new Error(nothingServed(settings.document, operations.length, leftOut))
    return { tools, credentials: security.credentials }
  },
})

function nothingServed(document: string, described: number, leftOut: readonly Refused[]): string {
  const [first] = leftOut
  if (described === 0 && !first) return `${document} describes no operation`
  const why = first ? `, for example ${first.operation}: ${first.reason}` : '. Look at allow and deny'
  return `None of the ${described} operations of ${document} can be served${why}`
}
