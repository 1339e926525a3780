import { pause } from '../../../data/async.ts'
import { HostError, hostError } from '../../../errors.ts'
import { orAborted } from '../../../network/resilience/abort.ts'
import { messageOf } from '../../../observability/thrown.ts'
import { createBackoff } from '../../isolate/backoff.ts'
import { isLack } from '../../isolate/spawn.ts'
import { ConnectFailed, connectServer } from '../connect/server-connection.ts'
import { fixesFor } from './connect-fixes.ts'
import { createListedOffer, type OpenMember } from './listed-offer.ts'
import { createServerMessages } from './server-messages.ts'
import { OpenCalls } from './open-calls.ts'
import type { Asking, PoolOptions, ServerPool } from './types.ts'

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

export function createServerPool(options: PoolOptions): ServerPool {
  const { instance, isShared, isRemote, listingAs, log, now, random, max } = options
  const backoff = createBackoff({ now, random })
  const life = new AbortController()
  const members = new Map<string, Member>()
  const ending = new Set<Promise<void>>()
  const listed = createListedOffer({
    ...options,
    signal: life.signal,
    async listing() {
      const member = members.get(listingAs.key)
      return member?.open ?? (isShared ? undefined : use(listingAs).opening)
    },
  })
  const messages = createServerMessages({ ...options, onListChanged: () => listed.relist() })
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
    const calls = new OpenCalls()
    const isListing = asking.key === listingAs.key
    try {
      const connection = await connectServer({
        open: (sdk) => options.open(asking, sdk),
        openOlder: options.openOlder && ((sdk) => options.openOlder?.(asking, sdk) ?? options.open(asking, sdk)),
        capabilities: asking.capabilities,
        prior: listed.known?.prior,
        timeoutMs: options.timeoutMs,
        signal: life.signal,
        log,
        onQuestion: (method, params, signal) => messages.answer(calls, { method, params, signal }),
        onNotification: (method, params) => messages.hear(calls, method, params),
      })
      const opened: OpenMember = { connection, calls, offer: undefined }
      try {
        await listed.prepare(opened, isListing)
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
      return listed.known?.offer
    },
    async offer(signal) {
      if (listed.known) return listed.known.offer
      const { offer } = await orAborted(use(listingAs).opening, signal)
      if (!offer) throw new Error('A connection was listed without an offer')
      return offer
    },
    async lease(asking, until) {
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
        const opened = member.open ?? (await orAborted(member.opening, until.signal))
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
    follow: (uri) => listed.follow(uri, members.get(listingAs.key)?.open),
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

const LOGGED_OUTPUT = 2_000

function byRelease(one: Member, other: Member): number {
  return one.releasedAt - other.releasedAt
}
