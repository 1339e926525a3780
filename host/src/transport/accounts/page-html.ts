import { createHash } from 'node:crypto'
import { withEscapes } from '../../data/invisible.ts'

/** A page of ours: everything in it is escaped, and nothing comes from elsewhere. */
export interface Page {
  readonly status: number
  readonly title: string
  /** HTML, made by the functions below. */
  readonly body: string
  /** Where the browser goes by itself, at once. */
  readonly goesTo?: string
}

export interface ConsentPage {
  readonly server: string
  readonly service: string
  /** The host that the person will consent at. */
  readonly at: string
  readonly person: string
  readonly tenant: string | undefined
  readonly scopes: readonly string[]
  /** Those of them that the service asked for in a call: the account that is linked does not have them. */
  readonly added: readonly string[]
  readonly isLinked: boolean
  readonly fields: Readonly<Record<string, string>>
  readonly action: string
  readonly listUrl: string
}

/** Says what is linked to whom, before anything is. */
export function consentPage(page: ConsentPage): Page {
  const { server, service, at, person, tenant, scopes, added, isLinked, fields, action, listUrl } = page
  return {
    status: 200,
    title: `Link your ${service} account`,
    body: `
<p><strong>${text(server)}</strong> asks to use <strong>${text(service)}</strong> as you. What you start here, and the tools that you call, will act at <strong>${text(at)}</strong> with your rights.</p>
<dl>
<dt>Service</dt><dd>${text(service)} (${text(at)})</dd>
<dt>You are signed in here as</dt><dd>${text(person)}${tenant === undefined ? '' : `, tenant ${text(tenant)}`}</dd>
<dt>Access that is asked for</dt><dd>${scopes.length === 0 ? 'what the service grants by itself' : list(scopes)}</dd>${added.length === 0 ? '' : `\n<dt>New: more than your account has</dt><dd>${list(added)}</dd>`}
</dl>
${added.length === 0 ? '' : `<p>${text(service)} refused a call of yours for want of the access that is new. Without it, what you have linked goes on as it is.</p>`}
${isLinked ? '<p>An account is linked already. Going on replaces it.</p>' : ''}
<p>The token is stored encrypted, used for your calls only, and forgotten when you unlink the account. Go on only if you have just asked for this yourself.</p>
${form({ action, fields, button: `Go on to ${at}` })}
<p><a href="${text(listUrl)}">Cancel, and show my accounts</a></p>`,
  }
}

export interface KeyPage {
  readonly server: string
  readonly action: string
  readonly fields: Readonly<Record<string, string>>
  /** Where people with an account at the issuer log in, where there are such. */
  readonly loginUrl?: string | undefined
  readonly problem?: 'bad' | 'later' | undefined
}

/** For callers with API keys: whoever has the key is the caller. */
export function keyPage({ server, action, fields, loginUrl, problem }: KeyPage): Page {
  const [status, said] =
    problem === undefined
      ? [200, '']
      : problem === 'bad'
        ? [403, `<p role="alert">This is not an API key of this server, or not any more.</p>`]
        : [429, `<p role="alert">Too many wrong keys came from your address. Try again in a minute.</p>`]
  const field = `<p><label for="key">API key</label> <input id="key" name="key" type="password" autocomplete="off" required></p>`
  return {
    status,
    title: 'Who are you?',
    body: `${said}
<p>Type the API key with which your client calls <strong>${text(server)}</strong>. It is checked and not kept. Before you do, look at the address of this page: give the key to no other one.</p>
${form({ action, fields, button: 'Go on', more: field })}${loginUrl === undefined ? '' : `\n<p><a href="${text(loginUrl)}">Log in instead</a></p>`}`,
  }
}

export interface ListedRow {
  readonly service: string
  readonly tenant: string | undefined
  readonly linkedAt: string | undefined
  readonly scopes: readonly string[]
  readonly state: string
  readonly forms: string
}

export interface ListPage {
  readonly person: string
  readonly rows: readonly ListedRow[]
  readonly logout: string
}

export function listPage({ person, rows, logout }: ListPage): Page {
  const table = `
<table>
<caption>Accounts of ${text(person)}</caption>
<thead><tr><th scope="col">Service</th><th scope="col">State</th><th scope="col">Linked</th><th scope="col">Access</th><th scope="col">Change</th></tr></thead>
<tbody>${rows
    .map(
      ({ service, tenant, linkedAt, scopes, state, forms }) =>
        `<tr><th scope="row">${text(service)}${tenant === undefined ? '' : ` <small>(${text(tenant)})</small>`}</th><td>${text(state)}</td><td>${linkedAt === undefined ? 'no' : `<time datetime="${text(linkedAt)}">${text(linkedAt.slice(0, 16).replace('T', ' '))} UTC</time>`}</td><td>${text(scopes.join(', ') || '-')}</td><td>${forms}</td></tr>`,
    )
    .join('\n')}</tbody>
</table>`
  return {
    status: 200,
    title: 'Linked accounts',
    body: `${rows.length === 0 ? `<p>No account of ${text(person)} is linked. Call a tool that needs one: its answer has the address of the page where you can link it.</p>` : table}${logout}`,
  }
}

/** Between our form and the service: a form must lead nowhere else, and some services send the browser on to others. */
export function onwardPage(at: string, url: string): Page {
  return {
    status: 200,
    title: `Going to ${at}`,
    goesTo: url,
    body: `<p>You are being sent to ${text(at)}.</p><p><a href="${text(url)}">Continue to ${text(at)}</a></p>`,
  }
}

export function donePage(service: string, listUrl: string): Page {
  return {
    status: 200,
    title: 'Your account is linked',
    body: `<p>Your account at <strong>${text(service)}</strong> is linked. You can close this page: a call that waits goes on by itself, and any other one you can make again.</p><p><a href="${text(listUrl)}">Show my accounts</a></p>`,
  }
}

/** The only page of `patchbay login`. */
export function linkedPage(service: string): Page {
  return {
    status: 200,
    title: 'Your account is linked',
    body: `<p>Your account at <strong>${text(service)}</strong> is linked. You can close this page.</p>`,
  }
}

export function loggedOutPage(listUrl: string): Page {
  return {
    status: 200,
    title: 'You are logged out here',
    body: `<p>You may still be logged in where you logged in from here.</p><p><a href="${text(listUrl)}">Log in again, and show my accounts</a></p>`,
  }
}

/** Why a way ended: fixed words, since an address may ask for any of them. */
export const FAILURES = {
  ticket: [410, 'The link was used already, or is older than ten minutes', 'Make the call again: its answer has a new link.'],
  person: [
    403,
    'This link is not yours',
    'It was made for somebody else. Nothing was linked. Make the call yourself, or log out below and log in as the one who called.',
  ],
  state: [
    400,
    'This answer does not belong to anything that began in this browser',
    'Nothing was linked. Open the link again, and stay in one browser.',
  ],
  form: [403, 'The form was not sent from our own page, or is too old', 'Nothing was changed. Open the page again.'],
  denied: [403, 'Access was not allowed at the service', 'Nothing was linked. Open a new link when you have changed your mind.'],
  service: [
    502,
    'The service gave no token that can be used',
    'Nothing was linked. Try again; if it stays, the operator finds the reason in the log.',
  ],
  login: [502, 'The log-in did not work', 'Try again; if it stays, the operator finds the reason in the log.'],
  store: [503, 'The store of accounts does not answer', 'Nothing was changed. Try again in a minute.'],
  unknown: [404, 'There is no account to link here', 'The service is not one that accounts can be linked for, or not any more.'],
} as const satisfies Readonly<Record<string, readonly [status: number, title: string, advice: string]>>
export type Failure = keyof typeof FAILURES

export function failedPage(why: Failure, { listUrl, logout = '' }: { listUrl?: string; logout?: string } = {}): Page {
  const [status, title, advice] = FAILURES[why]
  return {
    status,
    title,
    body: `<p role="alert">${text(advice)}</p>${listUrl === undefined ? '' : `<p><a href="${text(listUrl)}">Show my accounts</a></p>`}${logout}`,
  }
}

export function form({
  action,
  fields,
  button,
  more = '',
}: {
  action: string
  fields: Readonly<Record<string, string>>
  button: string
  /** HTML: what a person fills in. */
  more?: string
}): string {
  const inputs = Object.entries(fields).map(
    ([name, value]) => `<input type="hidden" name="${text(name)}" value="${text(value)}">`,
  )
  return `<form method="post" action="${text(action)}">${inputs.join('')}${more}<button type="submit">${text(button)}</button></form>`
}

/** The whole document. */
export function documentOf({ title, body, goesTo }: Page): string {
  const onward = goesTo === undefined ? '' : `\n<meta http-equiv="refresh" content="0; url=${text(goesTo)}">`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">${onward}
<title>${text(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${text(title)}</h1>
${body}
</main>
</body>
</html>
`
}

const STYLE = `:root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}main{max-width:44rem;margin:2rem auto;padding:0 1rem}h1{font-size:1.5rem}dt{font-weight:600;margin-top:.5rem}dd{margin:0}table{border-collapse:collapse;width:100%}caption{text-align:left;font-weight:600;padding:.5rem 0}th,td{border:1px solid;padding:.4rem .6rem;text-align:left;vertical-align:top}form{display:inline-block;margin:.25rem .5rem .25rem 0}button{font:inherit;padding:.4rem 1rem;cursor:pointer}a:focus-visible,button:focus-visible{outline:3px solid;outline-offset:2px}`

/** No script at all, no frame, nothing from outside, and forms lead to us only. */
export const CONTENT_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

function list(items: readonly string[]): string {
  return `<ul>${items.map((item) => `<li>${text(item)}</li>`).join('')}</ul>`
}

/** As text or as the value of an attribute; what cannot be seen, or turns the direction of text, is shown as it is written. */
function text(value: string): string {
  return withEscapes(value).replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
