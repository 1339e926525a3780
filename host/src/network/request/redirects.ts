import type { Method } from './access.ts'
import { classify, climbs, type Reach, type Target } from '../connect/target.ts'

/** One more is a loop or a maze. */
export const MAX_REDIRECTS = 3

/** True for an answer that sends the request elsewhere. */
export function isRedirect(status: number, location: string | undefined): location is string {
  return location !== undefined && (status === 301 || status === 302 || status === 303 || status === 307 || status === 308)
}

/**
 * Where a redirect leads, or why it is not followed. A request to the service stays below its base URL, so the credential does too. One
 * that began elsewhere went without the credential and may go to any granted origin, but not into the service: a page must not be able
 * to choose which of its paths is asked.
 */
export function followRedirect(from: Target, location: string, reach: Reach): Target | { readonly refused: string } {
  const url = URL.parse(location, from.url)
  if (!url) return { refused: 'to something that is not a URL' }
  url.hash = ''
  if (from.url.protocol === 'https:' && url.protocol === 'http:') return { refused: 'from https down to http' }
  if (url.username || url.password) return { refused: 'to a URL with a user name or password' }
  const target = classify(reach, url)
  if (target?.zone === from.zone && !climbs(target.path)) return target
  return { refused: url.origin === from.url.origin ? 'out of its base URL' : 'to another origin' }
}

/** 303 always asks with GET, and 301 and 302 turn POST into GET, as every browser does; 307 and 308 keep the method and the body. */
export function redirectMethod(status: number, method: Method): Method {
  if (method === 'HEAD') return 'HEAD'
  return status === 303 || (method === 'POST' && (status === 301 || status === 302)) ? 'GET' : method
}
