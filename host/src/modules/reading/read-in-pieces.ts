import { setImmediate as turn } from 'node:timers/promises'
import { ownModule } from '../own-modules.ts'

/**
 * The MCP SDK as it stands in the bundle, each piece before those that import it: read in one, it holds the event loop for 40 ms, while
 * clients wait. `scripts/bundle.mjs` decides what is in them.
 */
export const SDK_PIECES = {
  server: ['sdk-zod', 'sdk-schemas', 'sdk-server-checks', 'sdk-server-protocol', 'sdk-server'],
  client: ['sdk-zod', 'sdk-schemas', 'sdk-client-checks', 'sdk-client-protocol'],
} as const satisfies Readonly<Record<string, readonly string[]>>

/** Reads one side of the SDK, so that requests have their turn after each piece. Does nothing where the host runs from its source. */
export async function readInPieces(side: keyof typeof SDK_PIECES): Promise<void> {
  for (const name of SDK_PIECES[side]) {
    const url = ownModule(`chunks/${name}`)
    if (!url.endsWith('.js')) return
    await import(url)
    await turn()
  }
}
