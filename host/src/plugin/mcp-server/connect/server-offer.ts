import { isObject } from '../../../data/json.ts'
import type { Fields, ServerConnection } from './server-connection.ts'

/** What a server says that it offers, as it said it. */
export interface ServerOffer {
  readonly tools: readonly Fields[]
  readonly resources: readonly Fields[]
  readonly templates: readonly Fields[]
  readonly prompts: readonly Fields[]
  /** It answers `completion/complete`. */
  readonly completes: boolean
  /** Its lists were longer than a host can hold; what is behind is not served. */
  readonly isCut: boolean
}

/** Of each list. */
const MOST_ITEMS = 10_000
const MOST_PAGES = 1_000

/** Reads all lists of a server, page by page. Rejects as its requests do; a list it does not have is empty. */
export async function readOffer(connection: ServerConnection, signal: AbortSignal, timeoutMs: number): Promise<ServerOffer> {
  const { capabilities } = connection
  let isCut = false

  async function pages(capability: string, method: string, key: string): Promise<readonly Fields[]> {
    if (!isObject(capabilities[capability])) return []
    const items: Fields[] = []
    let cursor: unknown
    const seen = new Set<unknown>()
    for (let page = 0; page < MOST_PAGES; page++) {
      const result = await connection.request(method, typeof cursor === 'string' ? { cursor } : {}, { signal, timeoutMs })
      const list = result[key]
      for (const item of Array.isArray(list) ? (list as readonly unknown[]) : []) if (isObject(item)) items.push(item)
      if (items.length > MOST_ITEMS) {
        isCut = true
        return items.slice(0, MOST_ITEMS)
      }
      cursor = result['nextCursor']
      // A server that gives the same page for ever has no more.
      if (typeof cursor !== 'string' || seen.has(cursor)) return items
      seen.add(cursor)
    }
    isCut = true
    return items
  }

  const [tools, resources, templates, prompts] = [
    await pages('tools', 'tools/list', 'tools'),
    await pages('resources', 'resources/list', 'resources'),
    await optional(() => pages('resources', 'resources/templates/list', 'resourceTemplates')),
    await pages('prompts', 'prompts/list', 'prompts'),
  ]
  return { tools, resources, templates, prompts, completes: isObject(capabilities['completions']), isCut }
}

/** Many servers with resources have no templates, and no method to list them either. */
async function optional(read: () => Promise<readonly Fields[]>): Promise<readonly Fields[]> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === METHOD_NOT_FOUND) return []
    throw error
  }
}

const METHOD_NOT_FOUND = -32_601
