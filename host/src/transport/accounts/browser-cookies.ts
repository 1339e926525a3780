import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * Cookies of this origin alone: `__Host-` keeps other hosts of the domain from setting them, no script reads them, and no form of another
 * site brings them along. Browsers take `Secure` on a loopback address as well.
 */
export function setCookie(res: ServerResponse, name: string, value: string, maxAgeSeconds: number): void {
  const cookie = `${PREFIX}${name}=${value}; Path=/; Max-Age=${maxAgeSeconds}; Secure; HttpOnly; SameSite=Lax`
  const before = res.getHeader('set-cookie')
  res.setHeader('set-cookie', [...(Array.isArray(before) ? before : []), cookie])
}

export function clearCookie(res: ServerResponse, name: string): void {
  setCookie(res, name, '', 0)
}

/** Undefined for one that is not there, and for one that is there twice: somebody else set one of them. */
export function readCookie({ headers }: IncomingMessage, name: string): string | undefined {
  const found = (headers.cookie ?? '').split(/; */).flatMap((pair) => {
    const at = pair.indexOf('=')
    return at > 0 && pair.slice(0, at) === PREFIX + name ? [pair.slice(at + 1)] : []
  })
  return found.length === 1 && found[0] !== '' ? found[0] : undefined
}

/** Of those that are ours, without what they begin with. */
export function cookieNames({ headers }: IncomingMessage): readonly string[] {
  const names = (headers.cookie ?? '').split(/; */).map((pair) => pair.slice(0, Math.max(0, pair.indexOf('='))))
  return names.filter((name) => name.startsWith(PREFIX)).map((name) => name.slice(PREFIX.length))
}

const PREFIX = '__Host-patchbay-'
