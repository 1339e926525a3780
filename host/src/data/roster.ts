/**
 * Who is here now, for what comes and goes with each call. A Set makes itself a new table every few times that something leaves it, and
 * a table that grew old keeps those after it until all of memory is collected: 0.4 KB of every call.
 */
export class Roster<Member> {
  readonly #places: Place<Member>[] = []
  readonly #onEmpty: () => void

  /** `onEmpty` is called when the last one has left. */
  constructor(onEmpty: () => void = () => {}) {
    this.#onEmpty = onEmpty
  }

  get size(): number {
    return this.#places.length
  }

  /** Enters a member; it leaves by what this returns. */
  add(member: Member): Leaving {
    const place = new Place(this, member, this.#places.length)
    this.#places.push(place)
    return place
  }

  /** Those who are here now, in no order; they may leave meanwhile. */
  [Symbol.iterator](): IterableIterator<Member> {
    return this.#places.map(({ member }) => member).values()
  }

  /** For {@link Place}: the last one takes the place that becomes free. */
  free(place: Place<Member>): void {
    if (this.#places[place.index] !== place) return
    const last = this.#places.pop()
    if (last && last !== place) {
      this.#places[place.index] = last
      last.index = place.index
    }
    if (this.#places.length === 0) this.#onEmpty()
  }
}

/** The way out for one who is here. */
export interface Leaving {
  /** Does nothing the second time. */
  leave(): void
}

/** An object in place of a closure: each call takes several. */
class Place<Member> implements Leaving {
  readonly member: Member
  index: number
  readonly #roster: Roster<Member>

  constructor(roster: Roster<Member>, member: Member, index: number) {
    this.#roster = roster
    this.member = member
    this.index = index
  }

  leave(): void {
    this.#roster.free(this)
  }
}
