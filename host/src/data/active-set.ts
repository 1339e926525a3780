/**
 * The things that are active now, for what begins and ends with each call. A Set makes a new table every few removals, and a table that
 * grew old keeps those after it until all of memory is collected: 0.4 KB of every call.
 */
export class ActiveSet<Member> {
  readonly #members: ActiveMember<Member>[] = []
  readonly #onEmpty: () => void

  /** `onEmpty` is called when the last one was released. */
  constructor(onEmpty: () => void = () => {}) {
    this.#onEmpty = onEmpty
  }

  get size(): number {
    return this.#members.length
  }

  /** Adds a member, until what this returns is released. */
  add(member: Member): Membership {
    const active = new ActiveMember(this, member, this.#members.length)
    this.#members.push(active)
    return active
  }

  /** The active members, in no order; they may be released meanwhile. */
  [Symbol.iterator](): IterableIterator<Member> {
    return this.#members.map(({ member }) => member).values()
  }

  /** For {@link ActiveMember}: the last one takes the index that becomes free. */
  remove(gone: ActiveMember<Member>): void {
    if (this.#members[gone.index] !== gone) return
    const last = this.#members.pop()
    if (last && last !== gone) {
      this.#members[gone.index] = last
      last.index = gone.index
    }
    if (this.#members.length === 0) this.#onEmpty()
  }
}

/** That one member is active. */
export interface Membership {
  /** Does nothing the second time. */
  release(): void
}

/** An object in place of a closure: each call takes several. */
class ActiveMember<Member> implements Membership {
  readonly member: Member
  index: number
  readonly #set: ActiveSet<Member>

  constructor(set: ActiveSet<Member>, member: Member, index: number) {
    this.#set = set
    this.member = member
    this.index = index
  }

  release(): void {
    this.#set.remove(this)
  }
}
