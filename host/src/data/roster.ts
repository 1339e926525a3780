/**
 * Who is here now, for what comes and goes with each call. A Set makes itself a new table every few times that something leaves it, and
 * a table that grew old keeps those after it until all of memory is collected: 0.4 KB of every call.
 */
export class Roster<Member> {
  readonly #places: Place<Member>[] = []

  get size(): number {
    return this.#places.length
  }

  /** Enters a member; returns its way out, which does nothing the second time. */
  add(member: Member): () => void {
    const place = { member, index: this.#places.length }
    this.#places.push(place)
    return () => this.#leave(place)
  }

  /** Those who are here now, in no order; they may leave meanwhile. */
  [Symbol.iterator](): IterableIterator<Member> {
    return this.#places.map(({ member }) => member).values()
  }

  /** The last one takes the place that becomes free. */
  #leave(place: Place<Member>): void {
    if (this.#places[place.index] !== place) return
    const last = this.#places.pop()
    if (!last || last === place) return
    this.#places[place.index] = last
    last.index = place.index
  }
}

interface Place<Member> {
  readonly member: Member
  index: number
}
