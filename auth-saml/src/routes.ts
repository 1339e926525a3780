import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { errors, type Interaction, type Provider } from 'oidc-provider'
import type { Accounts } from './accounts.ts'
import { answerConsent, askConsent } from './consent.ts'
import { MAX_RESPONSE_BYTES } from './envelope.ts'
import { readForm } from './form.ts'
import type { Login } from './login.ts'
import type { LoginLog } from './options.ts'
import { html, page, sendPage } from './page.ts'
import { LoginRefused, refuse } from './refusal.ts'
import type { ScopeRoles } from './scopes.ts'
import type { ServiceProvider } from './service-provider.ts'

export interface RoutesOptions {
  readonly issuer: string
  readonly resource: string
  readonly scopes: ScopeRoles
  readonly provider: Provider
  readonly serviceProvider: ServiceProvider
  readonly accounts: Accounts
  readonly login: Login
  readonly log: LoginLog
}

/** Every address of the server: ours for SAML and consent, the library's for OAuth. Never rejects. */
export function createRoutes(options: RoutesOptions): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  const { issuer, provider, serviceProvider, login, log } = options
  const { host, protocol } = new URL(issuer)
  const oauth = provider.callback()

  return async (req, res) => {
    try {
      // Not the address in the request: the issuer is configured, and a proxy may end TLS before us.
      Object.assign(req.headers, { host, 'x-forwarded-host': host, 'x-forwarded-proto': protocol.slice(0, -1) })
      const url = new URL(req.url ?? '/', issuer)
      if (!(await route(req, res, url))) await oauth(withDefaultScope(req, url), res)
    } catch (error) {
      fail(res, error)
    }
  }

  /** Whether it was one of ours. */
  async function route(req: IncomingMessage, res: ServerResponse, { pathname, searchParams }: URL): Promise<boolean> {
    const [, first, second, third, more] = pathname.split('/')
    switch (
      `${req.method} ${first === 'interaction' ? ['interaction', third ?? ''].join('/') : pathname}${more === undefined ? '' : '…'}`
    ) {
      case 'GET /saml/metadata':
        res.writeHead(200, { 'content-type': 'application/samlmetadata+xml' }).end(serviceProvider.metadata())
        return true
      case 'POST /saml/acs':
        await login.receive(res, (await readForm(req, MAX_RESPONSE_BYTES * 1.25)).get('SAMLResponse') ?? '')
        return true
      case 'GET interaction/': {
        const interaction = await interactionOf(req, res, second)
        if (interaction.prompt.name === 'login') await login.begin(res, interaction)
        else await askConsent(res, await consentRequest(interaction))
        return true
      }
      case 'GET interaction/login':
        await login.finish(req, res, {
          interaction: await interactionOf(req, res, second, 'login'),
          ticket: searchParams.get('ticket') ?? '',
        })
        return true
      case 'POST interaction/consent': {
        if (req.headers.origin !== issuer) refuse('the decision was not made on our page')
        const interaction = await interactionOf(req, res, second, 'consent')
        const allowed = (await readForm(req, 1_024)).get('decision') === 'allow'
        await answerConsent(req, res, { ...(await consentRequest(interaction)), allowed })
        return true
      }
      default:
        return false
    }
  }

  /** The session of the browser, from its cookie. */
  async function interactionOf(req: IncomingMessage, res: ServerResponse, uid: string | undefined, prompt?: string) {
    const interaction = await provider.interactionDetails(req, res).catch((error: unknown) => {
      if (error instanceof errors.SessionNotFound) return refuse('it was begun in another browser, or too long ago')
      throw error
    })
    if (interaction.uid !== uid || (prompt !== undefined && interaction.prompt.name !== prompt)) refuse('it is not at this step')
    return interaction
  }

  async function consentRequest(interaction: Interaction) {
    const account = await options.accounts.find(interaction.session?.accountId ?? '')
    return { ...options, interaction, account: account ?? refuse('the login has ended') }
  }

  /** A person sees a number, and the log tells what it stands for: a reason would help those who try responses out. */
  function fail(res: ServerResponse, error: unknown): void {
    const id = randomUUID()
    const refused = error instanceof LoginRefused
    if (refused) log.warn('saml_login_refused', { id, reason: error.message.slice(0, 500) })
    else log.error('saml_request_failed', { id, error: error instanceof Error ? error.stack : String(error) })
    if (res.headersSent) res.destroy()
    else if (refused)
      sendPage(
        res,
        403,
        page(
          'Login refused',
          html`<p>
            Begin again in the program that you came from. If that does not help, give your administrator this number:
            <code>${id}</code>
          </p>`,
        ),
      )
    else
      sendPage(
        res,
        500,
        page('Something went wrong', html`<p>Your administrator finds more under this number: <code>${id}</code></p>`),
      )
  }

  /** RFC 6749, section 3.3: who asks for no scope in particular asks for all that there are. */
  function withDefaultScope(req: IncomingMessage, url: URL): IncomingMessage {
    if (req.method === 'GET' && url.pathname === '/auth' && !url.searchParams.has('scope')) {
      url.searchParams.set('scope', Object.keys(options.scopes).join(' '))
      req.url = url.pathname + url.search
    }
    return req
  }
}
