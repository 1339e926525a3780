import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EntryConfig, HostConfig } from 'mcp-patchbay'
import { resolveConfig } from '../../../host/src/config/file/resolve-config.ts'

type Auth = NonNullable<HostConfig['auth']>
type Service = NonNullable<EntryConfig['oauth']>

const issuer = 'https://idp.example'
const oauth = { resource: 'https://mcp.example/mcp', issuers: [{ issuer }] }
const accounts: Auth['accounts'] = { keyVariable: 'KEY', store: 'accounts' }
const withLogin: Auth['accounts'] = { ...accounts, login: { issuer, clientId: 'pages' } }
const service: Service = {
  clientId: 'host',
  authorizationUrl: 'https://desk.example/auth',
  tokenUrl: 'https://desk.example/token',
}

const resolve = (auth: Auth, entry: Partial<Service> | undefined = {}, use = './plugins/desk') =>
  resolveConfig({ auth, plugins: [{ use, ...(entry && { oauth: { ...service, ...entry } }) }] })

/** [what, auth, what is wrong with it] */
const AUTH: readonly (readonly [what: string, auth: Auth, problem: RegExp | undefined])[] = [
  ['mode none', { accounts }, undefined],
  ['mode apiKey', { accounts, inbound: { mode: 'apiKey' } }, undefined],
  ['mode oauth', { accounts, inbound: { mode: 'oauth', oauth } }, /plugins\[0\]\.oauth: needs auth\.accounts\.login/],
  ['mode any', { accounts, inbound: { mode: 'any', oauth } }, /plugins\[0\]\.oauth: needs auth\.accounts\.login/],
  ['mode oauth with a log-in', { accounts: withLogin, inbound: { mode: 'oauth', oauth } }, undefined],
  ['mode any with a log-in', { accounts: withLogin, inbound: { mode: 'any', oauth } }, undefined],
  ['no accounts', {}, /plugins\[0\]\.oauth: needs auth\.accounts:/],
  ['a Redis that is none', { accounts: { ...accounts, store: 'cache' } }, /auth\.accounts\.store: is "cache", but/],
  ['a store of another kind', { accounts: { ...accounts, store: 'redis://127.0.0.1' } }, /auth\.accounts\.store: is a URL/],
  [
    'a log-in elsewhere',
    {
      accounts: { ...accounts, login: { issuer: 'https://other.example', clientId: 'pages' } },
      inbound: { mode: 'oauth', oauth },
    },
    /auth\.accounts\.login\.issuer: is not one of auth\.inbound\.oauth\.issuers/,
  ],
]

const SERVICES: readonly (readonly [what: string, entry: Partial<Service>, problem: RegExp | undefined])[] = [
  ['an endpoint without TLS', { tokenUrl: 'http://desk.example/token' }, /oauth\.tokenUrl: must be https/],
  ['an endpoint on this machine', { tokenUrl: 'http://127.0.0.1/token' }, undefined],
  ['an endpoint with a fragment', { tokenUrl: 'https://desk.example/token#x' }, /oauth\.tokenUrl: has a fragment/],
  ['a parameter that the host sets', { parameters: { state: 'x' } }, /oauth\.parameters: has "state"/],
  ['a parameter of its own', { parameters: { audience: 'x' } }, undefined],
]

for (const [what, auth, problem] of AUTH)
  test(`linked accounts with ${what} are ${problem ? 'refused' : 'taken'}`, () => {
    if (problem) assert.throws(() => resolve(auth), { message: problem })
    else resolve(auth)
  })

for (const [what, entry, problem] of SERVICES)
  test(`a service with ${what} is ${problem ? 'refused' : 'taken'}`, () => {
    if (problem) assert.throws(() => resolve({ accounts }, entry), { message: problem })
    else resolve({ accounts }, entry)
  })
