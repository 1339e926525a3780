/** `other`: nothing we evaluate; Node's own loader decides. */
export type Format = 'module' | 'commonjs' | 'json' | 'other'

/** A file as it will be evaluated. */
export interface Source {
  readonly format: Format
  /** JavaScript without types, or JSON, every position as in the file. Empty for `other`. */
  readonly code: string
}

/** Called with every file before it runs; what it throws is what the import fails with. */

export type Admit = (read: ReadFile) => void

/** A file that is about to be evaluated. */
export interface ReadFile {
  /** Its real path. */
  readonly file: string
  /** SHA-256 of the bytes that will run, hex. */
  readonly digest: string
  /** Node keeps it for as long as the process lives, so that it is never read again. */
  readonly once: boolean
}
