/** One code of the catalogue: how its message is said, and what to do next. */
export interface Entry<Data> {
  readonly message: (data: Data) => string
  readonly fix: (data: Data) => readonly string[]
}

/** Makes the entry of a code whose message is said from `Data`. */
export function entry<Data>(message: (data: Data) => string, fix: (data: Data) => readonly string[] = () => []): Entry<Data> {
  return { message, fix }
}
