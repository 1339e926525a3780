import { hostError } from '../../../errors.ts'
import { locationOf } from '../../../modules/location.ts'
import type { Admit } from '../../../modules/types.ts'
import { isError, valueOf } from '../../../observability/thrown.ts'
import { createPluginGraph } from '../../source/plugin-graph.ts'
import { importPlugin } from '../../source/import.ts'
import type { Notifications } from './child-notifications.ts'
import { describe } from '../channel/description.ts'
import { writeThrown } from '../channel/error-codec.ts'
import { writeLoaded } from '../channel/loaded-codec.ts'
import type { LoadOrder } from '../channel/messages.ts'
import type { SentMessage } from '../channel/peer.ts'

/** What the host is answered, and what the plugin's module exports: undefined for one that could not be imported. */
export interface Loaded {
  readonly message: SentMessage
  readonly exported: unknown
}

/** Imports the plugin. Never rejects: what was thrown is in the answer. What is imported later is told to the host. */
export async function loadOrdered(order: LoadOrder, notifications: Notifications): Promise<Loaded> {
  const { file, root, label, timeoutMs, approved, isWatching } = order
  const files = new Set<string>()
  const digests = new Map<string, string>()
  let isLoaded = false
  const admit = compareWith(approved, ({ file, digest, once }) => {
    files.add(file)
    // Packages outside are the process's, which ends with its plugin.
    if (isLoaded && !once) notifications.notify('read', { file, digest })
  })
  const graph = createPluginGraph({ warn: () => {} }, admit, { reclaim: 'off', keepsSources: isWatching })
  try {
    const { exported, modules } = await importPlugin({ source: 'path', file, root }, { graph, timeoutMs, label, digests })
    isLoaded = true
    const message = writeLoaded({ description: describe(exported), digests: modules.digests, links: modules.links })
    return { message, exported }
  } catch (error) {
    const location = placeOf(error, new Set([...digests.keys(), ...files]))
    return { message: writeLoaded({ error: writeThrown(error), location, digests }), exported: undefined }
  }
}

/** Notes every file before it runs; in a frozen deployment only those run that the host compared with the lock. */
function compareWith(approved: LoadOrder['approved'], note: Admit): Admit {
  const digests = approved && new Map(approved)
  return (read) => {
    note(read)
    const { file, digest } = read
    if (!digests || digests.get(file) === digest) return
    const problem = digests.has(file) ? 'it changed after it was compared with mcp.lock.json' : 'mcp.lock.json does not cover it'
    throw hostError('PIN_FILE', { file, problem })
  }
}

function placeOf(error: unknown, files: ReadonlySet<string>, depth = 0): unknown {
  if (!isError(error) || depth > 5) return undefined
  return placeOf(valueOf(error, 'cause'), files, depth + 1) ?? locationOf(error, files)
}
