import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Account } from '../../auth/accounts/account.ts'
import { describeError } from '../../errors.ts'
import type { Handle } from '../http/routing/routes.ts'
import type { BrowserSession } from './browser-session.ts'
import { cameTo, messageWithoutAnswer, redirect, send } from './page-exchange.ts'
import { keyPage, loggedOutPage } from './page-html.ts'
import { randomText, type PageVisits } from './page-visit.ts'
import type { AccountPagesOptions } from './types.ts'

/** How a person in a browser proves who they are: with an API key, or at the issuer. */
export interface LoginPages {
  /** Asks who is there: for a ticket as its caller proves itself, else in either way. */
  readonly askWho: (req: IncomingMessage, res: ServerResponse, session: BrowserSession, of?: Ticket) => Promise<void>
  readonly typedKey: Handle
  readonly loginPage: Handle
  readonly loginCallback: Handle
  readonly logout: Handle
}

/** A link that was opened. */
export interface Ticket {
  readonly text: string
  readonly account: Account
}

export function createLoginPages({ login, keys, addressOf, title, log }: AccountPagesOptions, visits: PageVisits): LoginPages {
  const { sessions, at, formOf, ownForm, cameBack, failed } = visits

  async function askWho(req: IncomingMessage, res: ServerResponse, session: BrowserSession, of?: Ticket): Promise<void> {
    const byKey = of ? of.account.principal.kind === 'apiKey' : keys !== undefined
    if (!byKey || !keys) return startLogin(req, res, session, of?.text)
    await askKey(res, session, { ticket: of?.text })
  }

  async function askKey(
    res: ServerResponse,
    session: BrowserSession,
    { ticket, problem }: { ticket: string | undefined; problem?: 'bad' | 'later' },
  ): Promise<void> {
    const fields = { token: await sessions.formToken(session, 'key'), ...(ticket !== undefined && { ticket }) }
    const loginUrl = login && ticket === undefined ? at('/login') : undefined
    send(res, keyPage({ server: title(), action: at('/key'), fields, loginUrl, problem }))
  }

  const typedKey: Handle = async (req, res) => {
    const posted = await formOf(req, res, 'key')
    if (!posted || !keys) return
    const { fields, session } = posted
    const ticket = fields.get('ticket')
    const found = await keys.find(fields.get('key') ?? '', addressOf(req))
    if (typeof found === 'string') {
      log.info('account_key_refused', { address: addressOf(req), reason: found })
      return askKey(res, session, { ticket, problem: found })
    }
    const { principal, key } = found
    const { kind, id, tenant } = principal
    await sessions.begin(res, { principal: { kind, id, tenant }, shown: `the API key "${key.id}"`, key }, session)
    redirect(res, ticket === undefined ? at('') : at('/link', { ticket }))
  }

  const loginPage: Handle = async (req, res) => startLogin(req, res, await sessions.of(req, res))

  /** The way to the issuer and back to `ticket`, or to the list. */
  async function startLogin(req: IncomingMessage, res: ServerResponse, session: BrowserSession, ticket?: string): Promise<void> {
    if (!login) throw new Error('The operator does not log in')
    const way = { kind: 'login', id: randomUUID(), session: session.id, verifier: randomText(), nonce: randomText(), ticket }
    const state = randomText()
    let url
    try {
      url = await login.url({ ...way, state, redirectUri: at('/login/callback') })
    } catch (error) {
      log.warn('account_login_failed', { reason: describeError(error) })
      return failed(res, 'login')
    }
    await sessions.keep(req, res, state, way)
    redirect(res, url.href)
  }

  const loginCallback: Handle = async (req, res) => {
    const back = login && (await cameBack(req, res, 'login'))
    if (!back) return redirect(res, at('/failed', { why: 'state' }))
    const { state, verifier, nonce = '', ticket } = back.way
    const redirectTo = at('/login/callback')
    let person
    try {
      person = await login.person(cameTo(redirectTo, req), { state, verifier, nonce, redirectUri: redirectTo })
    } catch (error) {
      log.warn('account_login_failed', { reason: messageWithoutAnswer(error) })
      return redirect(res, at('/failed', { why: 'login' }))
    }
    await sessions.begin(res, person, back.session)
    redirect(res, ticket === undefined ? at('') : at('/link', { ticket }))
  }

  const logout: Handle = async (req, res) => {
    const posted = await ownForm(req, res, 'logout')
    if (!posted) return
    await sessions.end(res, posted.session)
    send(res, loggedOutPage(at('')))
  }

  return { askWho, typedKey, loginPage, loginCallback, logout }
}
