import type { Authenticated } from './authentication.ts'

/** What came of looking at one token. */
export type Verdict =
  | {
      readonly accepted: Authenticated
      /** For how long it need not be looked at again: milliseconds since the epoch. */
      readonly until: number
    }
  /** A word for the log; the client hears the same whatever it is. */
  | { readonly refused: string }

/** It cannot be known now whether a token is good: not the token's fault. */
export class IssuerUnavailable extends Error {
  /** When it is worth another try. */
  readonly seconds: number

  constructor(issuer: string, seconds: number, cause?: unknown) {
    super(`${issuer} cannot be asked`, { cause })
    this.name = 'IssuerUnavailable'
    this.seconds = seconds
  }
}

/** How long a caller waits for an issuer: with all else, the answer is there within three seconds. */
export const ISSUER_PATIENCE_MS = 2_500
