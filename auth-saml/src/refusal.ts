/** A login that is not let in: 403. The message is for the log; the person sees only that it was refused. */
export class LoginRefused extends Error {
  override readonly name = 'LoginRefused'
}

export function refuse(reason: string): never {
  throw new LoginRefused(reason)
}
