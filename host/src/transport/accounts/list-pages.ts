import { keyOf, type Account, type StoredAccount } from '../../auth/accounts/account.ts'
import { LOCAL_PRINCIPAL } from '../../auth/principal.ts'
import type { Handle } from '../http/routing/routes.ts'
import type { LoginPages } from './login-pages.ts'
import { onlyValue, redirect, send } from './page-exchange.ts'
import { donePage, FAILURES, form, listPage, type Failure } from './page-html.ts'
import type { OwnForm, PageVisits } from './page-visit.ts'
import type { AccountPagesOptions } from './types.ts'

/** The list of a person's accounts, and the pages that a link or a failure ends on. */
export interface ListPages {
  readonly list: Handle
  readonly unlink: Handle
  readonly done: Handle
  readonly failure: Handle
}

export function createListPages(
  options: AccountPagesOptions,
  visits: PageVisits,
  { askWho }: Pick<LoginPages, 'askWho'>,
): ListPages {
  const { open, services } = options
  const { accounts } = open
  const { sessions, isOperators, at, personOf, ownForm, logoutForm, failed } = visits

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
        state: stateOf(record),
        forms: [
          record && form({ action: at('/unlink'), fields: { account: name, token: unlinkToken }, button: `Unlink ${instance}` }),
          canLink &&
            form({
              action: at('/link'),
              fields: { ...(record ? { account: name } : { service: instance }), more: shownOf(record?.needs), token: linkToken },
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

  const unlink: Handle = async (req, res) => {
    const posted = await ownForm(req, res, 'unlink')
    if (!posted) return
    const account = await chosenAccount(options, visits, posted)
    if (account) await accounts.unlink(account)
    redirect(res, at(''))
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

  return { list, unlink, done, failure }
}

/** What the list offers: an account that is linked, or for the operator any service. */
export async function chosenAccount(
  { open: { accounts } }: Pick<AccountPagesOptions, 'open'>,
  { isOperators }: PageVisits,
  { fields, person }: OwnForm,
): Promise<Account | undefined> {
  const name = fields.get('account')
  const service = fields.get('service')
  if (name !== undefined)
    return (await accounts.list(person.principal)).find(({ account }) => keyOf(account).account === name)?.account
  return isOperators && service !== undefined ? { principal: LOCAL_PRINCIPAL, instance: service } : undefined
}

function stateOf(record: StoredAccount['record'] | undefined): string {
  if (!record) return 'not linked'
  if (record.isBroken) return 'has to be linked again'
  return record.needs ? `linked; the service asked for more: ${record.needs.join(' ')}` : 'linked'
}

/** Scopes that the person has seen on a page, as a field of its form. */
export function shownOf(scopes: readonly string[] = []): string {
  return scopes.join(' ')
}

function isFailure(why: string): why is Failure {
  return Object.hasOwn(FAILURES, why)
}
