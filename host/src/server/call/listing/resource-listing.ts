import type { ListedResource } from '@mcp-patchbay/plugin-api'
import { InvalidResult, serialise, type Bounds } from '../../../data/content.ts'
import { isObject } from '../../../data/json.ts'
import { HostError, hostError } from '../../../errors.ts'
import { findResource, type Snapshot, type SnapshotTemplate, type WireResource } from '../../catalog/snapshot.ts'
import type { Caller } from '../../catalog/caller.ts'
import { viewOf } from '../../catalog/view.ts'
import { refusal } from '../../catalog/visibility.ts'
import { asksNothing, useAccount } from '../account/account-layer.ts'
import { hidingCredentials, liveFor } from '../call-credentials.ts'
import { limitRate, observeOther } from '../call-layers.ts'
import { compose } from '../middleware.ts'
import { runIn, type CallTimes } from '../running-call.ts'
import type { CallDeps, Calls, PendingCall } from '../types.ts'

/**
 * The way of `resources/list` behind what is fixed: the templates that say what they stand for, one after the other, a page of one of them
 * in each answer. Who may not see a template is not shown its resources, and what a plugin gives is checked.
 */
export function createListings(deps: CallDeps, times: CallTimes, bounds: () => Bounds): Calls['resources'] {
  const ask = compose<PendingListing, Page>(
    [observeOther(deps, 'resources/list'), ...limitRate<Page>(deps), ...useAccount<Page>(deps, asksNothing)],
    async ({ item, args, caller, io, snapshot }) => {
      const life = { name: item.name, timeoutMs: Math.min(deps.limits().callTimeoutMs, LIST_MS), caller, io }
      const value = await runIn(liveFor(item, caller), life, times, async (running, request) =>
        running.listResources?.(item.localName, args, request),
      )
      const { resources, next } = pageIn(value, item, bounds())
      if (next !== undefined && next === args) throw new InvalidResult('gives the next that it was asked with')
      return { resources: resources.filter(({ uri }) => isListedHere(uri, item, caller, snapshot)), next }
    },
  )

  return async (snapshot, caller, cursor, io) => {
    const sources = sourcesOf(snapshot, caller)
    const from = cursor === undefined ? { index: 0, next: undefined } : positionIn(cursor, sources)
    const fixed = cursor === undefined ? viewOf(snapshot, caller).resources : []
    for (let { index, next } = from; index < sources.length; index++, next = undefined) {
      const item = sources[index] as SnapshotTemplate
      const { uriTemplate: name } = item.wire
      const call: PendingListing = { kind: 'resource', name, item, caller, args: next, io, snapshot, outcome: 'ok' }
      try {
        const page = await hidingCredentials(caller, deps.redact, () => ask(call))
        const following = page.next === undefined ? sources[index + 1] : item
        return {
          resources: [...fixed, ...page.resources],
          ...(following && { nextCursor: cursorOf(following, page.next) }),
        }
      } catch (error) {
        // One list that fails takes none of the others with it.
        if (!(error instanceof HostError) || ENDS.has(error.code)) throw error
        deps.log.warn('resource_list_failed', { plugin: item.plugin.instance, resource: item.name, reason: error.message })
        // What is there is not kept back until several of them are given up: by then the client has given up too.
        const following = sources[index + 1]
        if (error.code === 'CALL_TIMEOUT' && following) return { resources: fixed, nextCursor: cursorOf(following, undefined) }
      }
    }
    return { resources: fixed }
  }
}

interface PendingListing extends PendingCall<SnapshotTemplate> {
  readonly args: string | undefined
  readonly snapshot: Snapshot
}

interface Page {
  readonly resources: readonly WireResource[]
  readonly next: string | undefined
}

function sourcesOf(snapshot: Snapshot, caller: Caller): readonly SnapshotTemplate[] {
  return snapshot.templates.filter((item) => item.surface.lists && refusal(item, caller, snapshot.policy) === undefined)
}

/** What reading finds elsewhere is not listed again where it is fixed, and not at all where this caller may not see it. */
function isListedHere(uri: string, item: SnapshotTemplate, caller: Caller, snapshot: Snapshot): boolean {
  const found = findResource(snapshot, uri)?.item
  if (found === undefined || found === item) return found === item
  return !snapshot.resources.has(uri) && refusal(found, caller, snapshot.policy) === undefined
}

/** It names the template: what a client holds for long means the same, or nothing. */
function cursorOf({ wire }: SnapshotTemplate, next: string | undefined): string {
  return Buffer.from(JSON.stringify([wire.uriTemplate, next])).toString('base64url')
}

function positionIn(
  cursor: string,
  sources: readonly SnapshotTemplate[],
): { readonly index: number; readonly next: string | undefined } {
  const [template, next] = readCursor(cursor)
  const index = sources.findIndex(({ wire }) => wire.uriTemplate === template)
  if (index === -1) throw hostError('CURSOR_UNKNOWN', {})
  return { index, next: typeof next === 'string' ? next : undefined }
}

function readCursor(cursor: string): readonly unknown[] {
  if (cursor.length > MAX_CURSOR * 4) return []
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    return Array.isArray(value) ? (value as readonly unknown[]) : []
  } catch {
    return []
  }
}

/** Throws `InvalidResult` for what is not a page, and for a resource that reading would not find again. */
function pageIn(value: unknown, { match, wire, uris }: SnapshotTemplate, bounds: Bounds): Page {
  const page: unknown = JSON.parse(serialise(value ?? null, 'a page of resources', bounds))
  if (!isObject(page) || !Array.isArray(page['resources']))
    throw new InvalidResult('lists something else than { resources: […], next }')
  const { resources, next } = page
  if (resources.length > MAX_PAGE)
    throw new InvalidResult(`lists ${resources.length} resources at once, and ${MAX_PAGE} are allowed`)
  if (next !== undefined && next !== null && !(typeof next === 'string' && next !== '' && next.length <= MAX_CURSOR))
    throw new InvalidResult(`gives a next that is not a text of at most ${MAX_CURSOR} characters`)
  return {
    resources: resources.map((one: unknown) => {
      if (!isListed(one)) throw new InvalidResult('lists a resource without a uri, or with words that are not text')
      const uri = uris?.mounted(one.uri) ?? one.uri
      if (!match(uri)) throw new InvalidResult('lists a resource whose uri does not fit its template')
      const { name = one.uri, title, description, mimeType = wire['mimeType'] } = one
      return {
        uri,
        name,
        ...(title !== undefined && { title }),
        ...(description !== undefined && { description }),
        ...(typeof mimeType === 'string' && { mimeType }),
      }
    }),
    next: typeof next === 'string' ? next : undefined,
  }
}

function isListed(value: unknown): value is ListedResource {
  if (!isObject(value) || typeof value['uri'] !== 'string') return false
  return ['name', 'title', 'description', 'mimeType'].every((key) => value[key] === undefined || typeof value[key] === 'string')
}

/** They are of the request, and not of one list. */
const ENDS: ReadonlySet<string> = new Set(['CALL_CANCELLED', 'RATE_LIMITED', 'HOST_CLOSING'])
/** Clients wait a minute for their list. */
const LIST_MS = 10_000
const MAX_PAGE = 1_000
/** Of what a plugin gives. */
const MAX_CURSOR = 1_000
