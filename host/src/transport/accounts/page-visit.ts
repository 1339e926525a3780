import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { PersonInBrowser } from '../../auth/accounts/person-login.ts'
import type { RegisteredClient } from '../../auth/accounts/types.ts'
import type { Account } from '../../auth/accounts/account.ts'
import { LOCAL_PRINCIPAL } from '../../auth/principal.ts'
import { createBrowserSessions, type BrowserSession, type BrowserSessions } from './browser-session.ts'
import { readForm } from './form-body.ts'
import { onlyValue, send } from './page-exchange.ts'
import { failedPage, form, type Failure } from './page-html.ts'
import type { AccountPagesOptions } from './types.ts'

/** What every page needs to know of the browser in front of it, and how it answers. */
export interface PageVisits {
  readonly sessions: BrowserSessions
  /** No authentication: every client that can reach this listener is the operator. */
  readonly isOperators: boolean
  /** The address of a page. */
  readonly at: (path: string, query?: Readonly<Record<string, string>>) => string
  readonly personOf: (session: BrowserSession) => PersonInBrowser | undefined
  /** A form that was sent from a page of ours; anything else is answered, and undefined. */
  readonly formOf: (req: IncomingMessage, res: ServerResponse, action: string) => Promise<PostedForm | undefined>
  /** The same, by the person who is logged in. */
  readonly ownForm: (req: IncomingMessage, res: ServerResponse, action: string) => Promise<OwnForm | undefined>
  /** The way that an answer of another site belongs to, which then is over: by its state, in the browser where it began. */
  readonly cameBack: (req: IncomingMessage, res: ServerResponse, kind: Way['kind']) => Promise<ReturnedWay | undefined>
  readonly logoutForm: (session: BrowserSession) => Promise<string>
  readonly failed: (res: ServerResponse, why: Failure, logoutHtml?: string) => void
}

export interface PostedForm {
  readonly fields: ReadonlyMap<string, string>
  readonly session: BrowserSession
}

export interface OwnForm extends PostedForm {
  readonly person: PersonInBrowser
}

export interface ReturnedWay {
  readonly way: Way
  readonly session: BrowserSession
}

/** One way through another site and back, as the browser keeps it. */
export interface Way {
  readonly kind: 'link' | 'login'
  readonly id: string
  readonly session: string
  readonly state: string
  readonly verifier: string
  readonly account?: Account
  readonly nonce?: string
  readonly ticket?: string
  readonly registered?: RegisteredClient
  /** The id of the service's client. */
  readonly client?: string
  /** What is asked for, where that is more than always. */
  readonly scopes?: readonly string[]
}

export function createPageVisits({ open, base, login, keys }: AccountPagesOptions): PageVisits {
  const { tickets, clock, browserSeal, endedSessions } = open
  const sessions = createBrowserSessions(browserSeal, endedSessions, () => clock.now())
  const own = new URL(base)
  const at = (path: string, query: Readonly<Record<string, string>> = {}) => {
    const search = new URLSearchParams(query).toString()
    return `${base}/accounts${path}${search === '' ? '' : `?${search}`}`
  }

  const isOperators = !login && !keys
  const personOf = ({ person }: BrowserSession): PersonInBrowser | undefined => {
    if (isOperators) return OPERATOR
    // A key that was revoked since opens nothing here either.
    return person?.key === undefined || keys?.isGood(person.key) ? person : undefined
  }

  async function formOf(req: IncomingMessage, res: ServerResponse, action: string) {
    const fields = await readForm(req)
    const session = await sessions.of(req, res)
    const { origin } = req.headers
    const isOwnOrigin = origin === undefined || origin.toLowerCase() === own.origin
    if (!fields || !isOwnOrigin || !(await sessions.isOwnForm(session, action, fields.get('token')))) {
      failed(res, 'form')
      return undefined
    }
    return { fields, session }
  }

  async function ownForm(req: IncomingMessage, res: ServerResponse, action: string) {
    const posted = await formOf(req, res, action)
    const person = posted && personOf(posted.session)
    if (posted && person) return { ...posted, person }
    if (posted) failed(res, 'form')
    return undefined
  }

  async function cameBack(req: IncomingMessage, res: ServerResponse, kind: Way['kind']) {
    const state = onlyValue(req, 'state')
    if (state === undefined) return undefined
    const way = readWay(await sessions.kept(req, { state }), kind)
    const session = await sessions.of(req, res)
    if (!way || way.session !== session.id) return undefined
    sessions.drop(res, state)
    return (await tickets.useOnce(way.id)) ? { way, session } : undefined
  }

  async function logoutForm(session: BrowserSession): Promise<string> {
    if (!session.person) return ''
    const token = await sessions.formToken(session, 'logout')
    return form({ action: at('/logout'), fields: { token }, button: 'Log out' })
  }

  function failed(res: ServerResponse, why: Failure, logoutHtml = ''): void {
    send(res, failedPage(why, { listUrl: at(''), logout: logoutHtml }))
  }

  return { sessions, isOperators, at, personOf, formOf, ownForm, cameBack, logoutForm, failed }
}

/** Whoever can reach a loopback listener without authentication. */
const OPERATOR: PersonInBrowser = Object.freeze({ principal: LOCAL_PRINCIPAL, shown: 'the operator of this host' })

/** Sealed by this host: only which of the two it is is open. */
export function readWay(value: unknown, kind: Way['kind']): Way | undefined {
  const way = value as Way | undefined
  return way?.kind === kind ? way : undefined
}

/** 256 random bits, for a state, a verifier or a nonce. */
export function randomText(): string {
  return randomBytes(32).toString('base64url')
}
