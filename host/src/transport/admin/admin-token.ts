import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { refusal, type Refusal } from '../http/respond.ts'

/** Who may use the admin API. */
export interface AdminToken {
  /** Why a request is refused, or undefined. */
  readonly check: (req: IncomingMessage) => Refusal | undefined
  /** A ticket that opens the page once, within a minute. */
  readonly issueTicket: () => string
  /** The token for a ticket that was issued, is not used and not late. */
  readonly redeem: (ticket: unknown) => string | undefined
}

const TICKET_MS = 60_000
/** A key that is held down must not fill the memory. */
const MOST_TICKETS = 16

/** `now`: milliseconds that never go back. */
export function createAdminToken(token: string, now: () => number): AdminToken {
  const expected = digest(token)
  const tickets = new Map<string, number>()
  return {
    check(req) {
      const [, presented] = /^Bearer +(\S+) *$/i.exec(req.headers.authorization ?? '') ?? []
      if (presented !== undefined && timingSafeEqual(digest(presented), expected)) return undefined
      const problem = presented === undefined ? 'needs the admin token' : 'was sent another token'
      return refusal(401, `${pathOf(req)} ${problem}: send Authorization: Bearer and the token, which patchbay dev prints`, {
        headers: { 'www-authenticate': 'Bearer realm="patchbay admin"' },
      })
    },
    issueTicket() {
      const ticket = randomBytes(24).toString('base64url')
      tickets.set(ticket, now() + TICKET_MS)
      const [oldest] = tickets.keys()
      if (tickets.size > MOST_TICKETS && oldest !== undefined) tickets.delete(oldest)
      return ticket
    },
    redeem(ticket) {
      const dueAt = typeof ticket === 'string' ? tickets.get(ticket) : undefined
      if (dueAt === undefined) return undefined
      tickets.delete(ticket as string)
      return now() <= dueAt ? token : undefined
    },
  }
}

/**
 * Why a request may come from a page of another site, or undefined. Stricter than the listener's own check, which lets pages of every
 * port of this machine ask: an `Origin` must be this very listener's, and a browser must say that the request is of the same origin.
 */
export function crossSite({ headers }: IncomingMessage): Refusal | undefined {
  const { host, origin, 'sec-fetch-site': site } = headers
  if (host === undefined) return refusal(400, 'The request has no Host header')
  const isOwn = origin === undefined || origin.toLowerCase() === `http://${host.toLowerCase()}`
  if (isOwn && (site === undefined || site === 'same-origin' || site === 'none')) return undefined
  return refusal(403, 'The admin API answers its own page and programs, no page of another origin')
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0]?.slice(0, 100) ?? ''
}

/** Both of the same length, whatever was presented. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
