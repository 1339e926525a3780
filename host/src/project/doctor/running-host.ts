import { projectId } from '../../config/project-id.ts'
import type { ResolvedConfig } from '../../config/schema/schema.ts'
import { isObject } from '../../data/json.ts'

/** The host of a project that runs now, as its management listener tells it. */
export interface RunningHost {
  /** Where its management listener is. */
  readonly management: string
  /** Where clients reach it; absent over stdio alone. */
  readonly url?: string
  readonly version: string
}

/** A host on this machine answers at once; another program may never. */
const PATIENCE_MS = 1_000

/** The host that runs from the config file `file`, if the management listener of `config` is its. Never throws. */
export async function runningHost({ listen }: ResolvedConfig, file: string): Promise<RunningHost | undefined> {
  if (!listen.management || listen.management.port === 0) return undefined
  const { host, port } = listen.management
  const management = `http://${reachable(host)}:${port}`
  try {
    const answer = await fetch(`${management}/healthz`, { redirect: 'manual', signal: AbortSignal.timeout(PATIENCE_MS) })
    const about: unknown = await answer.json()
    if (!isObject(about) || about['project'] !== projectId(file)) return undefined
    const { url, version } = about
    return { management, ...(typeof url === 'string' && { url }), version: String(version) }
  } catch {
    return undefined
  }
}

/** Whoever listens on every address is reached on loopback. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}
