/** Where lines go. */
export interface LogLines {
  write(line: string): void
}
