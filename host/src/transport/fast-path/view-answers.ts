import { LRUCache } from 'lru-cache'
import { isObject } from '../../data/json.ts'
import type { Caller } from '../../server/catalog/caller.ts'
import type { Registry } from '../../server/catalog/registry.ts'
import { viewOf, type View } from '../../server/catalog/view.ts'
import { listJson, prepared, type PreparedJson } from '../../server/mcp/result-json.ts'
import { MODERN, viewAt, type Revision } from '../../server/mcp/revisions.ts'
import { isSameForLegacy } from './plain-tool.ts'
import { clientOf, isPlainClient, modernRequest, type HotRequest } from './recognise.ts'

/** The answers of methods that only read, and the clients that the SDK has accepted. */
export interface ViewAnswers {
  readonly isKnownClient: (request: HotRequest, revision: Revision) => boolean
  /** The answer of a method that only reads: it belongs to a view, and is prepared with it. Undefined when it is the SDK's to give. */
  readonly prepare: (request: HotRequest, caller: Caller, revision: Revision) => PreparedJson | undefined
  /** The SDK answered this message of 2026-07-28 with `answer`. */
  readonly learn: (caller: Caller, message: unknown, answer: string) => void
}

export function createViewAnswers(registry: Registry): ViewAnswers {
  const clients = new LRUCache<string, true>({ max: MAX_CLIENTS })
  const discoveries = new WeakMap<View, PreparedJson>()
  /** What the client of a `server/discover` saw that the SDK is answering now. */
  const asked = new WeakMap<object, View>()

  return { isKnownClient, prepare, learn }

  /** One of a 2025 revision was checked when it connected. */
  function isKnownClient(request: HotRequest, revision: Revision): boolean {
    if (revision !== MODERN || isPlainClient(request)) return true
    const client = clientOf(request)
    return client !== undefined && clients.has(client)
  }

  function prepare(request: HotRequest, caller: Caller, revision: Revision): PreparedJson | undefined {
    const { method, params, message } = request
    const isLegacy = revision !== MODERN
    const isKnown = isKnownClient(request, revision)
    if (!isKnown && method !== 'server/discover') return undefined
    if (method === 'ping') return isLegacy ? EMPTY : undefined
    const view = viewAt(viewOf(registry.current, caller), revision)
    if (method === 'tools/list') {
      if (params['cursor'] !== undefined || (isLegacy && !isSameForLegacy(view))) return undefined
      return listJson(view, revision)
    }
    if (isLegacy) return undefined
    const known = isKnown ? discoveries.get(view) : undefined
    if (!known) asked.set(message, view)
    return known
  }

  function learn(caller: Caller, message: unknown, answer: string): void {
    const request = modernRequest(message)
    if (!request || !isObject(message)) return
    const client = clientOf(request)
    if (client !== undefined) clients.set(client, true)
    const view = asked.get(message)
    // Published meanwhile: it cannot be told which of the two views the answer is of.
    if (!view || view !== viewOf(registry.current, caller)) return
    const parsed: unknown = JSON.parse(answer)
    if (isObject(parsed) && isObject(parsed['result'])) discoveries.set(view, prepared(JSON.stringify(parsed['result'])))
  }
}

/** Clients that differ in name, version or capabilities; each that is not plain costs one request to the SDK. */
const MAX_CLIENTS = 256

const EMPTY = prepared('{}')
