import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Interaction, Provider } from 'oidc-provider'
import type { Account } from './account.ts'
import { html, page, sendPage } from './page.ts'
import { redirectHost } from './redirect.ts'
import { scopesOf, type ScopeRoles } from './scopes.ts'

/** A request of a client that a person has to agree to. */
export interface ConsentRequest {
  readonly provider: Provider
  readonly interaction: Interaction
  readonly account: Account
  readonly resource: string
  readonly scopes: ScopeRoles
}

/** Asks the person, naming the client by its own word, by its id, and by where the answer goes: only the last cannot be made up. */
export async function askConsent(res: ServerResponse, request: ConsentRequest): Promise<void> {
  const { provider, interaction, account, resource } = request
  const { clientId, redirectUri } = paramsOf(interaction)
  const client = await provider.Client.find(clientId)
  const host = redirectHost(redirectUri)
  const granted = wanted(request).filter((scope) => scopesOf(account.roles, request.scopes).has(scope))
  const body = html` <p>
      The program that calls itself <strong>${client?.clientName ?? clientId}</strong> wants to call tools at
      <code>${resource}</code> in your name, ${account.subject}.
    </p>
    <ul>
      <li>Its id: <code>${clientId}</code></li>
      <li>The answer goes to: <strong>${host}</strong></li>
    </ul>
    ${
      granted.length === 0
        ? html``
        : html`<p>It would get:</p>
            <ul>
              ${granted.map((scope) => html`<li><code>${scope}</code></li>`)}
            </ul>`
    }
    <p>Allow this only if you just began it yourself.</p>
    <form method="post" action="/interaction/${interaction.uid}/consent">
      <button name="decision" value="allow">Allow</button><button name="decision" value="deny">Deny</button>
    </form>`
  const { origin, protocol } = new URL(redirectUri)
  sendPage(res, 200, page('Allow access?', body), [origin === 'null' ? protocol : origin])
}

/** Grants the scopes that the client wants and the person may have, and goes back to the client. */
export async function answerConsent(
  req: IncomingMessage,
  res: ServerResponse,
  { allowed, ...request }: ConsentRequest & { readonly allowed: boolean },
): Promise<void> {
  const { provider, interaction, account, resource } = request
  if (!allowed) {
    await provider.interactionFinished(req, res, { error: 'access_denied', error_description: 'the person said no' })
    return
  }
  const known = interaction.grantId === undefined ? undefined : await provider.Grant.find(interaction.grantId)
  const grant = known ?? new provider.Grant({ accountId: account.subject, clientId: paramsOf(interaction).clientId })
  const may = scopesOf(account.roles, request.scopes)
  for (const scope of wanted(request)) {
    if (may.has(scope)) grant.addResourceScope(resource, scope)
    else grant.rejectResourceScope(resource, scope)
    // Scopes of the server are asked for besides those of its resource, and are good for no token of their own.
    grant.addOIDCScope(scope)
  }
  await provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true })
}

/** The scopes that were not decided on yet. */
function wanted({ interaction, resource }: ConsentRequest): readonly string[] {
  const { missingResourceScopes } = interaction.prompt.details as {
    missingResourceScopes?: Readonly<Record<string, readonly string[]>>
  }
  return missingResourceScopes?.[resource] ?? []
}

function paramsOf({ params }: Interaction): { clientId: string; redirectUri: string } {
  return { clientId: String(params['client_id']), redirectUri: String(params['redirect_uri']) }
}
