import { hash, randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { PersonInBrowser } from '../../auth/accounts/person-login.ts'
import type { EndedSessions } from '../../auth/accounts/ended-sessions.ts'
import type { Seal } from '../../auth/accounts/store/sealed.ts'
import { isObject } from '../../data/json.ts'
import { clearCookie, cookieNames, readCookie, setCookie } from './browser-cookies.ts'

/**
 * What a browser is known by between two pages. All of it is in its cookies, sealed: any replica can read them, and asks which have ended.
 */
export interface BrowserSession {
  readonly id: string
  /** Milliseconds since 1970. */
  readonly until: number
  /** Who logged in; undefined for a browser that has not. */
  readonly person?: PersonInBrowser
}

export interface BrowserSessions {
  /** The session of the request; otherwise a new one, and sets its cookie. Rejects when it is unknown whether the person logged out. */
  of(req: IncomingMessage, res: ServerResponse): Promise<BrowserSession>
  /** A new one in place of `before`, which ends: an id that another party gave the browser is worth nothing. */
  begin(res: ServerResponse, person?: PersonInBrowser, before?: BrowserSession): Promise<BrowserSession>
  /** Takes the cookie away, and ends what a copy of it would open. Rejects when that could not be kept. */
  end(res: ServerResponse, session: BrowserSession): Promise<void>
  /** The token in a form of ours, for one action of this session. */
  formToken(session: BrowserSession, action: string): Promise<string>
  isOwnForm(session: BrowserSession, action: string, token: string | undefined): Promise<boolean>
  /** Keeps what is on its way through another site under `state`, for ten minutes. Of many the oldest are dropped. */
  keep(req: IncomingMessage, res: ServerResponse, state: string, value: object): Promise<string>
  /** By the name that `keep` gave, or by the state itself; undefined for what this browser does not have. */
  kept(req: IncomingMessage, by: { readonly name: string } | { readonly state: string }): Promise<unknown>
  drop(res: ServerResponse, state: string): void
}

const SESSION_MS = 3_600_000
export const WAY_MS = 600_000
const MOST_WAYS = 5

export function createBrowserSessions(seal: Seal, ended: EndedSessions, now: () => number): BrowserSessions {
  const open = async (subject: string, text: string | undefined): Promise<Record<string, unknown> | undefined> => {
    if (text === undefined) return undefined
    try {
      const { value } = await seal.open(subject, text)
      return isObject(value) && typeof value['until'] === 'number' && now() < value['until'] ? { ...value } : undefined
    } catch {
      return undefined
    }
  }
  const begin = async (res: ServerResponse, person?: PersonInBrowser, before?: BrowserSession): Promise<BrowserSession> => {
    if (before?.person) await ended.end(before)
    const session: BrowserSession = { id: randomUUID(), until: now() + SESSION_MS, ...(person && { person }) }
    setCookie(res, 'session', await seal.seal('session', session), SESSION_MS / 1000)
    return session
  }

  return {
    begin,
    async of(req, res) {
      const known = await open('session', readCookie(req, 'session'))
      if (!known || !isSession(known)) return begin(res)
      // A session without a person gives no more access than a new one.
      return known.person && (await ended.has(known)) ? begin(res) : known
    },
    async end(res, session) {
      clearCookie(res, 'session')
      await ended.end(session)
    },
    formToken: ({ id }, action) => seal.seal('form', { id, action, until: now() + SESSION_MS }),
    async isOwnForm({ id }, action, token) {
      const known = await open('form', token)
      return known?.['id'] === id && known['action'] === action
    },
    async keep(req, res, state, value) {
      const name = nameOf(state)
      // Browsers send older ones first. More than a handful make a header that no server reads.
      const before = cookieNames(req).filter((one) => one.startsWith('way-'))
      for (const one of before.slice(0, Math.max(0, before.length - MOST_WAYS + 1))) clearCookie(res, one)
      setCookie(res, `way-${name}`, await seal.seal('way', { ...value, state, until: now() + WAY_MS }), WAY_MS / 1000)
      return name
    },
    async kept(req, by) {
      const name = 'name' in by ? by.name : nameOf(by.state)
      if (!/^[0-9a-f]{16}$/.test(name)) return undefined
      const known = await open('way', readCookie(req, `way-${name}`))
      return 'state' in by && known?.['state'] !== by.state ? undefined : known
    },
    drop(res, state) {
      clearCookie(res, `way-${nameOf(state)}`)
    },
  }
}

/** Several ways may be open in one browser. */
function nameOf(state: string): string {
  return hash('sha256', state).slice(0, 16)
}

/** What was sealed as a session was made by `begin`, here or at another replica: only its form is checked. */
function isSession(value: object): value is BrowserSession {
  return 'id' in value && typeof value.id === 'string' && 'until' in value && typeof value.until === 'number'
}
