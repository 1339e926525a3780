import { isObject } from '../../../data/json.ts'
import type { Fields, ServerConnection } from './types.ts'

/** What a server says that it offers, as it said it. */
export interface ServerOffer {
  /** What the server calls itself; '' where it does not say. */
  readonly name?: string
  readonly tools: readonly Fields[]
  readonly resources: readonly Fields[]
  readonly templates: readonly Fields[]
  readonly prompts: readonly Fields[]
  /** It answers `completion/complete`. */
  readonly completes: boolean
  /** Lists that it says it has, and answers with an error. */
  readonly unlisted?: readonly UnlistedItems[]
  /** Lists that are longer than a host can hold: what is behind is not served. */
  readonly cut?: readonly CutList[]
}

export interface UnlistedItems {
  readonly kind: 'resource' | 'prompt'
  readonly method: string
  readonly problem: string
}

export interface CutList {
  readonly kind: 'tool' | 'resource' | 'prompt'
  readonly method: string
  /** How many of it are served. */
  readonly kept: number
}

/** Of each list. */
const MOST_ITEMS = 10_000
const MOST_PAGES = 1_000

/**
 * Reads all lists of a server, page by page. Rejects as its requests do; a list that it does not have is empty. So is one of resources or
 * prompts that it cannot give now: its tools need none of them, and a database that is away takes its resources with it.
 */
export async function readOffer(connection: ServerConnection, signal: AbortSignal, timeoutMs: number): Promise<ServerOffer> {
  const { capabilities } = connection
  const cut: CutList[] = []

  async function pages(capability: string, method: string, key: string): Promise<readonly Fields[]> {
    if (!isObject(capabilities[capability])) return []
    const items: Fields[] = []
    let cursor: unknown
    const seen = new Set<unknown>()
    for (let page = 0; page < MOST_PAGES; page++) {
      const result = await connection.request(method, typeof cursor === 'string' ? { cursor } : {}, {
        until: { signal },
        timeoutMs,
      })
      const list = result[key]
      for (const item of Array.isArray(list) ? (list as readonly unknown[]) : []) if (isObject(item)) items.push(item)
      if (items.length > MOST_ITEMS) {
        cut.push({ kind: KINDS[key] ?? 'resource', method, kept: MOST_ITEMS })
        return items.slice(0, MOST_ITEMS)
      }
      cursor = result['nextCursor']
      // A server that gives the same page again has no more.
      if (typeof cursor !== 'string' || seen.has(cursor)) return items
      seen.add(cursor)
    }
    cut.push({ kind: KINDS[key] ?? 'resource', method, kept: items.length })
    return items
  }

  const unlisted: UnlistedItems[] = []
  const others = async (kind: UnlistedItems['kind'], ...[capability, method, key]: Parameters<typeof pages>) => {
    try {
      return await pages(capability, method, key)
    } catch (error) {
      // A number is the server's own answer; what ends the connection has a word for a code.
      if (!(error instanceof Error && 'code' in error && typeof error.code === 'number')) throw error
      if (error.code !== METHOD_NOT_FOUND) unlisted.push({ kind, method, problem: error.message.slice(0, 500) })
      return []
    }
  }
  const [tools, resources, templates, prompts] = [
    await pages('tools', 'tools/list', 'tools'),
    await others('resource', 'resources', 'resources/list', 'resources'),
    // Many servers with resources have no templates, and no method to list them either.
    await others('resource', 'resources', 'resources/templates/list', 'resourceTemplates'),
    await others('prompt', 'prompts', 'prompts/list', 'prompts'),
  ]
  const completes = isObject(capabilities['completions'])
  return {
    name: connection.server?.name ?? '',
    tools,
    resources,
    templates,
    prompts,
    completes,
    ...(unlisted.length > 0 && { unlisted }),
    ...(cut.length > 0 && { cut }),
  }
}

const KINDS: Readonly<Record<string, CutList['kind']>> = { tools: 'tool', prompts: 'prompt' }
const METHOD_NOT_FOUND = -32_601
