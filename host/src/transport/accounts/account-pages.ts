import { randomBytes, randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { ServiceError } from '@mcp-patchbay/plugin-api/host'
import { keyOf, type Account, type StoredAccount } from '../../auth/accounts/account.ts'
import type { OpenAccounts } from '../../auth/accounts/open-accounts.ts'
import type { RegisteredClient } from '../../auth/accounts/types.ts'
import type { PersonInBrowser, PersonLogin } from '../../auth/accounts/person-login.ts'
import type { TypedKeys } from '../../auth/inbound/keys/typed-keys.ts'
import { LOCAL_PRINCIPAL } from '../../auth/principal.ts'
import { describeError, HostError } from '../../errors.ts'
import { page, pathOf, route, type Handle, type Route } from '../http/routing/routes.ts'
import { createBrowserSessions, type BrowserSession } from './browser-session.ts'
import { clientDocument } from './client-document.ts'
import { readForm } from './form-body.ts'
import { cameTo, isOtherLoopbackName, messageWithoutAnswer, onlyValue, redirect, send } from './page-exchange.ts'
import {
  consentPage,
  donePage,
  failedPage,
  FAILURES,
  form,
  keyPage,
  listPage,
  loggedOutPage,
  onwardPage,
  type Failure,
} from './page-html.ts'

export interface AccountPagesOptions {
  readonly open: OpenAccounts
  /** Where the pages are reached, without a slash at its end. */
  readonly base: string
  /** Authorization servers elsewhere can read what the host says of itself as their client. */
  readonly hasDocuments: boolean
  /** Where callers come with OAuth. Without it and without `keys` whoever can reach this listener is the operator. */
  readonly login: PersonLogin | undefined
  /** Where callers come with API keys. */
  readonly keys: TypedKeys | undefined
  readonly addressOf: (req: IncomingMessage) => string
  /** What accounts can be linked for now. */
  readonly services: () => ReadonlySet<string>
  /** What people know this host by. */
  readonly title: () => string
  readonly log: Logger
}

/**
 * The pages on which a person links and unlinks accounts: `/accounts` and below. They say nothing of a service to anybody but the person
 * whose account, or whose ticket, it is.
 */
export function createAccountPages(options: AccountPagesOptions): (path: string) => Route | undefined {
  const { open, base, hasDocuments, login, keys, addressOf, services, title, log } = options
  const { accounts, tickets, clock, browserSeal } = open
  const sessions = createBrowserSessions(browserSeal, () => clock.now())
  const own = new URL(base)
  const at = (path: string, query: Readonly<Record<string, string>> = {}) => {
    const search = new URLSearchParams(query).toString()
    return `${base}/accounts${path}${search === '' ? '' : `?${search}`}`
  }
  const random = () => randomBytes(32).toString('base64url')
  const redirectUri = (instance: string) => at(`/callback/${instance}`)
  const documentOfClient = (instance: string) =>
    clientDocument({ base, instance, title: title(), redirectUri: redirectUri(instance) })

  const isOperators = !login && !keys
  const personOf = ({ person }: BrowserSession): PersonInBrowser | undefined => {
    if (isOperators) return OPERATOR
    // A key that was revoked since opens nothing here either.
    return person?.key === undefined || keys?.isGood(person.key) ? person : undefined
  }

  /** Asks who is there: for a ticket as its caller proves itself, else in either way. */
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
    await sessions.begin(res, { principal: { kind, id, tenant }, shown: `the API key "${key.id}"`, key })
    redirect(res, ticket === undefined ? at('') : at('/link', { ticket }))
  }

  const loginPage: Handle = async (req, res) => startLogin(req, res, await sessions.of(req, res))

  /** The way to the issuer and back to `ticket`, or to the list. */
  async function startLogin(req: IncomingMessage, res: ServerResponse, session: BrowserSession, ticket?: string): Promise<void> {
    if (!login) throw new Error('The operator does not log in')
    const way = { kind: 'login', id: randomUUID(), session: session.id, verifier: random(), nonce: random(), ticket }
    const state = random()
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

  const list: Handle = async (req, res) => {
    const session = await sessions.of(req, res)
    const person = personOf(session)
    if (!person) return askWho(req, res, session)
    const linked = await accounts.list(person.principal)
    const unlinkToken = await sessions.formToken(session, 'unlink')
    const linkToken = await sessions.formToken(session, 'link')
    const row = async (account: Account, record: StoredAccount['record'] | undefined) => {
      const { instance } = account
      const { account: name } = keyOf(account)
      const canLink = services().has(instance)
      return {
        service: instance,
        tenant: account.principal.tenant,
        linkedAt: record && new Date(record.linkedAt).toISOString(),
        scopes: record?.scopes ?? [],
        state: record ? (record.isBroken ? 'has to be linked again' : 'linked') : 'not linked',
        forms: [
          record && form({ action: at('/unlink'), fields: { account: name, token: unlinkToken }, button: `Unlink ${instance}` }),
          canLink &&
            form({
              action: at('/link'),
              fields: { ...(record ? { account: name } : { service: instance }), token: linkToken },
              button: `Link ${instance}${record ? ' again' : ''}`,
            }),
        ]
          .filter((one) => typeof one === 'string')
          .join(''),
      }
    }
    const rows = await Promise.all([
      ...linked.map(({ account, record }) => row(account, record)),
      // Which services there are is for the operator; everybody else is told by the call that needs one.
      ...(isOperators ? [...services()] : [])
        .filter((instance) => !linked.some(({ account }) => account.instance === instance))
        .map((instance) => row({ principal: LOCAL_PRINCIPAL, instance }, undefined)),
    ])
    send(res, listPage({ person: person.shown, rows, logout: await logoutForm(session) }))
  }

  async function logoutForm(session: BrowserSession): Promise<string> {
    if (!session.person) return ''
    const token = await sessions.formToken(session, 'logout')
    return form({ action: at('/logout'), fields: { token }, button: 'Log out' })
  }

  /** The consent, before anything is sent to the service. */
  const consent: Handle = async (req, res) => {
    const text = onlyValue(req, 'ticket')
    const account = text === undefined ? undefined : await tickets.read(text)
    if (text === undefined || !account) return failed(res, 'ticket')
    const session = await sessions.of(req, res)
    const person = personOf(session)
    if (!person) return askWho(req, res, session, { text, account })
    if (!isSame(person, account)) return notTheirs(res, account, person, session)
    const { instance, principal } = account
    if (!services().has(instance)) return failed(res, 'unknown')
    const client = await accounts.client(instance)
    const page = consentPage({
      server: title(),
      service: instance,
      at: await client.authorizationHost(),
      person: person.shown,
      tenant: principal.tenant,
      scopes: await client.askedScopes(),
      isLinked: (await accounts.list(person.principal)).some((one) => keyOf(one.account).account === keyOf(account).account),
      fields: { ticket: text, token: await sessions.formToken(session, 'link') },
      action: at('/link'),
      listUrl: at(''),
    })
    send(res, page)
  }

  async function notTheirs(
    res: ServerResponse,
    account: Account,
    { principal }: PersonInBrowser,
    session: BrowserSession,
  ): Promise<void> {
    open.refused(account, `opened by ${principal.id}`)
    failed(res, 'person', await logoutForm(session))
  }

  const link: Handle = async (req, res) => {
    const posted = await ownForm(req, res, 'link')
    if (!posted) return
    const { fields, session, person } = posted
    const text = fields.get('ticket')
    let account: Account | undefined
    if (text === undefined) account = await chosenAccount(fields, person)
    else {
      const before = await tickets.read(text)
      if (before && !isSame(person, before)) return notTheirs(res, before, person, session)
      account = await tickets.take(text)
      if (!account) return failed(res, 'ticket')
    }
    if (!account || !services().has(account.instance)) return failed(res, 'unknown')
    const client = await accounts.client(account.instance)
    const document = hasDocuments ? documentOfClient(account.instance).clientId : undefined
    const registered = await client.register(redirectUri(account.instance), document)
    const state = random()
    const way = {
      kind: 'link',
      id: randomUUID(),
      session: session.id,
      verifier: random(),
      account,
      registered,
      client: client.id,
    }
    redirect(res, at('/onward', { way: await sessions.keep(req, res, state, way) }))
  }

  /** What the list offers: an account that is linked, or for the operator any service. */
  async function chosenAccount(fields: ReadonlyMap<string, string>, person: PersonInBrowser): Promise<Account | undefined> {
    const name = fields.get('account')
    const service = fields.get('service')
    if (name !== undefined)
      return (await accounts.list(person.principal)).find(({ account }) => keyOf(account).account === name)?.account
    return isOperators && service !== undefined ? { principal: LOCAL_PRINCIPAL, instance: service } : undefined
  }

  const onward: Handle = async (req, res) => {
    const name = onlyValue(req, 'way')
    const way = name === undefined ? undefined : readWay(await sessions.kept(req, { name }), 'link')
    if (!way?.account) return failed(res, 'state')
    const { account, state, verifier, registered } = way
    const client = await accounts.client(account.instance)
    const url = await client.authorizationUrl({ redirectUri: redirectUri(account.instance), state, verifier, registered })
    send(res, onwardPage(url.host, url.href), { 'referrer-policy': 'no-referrer' })
  }

  /** The way that an answer of another site belongs to, which then is over: by its state, in the browser where it began. */
  async function cameBack(req: IncomingMessage, res: ServerResponse, kind: Way['kind']) {
    const state = onlyValue(req, 'state')
    if (state === undefined) return undefined
    const way = readWay(await sessions.kept(req, { state }), kind)
    const session = await sessions.of(req, res)
    if (!way || way.session !== session.id) return undefined
    sessions.drop(res, state)
    return (await tickets.useOnce(way.id)) ? { way, session } : undefined
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
    await sessions.begin(res, person)
    redirect(res, ticket === undefined ? at('') : at('/link', { ticket }))
  }

  const callback =
    (instance: string): Handle =>
    async (req, res) => {
      const back = await cameBack(req, res, 'link')
      const account = back?.way.account
      // Each service has an address of its own to come back to: an answer of another one is not taken for its.
      if (!back || account?.instance !== instance) return redirect(res, at('/failed', { why: 'state' }))
      const person = personOf(back.session)
      if (!person || !isSame(person, account)) return redirect(res, at('/failed', { why: 'state' }))
      const { state, verifier, registered } = back.way
      const redirectTo = redirectUri(instance)
      try {
        const client = await accounts.client(instance)
        // The config has another client now: the code is not sent to another authorization server than it came from.
        if (client.id !== back.way.client) return redirect(res, at('/failed', { why: 'state' }))
        const tokens = await client.exchange(cameTo(redirectTo, req), { state, verifier, redirectUri: redirectTo, registered })
        await accounts.link(account, { ...tokens, client: client.id })
      } catch (error) {
        log.warn('account_not_linked', { plugin: instance, principal: account.principal.id, reason: messageWithoutAnswer(error) })
        return redirect(res, at('/failed', { why: failureOf(error) }))
      }
      redirect(res, at('/done', { service: instance }))
    }

  const unlink: Handle = async (req, res) => {
    const posted = await ownForm(req, res, 'unlink')
    if (!posted) return
    const account = await chosenAccount(posted.fields, posted.person)
    if (account) await accounts.unlink(account)
    redirect(res, at(''))
  }

  const logout: Handle = async (req, res) => {
    if (!(await ownForm(req, res, 'logout'))) return
    sessions.end(res)
    send(res, loggedOutPage(at('')))
  }

  /** Says of an account what its owner knows: to anybody else, and of any other service, nothing. */
  const done: Handle = async (req, res) => {
    const service = onlyValue(req, 'service')
    const person = personOf(await sessions.of(req, res))
    const linked = person && service !== undefined ? await accounts.list(person.principal) : []
    const isLinked = linked.some(({ account }) => account.instance === service)
    return service !== undefined && isLinked ? send(res, donePage(service, at(''))) : redirect(res, at(''))
  }

  const failure: Handle = (req, res) => {
    const why = onlyValue(req, 'why') ?? ''
    return failed(res, isFailure(why) ? why : 'state')
  }

  /** A form that was sent from a page of ours; anything else is answered. */
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

  /** The same, by who is logged in. */
  async function ownForm(req: IncomingMessage, res: ServerResponse, action: string) {
    const posted = await formOf(req, res, action)
    const person = posted && personOf(posted.session)
    if (posted && person) return { ...posted, person }
    if (posted) failed(res, 'form')
    return undefined
  }

  function failed(res: ServerResponse, why: Failure, logoutHtml = ''): void {
    send(res, failedPage(why, { listUrl: at(''), logout: logoutHtml }))
  }

  /** On this machine every page is at the one name that services and cookies know; and what fails says so on a page. */
  const guarded =
    (handle: Handle): Handle =>
    async (req, res, answer) => {
      const { method, url = '/', headers } = req
      if (isOtherLoopbackName(headers.host, own) && method === 'GET') {
        const path = pathOf(url)
        const local = path.slice(Math.max(0, path.indexOf('/accounts')))
        return redirect(res, base + local + url.slice(path.length))
      }
      try {
        await handle(req, res, answer)
      } catch (error) {
        const isStore = !(error instanceof ServiceError) && (!(error instanceof HostError) || error.code === 'ACCOUNT_STORE')
        log.warn('account_page_failed', { path: pathOf(url), reason: messageWithoutAnswer(error) })
        if (!res.headersSent) failed(res, isStore ? 'store' : 'service')
      }
    }

  const pages = new Map<string, Route>([
    ['/accounts', route({ GET: guarded(list) })],
    ['/accounts/link', route({ GET: guarded(consent), POST: guarded(link) })],
    ['/accounts/onward', route({ GET: guarded(onward) })],
    ['/accounts/unlink', route({ POST: guarded(unlink) })],
    ['/accounts/done', route({ GET: guarded(done) })],
    ['/accounts/failed', route({ GET: guarded(failure) })],
    ...(login
      ? ([
          ['/accounts/login', route({ GET: guarded(loginPage) })],
          ['/accounts/login/callback', route({ GET: guarded(loginCallback) })],
        ] as const)
      : []),
    ...(keys ? ([['/accounts/key', route({ POST: guarded(typedKey) })]] as const) : []),
    ...(isOperators ? [] : ([['/accounts/logout', route({ POST: guarded(logout) })]] as const)),
  ])
  return (path) => {
    const [, client] = /^\/accounts\/client\/([a-z][a-z0-9_]{0,63})\.json$/.exec(path) ?? []
    if (hasDocuments && client !== undefined) return page(documentOfClient(client).json, { 'cache-control': 'max-age=300' })
    const [, instance] = /^\/accounts\/callback\/([a-z][a-z0-9_]{0,63})$/.exec(path) ?? []
    return instance === undefined ? pages.get(path) : route({ GET: guarded(callback(instance)) })
  }
}

/** Whoever can reach a loopback listener without authentication. */
const OPERATOR: PersonInBrowser = Object.freeze({ principal: LOCAL_PRINCIPAL, shown: 'the operator of this host' })

/** A link that was opened. */
interface Ticket {
  readonly text: string
  readonly account: Account
}

/** One way through another site and back, as the browser keeps it. */
interface Way {
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
}

/** Sealed by this host: only which of the two it is is open. */
function readWay(value: unknown, kind: Way['kind']): Way | undefined {
  const way = value as Way | undefined
  return way?.kind === kind ? way : undefined
}

/** A ticket is for one principal; the tenant is that of the call, since a person is the same one in all of them. */
function isSame({ principal }: PersonInBrowser, account: Account): boolean {
  return principal.kind === account.principal.kind && principal.id === account.principal.id
}

function failureOf(error: unknown): Failure {
  if (error instanceof ServiceError && error.code === 'PERMISSION_DENIED') return 'denied'
  return error instanceof HostError && error.code === 'ACCOUNT_STORE' ? 'store' : 'service'
}

function isFailure(why: string): why is Failure {
  return Object.hasOwn(FAILURES, why)
}
