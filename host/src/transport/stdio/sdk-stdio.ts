import { parseJSONRPCMessage } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import type { Logger } from '@mcp-patchbay/plugin-api'
import type { ChangeNotifier } from '../../server/catalog/change-notifier.ts'
import type { HostServerFactory } from '../../server/mcp/mcp-server.ts'
import type { LineTransport } from './line-transport.ts'

export interface SdkStdioOptions {
  /** Started already; what came for the SDK waits in it. */
  readonly transport: LineTransport
  readonly factory: HostServerFactory
  readonly notifier: ChangeNotifier
  readonly log: Logger
}

/** What the fast path hands off on stdio. The SDK decides by the first message which era the connection is of. */
export function serveBySdk({ transport, factory, notifier, log }: SdkStdioOptions): { readonly close: () => Promise<void> } {
  transport.parse = parseJSONRPCMessage
  return serveStdio(
    (request) => {
      const mcp = factory({ ...request, authInfo: transport.authInfo })
      mcp.onClosed(notifier.add(mcp))
      return mcp
    },
    { transport, onerror: (error) => log.debug('mcp_error', { transport: 'stdio', error }) },
  )
}
