/** Something that takes a while to make, and that many a process never needs. */
export interface Lazily<Value> {
  /** What it is; made for the first who asks. What could not be made is tried again for the next one. */
  get(): Promise<Value>
  /** Undefined as long as it is not made. */
  readonly made: Value | undefined
}

export function lazily<Value>(make: () => Promise<Value>): Lazily<Value> {
  let making: Promise<Value> | undefined
  let made: Value | undefined
  return {
    get: () =>
      (making ??= make().then(
        (value) => (made = value),
        (error: unknown) => {
          making = undefined
          throw error
        },
      )),
    get made() {
      return made
    },
  }
}
