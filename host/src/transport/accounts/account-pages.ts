import { ServiceError } from '@mcp-patchbay/plugin-api/host'
import { HostError } from '../../errors.ts'
import { page, pathOf, route, type Handle, type Route } from '../http/routing/routes.ts'
import { createLinkPages } from './link-pages.ts'
import { createListPages } from './list-pages.ts'
import { createLoginPages } from './login-pages.ts'
import { isOtherLoopbackName, messageWithoutAnswer, redirect } from './page-exchange.ts'
import { createPageVisits } from './page-visit.ts'
import type { AccountPagesOptions } from './types.ts'

/**
 * The pages on which a person links and unlinks accounts: `/accounts` and below. They say nothing of a service except to the person
 * whose account, or whose ticket, it is.
 */
export function createAccountPages(options: AccountPagesOptions): (path: string) => Route | undefined {
  const { base, hasDocuments, login, keys, log } = options
  const own = new URL(base)
  const visits = createPageVisits(options)
  const { isOperators, failed } = visits
  const logins = createLoginPages(options, visits)
  const { list, unlink, done, failure } = createListPages(options, visits, logins)
  const { documentOfClient, consent, link, onward, callback } = createLinkPages(options, visits, logins)

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
          ['/accounts/login', route({ GET: guarded(logins.loginPage) })],
          ['/accounts/login/callback', route({ GET: guarded(logins.loginCallback) })],
        ] as const)
      : []),
    ...(keys ? ([['/accounts/key', route({ POST: guarded(logins.typedKey) })]] as const) : []),
    ...(isOperators ? [] : ([['/accounts/logout', route({ POST: guarded(logins.logout) })]] as const)),
  ])
  return (path) => {
    const [, client] = /^\/accounts\/client\/([a-z][a-z0-9_]{0,63})\.json$/.exec(path) ?? []
    if (hasDocuments && client !== undefined) return page(documentOfClient(client).json, { 'cache-control': 'max-age=300' })
    const [, instance] = /^\/accounts\/callback\/([a-z][a-z0-9_]{0,63})$/.exec(path) ?? []
    return instance === undefined ? pages.get(path) : route({ GET: guarded(callback(instance)) })
  }
}
