import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { ServiceError } from '@mcp-patchbay/plugin-api/host'
import { keyOf, type Account, type AccountRecord } from '../../auth/accounts/account.ts'
import { linkedWith, scopesToAsk } from '../../auth/accounts/more-scopes.ts'
import type { PersonInBrowser } from '../../auth/accounts/person-login.ts'
import { HostError } from '../../errors.ts'
import type { Handle } from '../http/routing/routes.ts'
import type { BrowserSession } from './browser-session.ts'
import { clientDocument, type ClientDocument } from './client-document.ts'
import { chosenAccount, shownOf } from './list-pages.ts'
import type { LoginPages } from './login-pages.ts'
import { cameTo, messageWithoutAnswer, onlyValue, redirect, send } from './page-exchange.ts'
import { consentPage, onwardPage, type Failure } from './page-html.ts'
import { randomText, readWay, type PageVisits } from './page-visit.ts'
import type { AccountPagesOptions } from './types.ts'

/** The way from a link to an account: consent, the service's own page, and back. */
export interface LinkPages {
  readonly documentOfClient: (instance: string) => ClientDocument
  readonly consent: Handle
  readonly link: Handle
  readonly onward: Handle
  readonly callback: (instance: string) => Handle
}

export function createLinkPages(
  options: AccountPagesOptions,
  visits: PageVisits,
  { askWho }: Pick<LoginPages, 'askWho'>,
): LinkPages {
  const { open, base, hasDocuments, services, title, log } = options
  const { accounts, tickets } = open
  const { sessions, at, personOf, ownForm, cameBack, logoutForm, failed } = visits
  const redirectUri = (instance: string) => at(`/callback/${instance}`)
  const documentOfClient = (instance: string) =>
    clientDocument({ base, instance, title: title(), redirectUri: redirectUri(instance) })

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
    const linked = await recordOf(person, account)
    const { all, added } = await scopesToAsk(client, linked)
    const page = consentPage({
      server: title(),
      service: instance,
      at: await client.authorizationHost(),
      person: person.shown,
      tenant: principal.tenant,
      scopes: all ?? (await client.askedScopes()),
      added,
      isLinked: linked !== undefined,
      fields: { ticket: text, more: shownOf(added), token: await sessions.formToken(session, 'link') },
      action: at('/link'),
      listUrl: at(''),
    })
    send(res, page)
  }

  async function recordOf({ principal }: PersonInBrowser, account: Account): Promise<AccountRecord | undefined> {
    const { account: name } = keyOf(account)
    return (await accounts.list(principal)).find((one) => keyOf(one.account).account === name)?.record
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
    if (text === undefined) account = await chosenAccount(options, visits, posted)
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
    // What the service asked for since the person saw the page is for another time.
    const shown = new Set(fields.get('more')?.split(' '))
    const { all: scopes } = await scopesToAsk(client, await recordOf(person, account), shown)
    const state = randomText()
    const way = {
      kind: 'link',
      id: randomUUID(),
      session: session.id,
      verifier: randomText(),
      account,
      registered,
      client: client.id,
      ...(scopes && { scopes }),
    }
    redirect(res, at('/onward', { way: await sessions.keep(req, res, state, way) }))
  }

  const onward: Handle = async (req, res) => {
    const name = onlyValue(req, 'way')
    const way = name === undefined ? undefined : readWay(await sessions.kept(req, { name }), 'link')
    if (!way?.account) return failed(res, 'state')
    const { account, state, verifier, registered, scopes } = way
    const client = await accounts.client(account.instance)
    const url = await client.authorizationUrl({ redirectUri: redirectUri(account.instance), state, verifier, registered, scopes })
    send(res, onwardPage(url.host, url.href), { 'referrer-policy': 'no-referrer' })
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
      const { state, verifier, registered, scopes } = back.way
      const redirectTo = redirectUri(instance)
      try {
        const client = await accounts.client(instance)
        // The config has another client now: the code is not sent to another authorization server than it came from.
        if (client.id !== back.way.client) return redirect(res, at('/failed', { why: 'state' }))
        const tokens = await client.exchange(cameTo(redirectTo, req), { state, verifier, redirectUri: redirectTo, registered })
        await accounts.link(account, { ...tokens, ...(await linkedWith(client, scopes)), client: client.id })
      } catch (error) {
        log.warn('account_not_linked', { plugin: instance, principal: account.principal.id, reason: messageWithoutAnswer(error) })
        return redirect(res, at('/failed', { why: failureOf(error) }))
      }
      redirect(res, at('/done', { service: instance }))
    }

  return { documentOfClient, consent, link, onward, callback }
}

/** A ticket is for one principal; the tenant is that of the call, since a person is the same one in all of them. */
function isSame({ principal }: PersonInBrowser, account: Account): boolean {
  return principal.kind === account.principal.kind && principal.id === account.principal.id
}

function failureOf(error: unknown): Failure {
  if (error instanceof ServiceError && error.code === 'PERMISSION_DENIED') return 'denied'
  return error instanceof HostError && error.code === 'ACCOUNT_STORE' ? 'store' : 'service'
}
