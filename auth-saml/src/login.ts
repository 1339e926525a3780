import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Interaction, Provider } from 'oidc-provider'
import { readAccount, type ClaimAttributes } from './account.ts'
import type { Accounts } from './accounts.ts'
import type { LoginLog } from './options.ts'
import { refuse } from './refusal.ts'
import { REQUEST_MS, type LoginRequest, type ServiceProvider } from './service-provider.ts'
import { take, type LoginStore } from './store.ts'

export interface LoginOptions {
  readonly provider: Provider
  readonly serviceProvider: ServiceProvider
  readonly accounts: Accounts
  readonly claims: ClaimAttributes
  readonly store: LoginStore
  readonly log: LoginLog
}

/** The three steps of logging in by SAML. */
export interface Login {
  /** Sends the browser to the identity provider. */
  begin(res: ServerResponse, interaction: Interaction): Promise<void>
  /** Takes the response of the identity provider, which a page of its brings. Rejects with `LoginRefused`. */
  receive(res: ServerResponse, response: string): Promise<void>
  /** Ends the interaction in the browser that began it. Rejects with `LoginRefused` in any other. */
  finish(req: IncomingMessage, res: ServerResponse, options: { interaction: Interaction; ticket: string }): Promise<void>
}

/**
 * A browser sends no cookie along with a page of another site that posts to here, but does when it then follows a redirect. So what the
 * response says waits behind a ticket until the next request shows by its cookie whose browser it is: a response that was carried into
 * another browser is worth nothing there.
 */
export function createLogin({ provider, serviceProvider, accounts, claims, store, log }: LoginOptions): Login {
  return {
    async begin(res, { uid, params }) {
      const request: LoginRequest = { id: `_${randomBytes(20).toString('hex')}`, issuedAt: new Date().toISOString(), uid }
      await store.set(`saml-request:${request.id}`, request, REQUEST_MS)
      const { prompt } = params
      const force = typeof prompt === 'string' && prompt.split(' ').includes('login')
      redirect(res, await serviceProvider.loginUrl(request, { force }))
    },

    async receive(res, response) {
      const { assertion, request } = await serviceProvider.verify(response, {
        isWaiting: async (id) => (await store.get(`saml-request:${id}`)) !== undefined,
        take: async (id) => (await take(store, `saml-request:${id}`)) as LoginRequest | undefined,
      })
      const account = readAccount(assertion, claims)
      const ticket = randomBytes(20).toString('hex')
      await store.set(`saml-login:${ticket}`, { account, uid: request.uid } satisfies Waiting, TICKET_MS)
      redirect(res, `/interaction/${request.uid}/login?ticket=${ticket}`)
    },

    async finish(req, res, { interaction, ticket }) {
      const waiting = (await take(store, `saml-login:${ticket}`)) as Waiting | undefined
      if (waiting?.uid !== interaction.uid) return refuse('the ticket is used up, or of another browser')
      await accounts.keep(waiting.account)
      log.info('saml_login', { subject: waiting.account.subject, client: interaction.params['client_id'] })
      await provider.interactionFinished(req, res, { login: { accountId: waiting.account.subject } })
    },
  }
}

interface Waiting {
  readonly account: ReturnType<typeof readAccount>
  readonly uid: string
}

/** A redirect takes no longer. */
const TICKET_MS = 60_000

function redirect(res: ServerResponse, location: string): void {
  res.writeHead(303, { location, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' }).end()
}
