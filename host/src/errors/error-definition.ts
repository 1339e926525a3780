/** One code of the catalogue: how its message is said, and what to do next. */
export interface Entry<Data> {
  readonly message: (data: Data) => string
  readonly fix: (data: Data) => readonly string[]
}

/** Makes the entry of a code whose message is said from `Data`. */
export function entry<Data>(message: (data: Data) => string, fix: (data: Data) => readonly string[] = () => []): Entry<Data> {
  return { message, fix }
}

/** The last lines that a process printed, enough to see what was wrong. */
export function lastLines(output: string): string {
  return output.trim().split('\n').slice(-5).join(' | ').slice(-500)
}
