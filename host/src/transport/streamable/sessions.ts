/** Something a client opened and comes back to. */
export interface Session {
  readonly id: string
  /** The principal that opened it; no other one finds it. */
  readonly owner: string
  /** What was asked for by the address it was opened at (`/readonly`): it is found at no other. */
  readonly view: string
  /** Has a request in it or a stream open, so that closing it would be noticed. */
  readonly isBusy: boolean
  close(): Promise<void>
}

export interface SessionLimits {
  readonly max: number
  /** Default: half of `max`, so that one caller cannot have all of them. */
  readonly maxPerOwner?: number | undefined
  /** Closed when it was not used for so long and is not busy. Milliseconds. */
  readonly idleMs: number
  readonly now: () => number
}

/**
 * The open sessions, bounded. When there are too many, the one that is idle longest makes room: of the same owner first, else of the
 * owner that has the most, so that a flood of one caller ends the flood's own. A busy session is never ended for another.
 */
export class Sessions<Kind extends Session> {
  readonly #limits: SessionLimits
  readonly #byId = new Map<string, Used<Kind>>()
  readonly #byOwner = new Map<string, Map<string, Used<Kind>>>()
  #uses = 0

  constructor(limits: SessionLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#byId.size
  }

  *[Symbol.iterator](): IterableIterator<Kind> {
    for (const { session } of this.#byId.values()) yield session
  }

  /** Whether `owner` may open one more; ends an idle one for it where that is needed. */
  makeRoom(owner: string): boolean {
    const { max, maxPerOwner = Math.ceil(max / 2) } = this.#limits
    const own = this.#byOwner.get(owner)
    if (own && own.size >= maxPerOwner) return this.#evictIdle(own)
    if (this.#byId.size < max) return true
    return (own !== undefined && this.#evictIdle(own)) || this.#evictIdle(this.#largest())
  }

  add(session: Kind): void {
    const used = { session, at: this.#limits.now(), use: ++this.#uses }
    this.#byId.set(session.id, used)
    const own = this.#byOwner.get(session.owner)
    if (own) own.set(session.id, used)
    else this.#byOwner.set(session.owner, new Map([[session.id, used]]))
  }

  /** The session, now used; undefined for one that does not exist, is over, or belongs to another principal: the three look alike. */
  find(id: string, owner: string, view = ''): Kind | undefined {
    const used = this.#byId.get(id)
    if (!used || used.session.owner !== owner || used.session.view !== view || this.#isOver(used)) return undefined
    used.at = this.#limits.now()
    used.use = ++this.#uses
    return used.session
  }

  /** Forgets it. Returns whether it was there. */
  delete(id: string): boolean {
    const used = this.#byId.get(id)
    if (!used) return false
    this.#byId.delete(id)
    const { owner } = used.session
    const own = this.#byOwner.get(owner)
    own?.delete(id)
    if (own?.size === 0) this.#byOwner.delete(owner)
    return true
  }

  /** Closes what was idle for too long; to be called now and then. */
  sweep(): void {
    for (const used of this.#byId.values()) if (this.#isOver(used)) this.#end(used.session)
  }

  async closeAll(): Promise<void> {
    const open = [...this]
    for (const { id } of open) this.delete(id)
    await Promise.all(open.map((session) => session.close()))
  }

  #isOver({ session, at }: Used<Kind>): boolean {
    return !session.isBusy && this.#limits.now() - at > this.#limits.idleMs
  }

  #evictIdle(sessions: ReadonlyMap<string, Used<Kind>>): boolean {
    let oldest: Used<Kind> | undefined
    for (const used of sessions.values()) if (!used.session.isBusy && (!oldest || used.use < oldest.use)) oldest = used
    if (oldest) this.#end(oldest.session)
    return oldest !== undefined
  }

  #largest(): ReadonlyMap<string, Used<Kind>> {
    let largest: ReadonlyMap<string, Used<Kind>> = new Map()
    for (const own of this.#byOwner.values()) if (own.size > largest.size) largest = own
    return largest
  }

  #end(session: Kind): void {
    this.delete(session.id)
    void session.close()
  }
}

interface Used<Kind> {
  readonly session: Kind
  at: number
  /** The count of uses when it was last used. Not their order in a Map, which each call would delete it from and add it to. */
  use: number
}
