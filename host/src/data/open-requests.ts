type RequestId = string | number

/**
 * The requests of one connection or session that have no answer yet, with what is known of each. A list: most clients have a handful in
 * flight, and a Map, which makes itself a new table every few deletions, keeps in each old one what was in it until all of memory is
 * collected. With 64 in flight on stdio that was a third of the time.
 */
export class OpenRequests<Known> {
  readonly #open: { readonly id: RequestId; readonly known: Known }[] = []

  get size(): number {
    return this.#open.length
  }

  has(id: RequestId): boolean {
    return this.#find(id) !== -1
  }

  get(id: RequestId): Known | undefined {
    return this.#open[this.#find(id)]?.known
  }

  /** An id that is not there yet. */
  add(id: RequestId, known: Known): void {
    this.#open.push({ id, known })
  }

  /** Does nothing for one that is not there. */
  delete(id: RequestId): void {
    const index = this.#find(id)
    if (index === -1) return
    const last = this.#open.pop()
    if (last && index < this.#open.length) this.#open[index] = last
  }

  clear(): void {
    this.#open.length = 0
  }

  /** What is known of each, in no order; they may be deleted meanwhile. */
  values(): IterableIterator<Known> {
    return this.#open.map(({ known }) => known).values()
  }

  #find(id: RequestId): number {
    for (let index = 0; index < this.#open.length; index++) if (this.#open[index]?.id === id) return index
    return -1
  }
}
