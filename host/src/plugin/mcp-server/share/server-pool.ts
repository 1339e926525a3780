import type { ClientCapabilities, PriorDiscovery } from '@modelcontextprotocol/client'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { pause } from '../../../data/async.ts'
import { isObject } from '../../../data/json.ts'
import { HostError, hostError } from '../../../errors.ts'
import { orAborted } from '../../../network/resilience/abort.ts'
import { messageOf } from '../../../observability/thrown.ts'
import { createBackoff } from '../../isolate/backoff.ts'
import { isLack } from '../../isolate/spawn.ts'
import type { ClientLogLevel } from '../../run/running.ts'
import {
  ConnectFailed,
  connectServer,
  type Fields,
  type OpenedTransport,
  type Sdk,
  type ServerConnection,
} from '../connect/server-connection.ts'
import { readOffer, type ServerOffer } from '../connect/server-offer.ts'
import { createRelisting } from './relisting.ts'

/** A call that runs at a server, for what the server says meanwhile. */
export interface OpenCall {
  /** It has a question that its caller has not answered. */
  readonly isAsking: boolean
  /** Has the caller answer a question of the server. */
  ask(method: string, params: Fields, signal: AbortSignal): Promise<Fields>
  log(level: ClientLogLevel, data: unknown): void
}

/** One connection of a pool while it is used. */
export interface Lease {
  readonly connection: ServerConnection
  /** What the server offers on this connection; undefined where that was not asked. */
  readonly offer: ServerOffer | undefined
  readonly calls: Set<OpenCall>
  /** To be called once. */
  release(): void
}

/** Who asks for a connection: equal keys share one, and no other. */
export interface Asking {
  readonly key: string
  /** What the server is told that its clients can do. */
  readonly capabilities: ClientCapabilities
}

/** The connections to one server as one entry describes it, for all versions that describe it alike. */
export interface ServerPool extends AsyncDisposable {
  /** It serves no call any more, and why: it ended too often. */
  readonly failure: HostError | undefined
  /** Processes or connections that are open. */
  readonly size: number
  /** What the server offers as far as is known now. */
  readonly known: ServerOffer | undefined
  /** What the server offers; connects to it unless that is known. Rejects with `SERVER_CONNECT`. */
  offer(signal: AbortSignal): Promise<ServerOffer>
  /** A connection for `asking`. Rejects with `SERVER_BUSY`, `SERVER_CONNECT`, `PLUGIN_CRASHED`, and the reason of `signal`. */
  lease(asking: Asking, signal: AbortSignal): Promise<Lease>
  /** Has the server tell when a resource changes, as long as it can. */
  follow(uri: string): void
  /** Ends a connection that is not what it should be; the next call opens another. */
  drop(lease: Lease, why: string): void
}

export interface PoolOptions {
  readonly instance: string
  /** One connection serves all callers. */
  readonly isShared: boolean
  /** It runs elsewhere: that it cannot be reached is not a fault that repeating makes worse. */
  readonly isRemote: boolean
  /** Rejects when what would be started is not what may be. */
  readonly verify: () => Promise<void>
  readonly open: (asking: Asking, sdk: Sdk) => OpenedTransport
  readonly openOlder?: (asking: Asking, sdk: Sdk) => OpenedTransport
  /** For reading what it offers: a server may offer more to a client that can do more. */
  readonly listingAs: Asking
  /** Told to a server that asks for roots; undefined leaves that to the caller. */
  readonly roots: readonly { readonly uri: string; readonly name: string }[] | undefined
  /** Connections for callers, besides the one that what it offers is read by. */
  readonly max: number
  /** A connection that nothing uses for so long is closed; 0 never. */
  readonly idleMs: () => number
  readonly timeoutMs: number
  readonly log: Logger
  readonly now: () => number
  readonly random: () => number
  /** From an earlier start, to be taken without connecting. */
  readonly kept: KeptOffer | undefined
  readonly onKnown: (known: KeptOffer) => void
  /** What it offers is not what it offered. */
  readonly onChanged: () => void
  readonly onResourceChanged: (uri: string) => void
  readonly onRestarted: () => void
  readonly onFailed: () => void
}

/** What is known of a server without connecting to it. */
export interface KeptOffer {
  readonly offer: ServerOffer
  readonly prior: PriorDiscovery
}

interface Member {
  readonly key: string
  readonly opening: Promise<OpenMember>
  open: OpenMember | undefined
  users: number
  /** Closed on purpose: its end is not a fault. */
  isLeaving: boolean
  idle: NodeJS.Timeout | undefined
  releasedAt: number
}

interface OpenMember {
  readonly connection: ServerConnection
  readonly calls: Set<OpenCall>
  offer: ServerOffer | undefined
}

export function createServerPool(options: PoolOptions): ServerPool {
  const { instance, isShared, isRemote, listingAs, log, now, random, max } = options
  const backoff = createBackoff({ now, random })
  const life = new AbortController()
  const members = new Map<string, Member>()
  const ending = new Set<Promise<void>>()
  const followed = new Set<string>()
  let known = options.kept
  let failure: HostError | undefined
  /** No connection is opened before, on the clock of `now`. */
  let notBefore = 0

  function add(asking: Asking): Member {
    const opening = open(asking)
    const member: Member = {
      key: asking.key,
      opening,
      open: undefined,
      users: 0,
      isLeaving: false,
      idle: undefined,
      releasedAt: now(),
    }
    members.set(asking.key, member)
    opening.then(
      (opened) => {
        member.open = opened
        if (member.users === 0) rest(member)
        void opened.connection.closed.then((why) => onClosed(member, why, opened.connection.tail()))
      },
      () => forget(member),
    )
    return member
  }

  async function open(asking: Asking): Promise<OpenMember> {
    const waitMs = notBefore - now()
    if (waitMs > 0) await pause(waitMs, life.signal)
    if (failure) throw failure
    await verify()
    life.signal.throwIfAborted()
    const calls = new Set<OpenCall>()
    const isListing = asking.key === listingAs.key
    try {
      const connection = await connectServer({
        open: (sdk) => options.open(asking, sdk),
        openOlder: options.openOlder && ((sdk) => options.openOlder?.(asking, sdk) ?? options.open(asking, sdk)),
        capabilities: asking.capabilities,
        prior: known?.prior,
        timeoutMs: options.timeoutMs,
        signal: life.signal,
        log,
        onQuestion: (method, params, signal) => answer(calls, { method, params, signal }),
        onNotification: (method, params) => hear(calls, method, params),
      })
      const opened: OpenMember = { connection, calls, offer: undefined }
      try {
        await prepare(opened, isListing)
      } catch (error) {
        await connection.close()
        throw error
      }
      return opened
    } catch (error) {
      if (life.signal.aborted) throw error
      const why = error instanceof ConnectFailed ? error.message : messageOf(error)
      const output = error instanceof ConnectFailed ? error.output : ''
      note(why, error instanceof ConnectFailed && isLack(error.cause))
      throw hostError('SERVER_CONNECT', { plugin: instance, problem: why, output, fix: fixesFor(options, why) }, error)
    }
  }

  async function verify(): Promise<void> {
    try {
      await options.verify()
    } catch (error) {
      // It is not a fault of the process: no other attempt has another end.
      failure =
        error instanceof HostError
          ? error
          : hostError('SERVER_CONNECT', { plugin: instance, problem: messageOf(error), output: '', fix: [] }, error)
      options.onFailed()
      throw failure
    }
  }

  /** What a connection does before its first call: which offer its calls are made against, and what it is to tell. */
  async function prepare(opened: OpenMember, isListing: boolean): Promise<void> {
    const { connection } = opened
    const { capabilities, era } = connection
    if (isListing) {
      const offer = await readOffer(connection, life.signal, options.timeoutMs)
      opened.offer = settle(offer, connection.prior)
    }
    if (era === 'legacy' && capabilities['logging'] !== undefined)
      await quietly(
        connection.request('logging/setLevel', { level: 'info' }, { signal: life.signal, timeoutMs: options.timeoutMs }),
      )
    if (isListing && isRemote && !saysChanges(capabilities)) relisting.lookAgain()
    if (era === 'modern' && isListing)
      await quietly(connection.listen({ toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true }))
    if (!isListing) return
    const listed = (opened.offer?.resources ?? []).flatMap(({ uri }) => (typeof uri === 'string' ? [uri] : []))
    // Which of them a client of 2026-07-28 follows only the SDK knows.
    await quietly(followAt(connection, new Set([...listed.slice(0, MOST_LISTED_FOLLOWED), ...followed])))
  }

  async function followAt({ capabilities, era, ...connection }: ServerConnection, uris: Iterable<string>): Promise<void> {
    const { resources } = capabilities
    const all = [...uris]
    if (all.length === 0 || !isObject(resources) || resources['subscribe'] !== true) return
    if (era === 'modern') return connection.listen({ resourceSubscriptions: all })
    const within = { signal: life.signal, timeoutMs: options.timeoutMs }
    await Promise.all(all.map((uri) => connection.request('resources/subscribe', { uri }, within)))
  }

  function quietly(work: Promise<unknown>): Promise<unknown> {
    return work.catch((error: unknown) => log.debug('server_refused', { error }))
  }

  /** The same object as long as it says the same, so that a version knows its own. */
  function settle(offer: ServerOffer, prior: PriorDiscovery): ServerOffer {
    const isSame = known !== undefined && JSON.stringify(known.offer) === JSON.stringify(offer)
    const before = known
    known = { offer: isSame && known ? known.offer : offer, prior }
    options.onKnown(known)
    if (before && !isSame) options.onChanged()
    return known.offer
  }

  const relisting = createRelisting({
    signal: life.signal,
    async relist() {
      const listing = members.get(listingAs.key)
      // Without a connection the next one reads it anyway.
      const opened = listing?.open ?? (isShared ? undefined : await use(listingAs).opening)
      if (!opened) return
      opened.offer = settle(await readOffer(opened.connection, life.signal, options.timeoutMs), opened.connection.prior)
    },
    onFailed: (error) => log.warn('server_not_listed', { error }),
  })

  function hear(calls: ReadonlySet<OpenCall>, method: string, params: Fields): void {
    if (method === 'notifications/resources/updated' && typeof params['uri'] === 'string')
      options.onResourceChanged(params['uri'])
    else if (/^notifications\/(?:tools|prompts|resources)\/list_changed$/.test(method)) relisting.ask()
    else if (method === 'notifications/message') {
      const level = clientLevel(params['level'])
      const data = params['data']
      // A line does not say which call it is of.
      if (calls.size === 1 || (!isShared && calls.size > 0)) for (const call of [...calls].slice(-1)) call.log(level, data)
      else log.debug('server_log', { severity: level, data })
    }
  }

  async function answer(
    calls: ReadonlySet<OpenCall>,
    { method, params, signal }: { readonly method: string; readonly params: Fields; readonly signal: AbortSignal },
  ): Promise<Fields> {
    if (method === 'roots/list' && options.roots) return { roots: options.roots }
    // It does not say which call it asks for: all of them are the same caller's.
    const call = isShared ? undefined : ([...calls].findLast(({ isAsking }) => !isAsking) ?? [...calls].at(-1))
    if (!call || !ASKED.has(method)) throw Object.assign(new Error('Method not found'), { code: METHOD_NOT_FOUND })
    return call.ask(method, params, signal)
  }

  function use(asking: Asking): Member {
    const found = members.get(asking.key)
    if (found) return found
    if (isShared || asking.key !== listingAs.key) makeRoom()
    return add(asking)
  }

  function makeRoom(): void {
    const ofCallers = [...members.values()].filter(({ key }) => isShared || key !== listingAs.key)
    if (ofCallers.length < max) return
    const [oldest] = ofCallers.filter(({ users, open: opened }) => users === 0 && opened).toSorted(byRelease)
    if (!oldest) throw hostError('SERVER_BUSY', { plugin: instance, max })
    leave(oldest, 'another caller needs its place')
  }

  /** Nothing uses it: it is closed after a while. */
  function rest(member: Member): void {
    member.releasedAt = now()
    const idleMs = options.idleMs()
    clearTimeout(member.idle)
    if (idleMs > 0) member.idle = setTimeout(() => leave(member, 'nothing used it'), idleMs).unref()
  }

  function leave(member: Member, why: string): void {
    member.isLeaving = true
    forget(member)
    const end = member.opening
      .then(({ connection }) => connection.close(why))
      .catch((error: unknown) => log.debug('server_not_closed', { error }))
    ending.add(end)
    void end.finally(() => ending.delete(end))
    log.debug('server_closed', { reason: why })
  }

  function forget(member: Member): void {
    clearTimeout(member.idle)
    if (members.get(member.key) === member) members.delete(member.key)
  }

  function onClosed(member: Member, why: string, output: string): void {
    if (member.isLeaving || life.signal.aborted) return
    forget(member)
    log.warn('plugin_exited', { reason: why, output: output.slice(-LOGGED_OUTPUT) })
    note(why, false)
    if (!isShared || isRemote || failure) return
    // Whoever calls next should not have to wait for it.
    add(listingAs).opening.then(
      () => {
        log.info('plugin_restarted')
        options.onRestarted()
      },
      (error: unknown) => log.warn('plugin_restart_failed', { error }),
    )
  }

  function note(why: string, isLacking: boolean): void {
    const waitMs = isLacking || isRemote ? backoff.lacked() : backoff.exited()
    if (waitMs === undefined) {
      failure = hostError('PLUGIN_CRASHED', { plugin: instance, why })
      options.onFailed()
    } else notBefore = now() + waitMs
  }

  return {
    get failure() {
      return failure
    },
    get size() {
      return members.size
    },
    get known() {
      return known?.offer
    },
    async offer(signal) {
      if (known) return known.offer
      const { offer } = await orAborted(use(listingAs).opening, signal)
      if (!offer) throw new Error('A connection was listed without an offer')
      return offer
    },
    async lease(asking, signal) {
      if (failure) throw failure
      const member = use(asking)
      member.users += 1
      clearTimeout(member.idle)
      let isReleased = false
      const release = () => {
        if (isReleased) return
        isReleased = true
        member.users -= 1
        if (member.users === 0 && member.open && members.get(member.key) === member) rest(member)
      }
      try {
        const opened = member.open ?? (await orAborted(member.opening, signal))
        return {
          connection: opened.connection,
          get offer() {
            return opened.offer
          },
          calls: opened.calls,
          release,
        }
      } catch (error) {
        release()
        throw error
      }
    },
    follow(uri) {
      if (followed.size >= MOST_FOLLOWED || followed.has(uri)) return
      followed.add(uri)
      const opened = members.get(listingAs.key)?.open
      if (opened) void quietly(followAt(opened.connection, [uri]))
    },
    drop({ connection }, why) {
      const member = [...members.values()].find(({ open: opened }) => opened?.connection === connection)
      if (member) leave(member, why)
    },
    async [Symbol.asyncDispose]() {
      life.abort(new Error(`Plugin "${instance}" was disposed`))
      for (const member of members.values()) leave(member, 'its plugin was disposed')
      await Promise.all(ending)
    },
  }
}

/** What a server of 2025 may ask its client for. */
const ASKED: ReadonlySet<string> = new Set(['elicitation/create', 'sampling/createMessage', 'roots/list'])
const METHOD_NOT_FOUND = -32_601
const LOGGED_OUTPUT = 2_000
const MOST_FOLLOWED = 1_000
const MOST_LISTED_FOLLOWED = 100

/** Whether a server tells of changes of its tools by itself. */
function saysChanges({ tools }: Fields): boolean {
  return isObject(tools) && tools['listChanged'] === true
}

function byRelease(one: Member, other: Member): number {
  return one.releasedAt - other.releasedAt
}

/** The levels of the protocol are eight, and a plugin has four. */
function clientLevel(level: unknown): ClientLogLevel {
  if (level === 'debug' || level === 'info' || level === 'warning') return level
  return level === 'notice' ? 'info' : 'error'
}

function fixesFor({ instance, isRemote }: PoolOptions, why: string): readonly string[] {
  if (isRemote)
    return ['Open its address in a browser or with curl, and see that it answers', `Check use of the entry "${instance}"`]
  if (/does not exist|may not be executed/.test(why))
    return ['Install the program, or give its whole path as the first word of command', 'Its folder is that of the config file']
  return [
    'Search the log for plugin_output at level debug: it has what the server printed',
    'A server from npm may read its own folder and nothing else: grant what it needs in capabilities of its entry',
    `It gets no variables but those of env of the entry "${instance}"`,
  ]
}
