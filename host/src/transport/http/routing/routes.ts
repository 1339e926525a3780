import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ResourceMetadata } from '../../../auth/inbound/metadata.ts'
import { parseAddress } from '../../../data/address.ts'
import type { OpenAnswer } from '../open-responses.ts'
import { sendJson } from '../respond.ts'

/** Answers a request, at once or in time. */
export type Handle = (req: IncomingMessage, res: ServerResponse, answer: OpenAnswer) => Promise<void> | void

export interface Route {
  readonly methods: ReadonlyMap<string, Handle>
  /** As the header `Allow` has them. */
  readonly allow: string
}

export function route(methods: Readonly<Record<string, Handle>>): Route {
  return { methods: new Map(Object.entries(methods)), allow: Object.keys(methods).join(', ') }
}

/** What everybody may read. */
export function page(json: string, headers?: Readonly<Record<string, string>>): Route {
  const read: Handle = (_req, res) => sendJson(res, 200, json, headers)
  return route({ GET: read, HEAD: read })
}

/** What finds the route of a path: one that is there as it stands, a view by address, or the metadata of one. */
export function createRouter(
  routes: ReadonlyMap<string, Route>,
  metadata: ResourceMetadata | undefined,
  more: (path: string) => Route | undefined = () => undefined,
): (path: string) => Route | undefined {
  return (path) => {
    const found = routes.get(path) ?? more(path)
    if (found) return found
    const address = parseAddress(path)
    if (address) return routes.get(address.base)
    const document = metadata?.documentAt(path)
    return document === undefined ? undefined : page(document, { 'cache-control': 'max-age=300' })
  }
}

export function pathOf(target = ''): string {
  const query = target.indexOf('?')
  return query === -1 ? target : target.slice(0, query)
}
