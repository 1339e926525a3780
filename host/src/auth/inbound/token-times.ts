/** The times in a token, in seconds since the epoch. */
export interface TokenTimes {
  readonly exp?: unknown
  readonly iat?: unknown
  readonly nbf?: unknown
}

/** The claim that is there and is not a time. JSON can say `1e400`, which is no end at all. */
export function timeProblem({ exp, iat, nbf }: TokenTimes): string | undefined {
  return Object.entries({ exp, iat, nbf }).find(([, time]) => time !== undefined && !isTime(time))?.[0]
}

/** When a token ends, in milliseconds since the epoch: by its own word or by its age, whichever is first. */
export function endOfToken(
  { exp, iat }: { readonly exp: unknown; readonly iat: number },
  { toleranceSeconds, maxAgeSeconds }: { readonly toleranceSeconds: number; readonly maxAgeSeconds: number },
): number {
  const aged = iat + maxAgeSeconds
  return ((isTime(exp) ? Math.min(exp, aged) : aged) + toleranceSeconds) * 1000
}

/** Up to the year 9999. */
function isTime(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= 253_402_300_799
}
