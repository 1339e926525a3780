import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  NO_CREDENTIALS,
  parseAuthorization,
  readRequestCredentials,
  upstreamHeader,
} from '../../../host/src/auth/outbound/request-credentials.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** [a line, its scheme and value; undefined for what is no credential] */
const LINES: readonly (readonly [string, readonly [string | undefined, string] | undefined])[] = [
  ['Bearer t', ['Bearer', 't']],
  ['bearer   t', ['bearer', 't']],
  ['Digest-2 t', ['Digest-2', 't']],
  ['t', [undefined, 't']],
  ['!"#$%&~', [undefined, '!"#$%&~']],
  ['', undefined],
  ['Bearer', undefined],
  ['bearer', undefined],
  ['BASIC', undefined],
  ['Bearerx', [undefined, 'Bearerx']],
  ['Bearer ', undefined],
  ['Bearer a b', undefined],
  [' Bearer t', undefined],
  ['2x t', undefined],
  ['Bearer\tt', undefined],
  ['t\u00e4', undefined],
  ['Bearer t\u007f', undefined],
  ['Bearer bearer', ['Bearer', 'bearer']],
  [`Basic ${base64('u:p')}`, ['Basic', base64('u:p')]],
  [`basic ${base64(':')}`, ['basic', base64(':')]],
  [`Basic ${base64('u:p:q')}`, ['Basic', base64('u:p:q')]],
  [`Basic ${base64('a:b').replace(/=+$/, '')}`, ['Basic', base64('a:b').replace(/=+$/, '')]],
  [`Basic ${base64('without a colon')}`, undefined],
  [`Basic ${base64('u:p\n')}`, undefined],
  [`Basic ${base64('u\u0000:p')}`, undefined],
  ['Basic u:p', undefined],
  ['Basic dTpw=dTpw', undefined],
  ['Basic dTq', undefined],
  ['Basic dTpw===', undefined],
  ['Bearer u:p', ['Bearer', 'u:p']],
]
for (const [line, expected] of LINES)
  test(`${JSON.stringify(line)} is ${expected ? `a credential of the scheme ${expected[0]}` : 'no credential'}`, () => {
    assert.deepEqual(parseAuthorization(line), expected && { scheme: expected[0], value: expected[1] })
  })

for (const [instance, header] of [
  ['github', 'X-Upstream-Github-Authorization'],
  ['my_git_hub', 'X-Upstream-My-Git-Hub-Authorization'],
  ['a1', 'X-Upstream-A1-Authorization'],
] as const)
  test(`callers send their credential for ${instance} in ${header}`, () => assert.equal(upstreamHeader(instance), header))

const takes = (instance: string) => (instance === 'closed' ? false : ['git', 'git_hub', 'other'].includes(instance) || undefined)
const read = (headers: readonly string[], compat?: string) => {
  const found = readRequestCredentials(headers, compat === undefined ? { takes } : { takes, authorizationIsFor: () => compat })
  if ('problem' in found) return found.problem
  return Object.fromEntries(
    ['git', 'git_hub', 'other', 'closed'].flatMap((instance) => {
      const brought = found.credentials.of(instance)
      return brought ? [[instance, `${brought.kind} ${brought.line} (${brought.header})`]] : []
    }),
  )
}

/** [headers, the service that Authorization is for, what is brought or the problem] */
const READ: readonly (readonly [readonly string[], string | undefined, object | RegExp])[] = [
  [[], undefined, {}],
  [['Host', 'h', 'Authorization', 'Bearer t', 'X-API-Key', 'k'], undefined, {}],
  [['X-Upstream-Git-Authorization', ' Bearer t '], undefined, { git: 'authorization Bearer t (X-Upstream-Git-Authorization)' }],
  [['x-upstream-git-hub-authorization', 't'], undefined, { git_hub: 'authorization t (X-Upstream-Git-Hub-Authorization)' }],
  [['X-UPSTREAM-GIT_HUB-AUTHORIZATION', 't'], undefined, { git_hub: 'authorization t (X-Upstream-Git-Hub-Authorization)' }],
  [
    ['X-Upstream-Git-Authorization', 'a', 'X-Upstream-Other-Authorization', 'b'],
    undefined,
    { git: 'authorization a (X-Upstream-Git-Authorization)', other: 'authorization b (X-Upstream-Other-Authorization)' },
  ],
  [['X-Upstream-Git-Authorization', 'a', 'X-Upstream-Git-Authorization', 'a'], undefined, /a second credential for "git"/],
  [
    ['X-Upstream-Git-Hub-Authorization', 'a', 'x-upstream-git_hub-authorization', 'b'],
    undefined,
    /a second credential for "git_hub"/,
  ],
  [['X-Upstream-Git-Authorization', ''], undefined, /^X-Upstream-Git-Authorization holds no credential: write Bearer/],
  [['X-Upstream-Git-Authorization', 'Bearer'], undefined, /holds no credential/],
  [['X-Upstream-Git-Authorization', 'Bearer a b'], undefined, /holds no credential/],
  [
    ['X-Upstream-Gone-Authorization', 't'],
    undefined,
    /^X-Upstream-Gone-Authorization is for no service of this server: there is no "gone"/,
  ],
  [['X-Upstream-Closed-Authorization', 't'], undefined, /is not accepted: "closed" takes no credentials of callers/],
  [['X-Upstream-Git-Url', 'https://evil'], undefined, /X-Upstream-Git-Url is no header of this server/],
  [['X-Upstream-Authorization', 't'], undefined, /is no header of this server/],
  [['X-Upstream-', 't'], undefined, /is no header of this server/],
  [['X-Upstream-Git-Authorization-2', 't'], undefined, /is no header of this server/],
  [['X-Upstream--Git-Authorization', 't'], undefined, /is no header of this server/],
  [['X-Upstrea', 't', 'X-Upstream', 't', 'Y-Upstream-Git-Authorization', 't'], undefined, {}],
  [['Authorization', 'Bearer t'], 'git', { git: 'authorization Bearer t (Authorization)' }],
  [['x-api-key', 'k'], 'git', { git: 'apiKey k (x-api-key)' }],
  [['X-API-Key', 'k', 'Authorization', 'Bearer t'], 'git', { git: 'authorization Bearer t (Authorization)' }],
  [['Authorization', 'Bearer t', 'X-API-Key', 'k'], 'git', { git: 'authorization Bearer t (Authorization)' }],
  [['X-API-Key', 'k', 'X-API-Key', 'k'], 'git', /X-API-Key brings a second credential for "git"/],
  [['Authorization', 'Bearer t', 'X-Upstream-Git-Authorization', 'u'], 'git', /a second credential for "git"/],
  [['X-API-Key', 'a b'], 'git', /X-API-Key holds no credential/],
  [['X-API-Key', 'Bearer'], 'git', { git: 'apiKey Bearer (X-API-Key)' }],
  [['Authorization', 'Bearer'], 'git', /Authorization holds no credential/],
  [['Authorization', 'Bearer t'], 'closed', /"closed" takes no credentials of callers/],
  [['Authorization', 'Bearer t'], 'gone', /there is no "gone"/],
  [
    ['X-Upstream-Other-Authorization', 'u', 'X-API-Key', 'k'],
    'git',
    { git: 'apiKey k (X-API-Key)', other: 'authorization u (X-Upstream-Other-Authorization)' },
  ],
]
for (const [headers, compat, expected] of READ)
  test(`${JSON.stringify(headers)}${compat === undefined ? '' : ` where Authorization is for ${compat}`} brings ${expected instanceof RegExp ? 'an error' : JSON.stringify(Object.keys(expected))}`, () => {
    const found = read(headers, compat)
    if (expected instanceof RegExp) assert.match(typeof found === 'string' ? found : '', expected)
    else assert.deepEqual(found, expected)
  })

test('what a request brought is secret: each token, each password alone, and the token that is exchanged', () => {
  const secrets = (headers: readonly string[], subject?: string) => {
    const found = readRequestCredentials(headers, { takes, authorizationIsFor: () => 'other' }, subject)
    return 'problem' in found ? found.problem : found.credentials.secrets
  }
  const basic = base64('user:pass:word')
  assert.deepEqual(secrets(['X-Upstream-Git-Authorization', `bAsic ${basic}`]), [basic, 'user:pass:word', 'pass:word'])
  assert.deepEqual(secrets(['X-Upstream-Git-Authorization', 'Bearer t', 'X-API-Key', 'k'], 'subject'), ['t', 'k', 'subject'])
  assert.deepEqual(secrets([], 'subject'), ['subject'])
  assert.deepEqual(secrets([]), [])
})

test('a request that brings nothing is the same for all, and one with a token to exchange is not', () => {
  assert.deepEqual(readRequestCredentials(['Host', 'h'], { takes }), { credentials: NO_CREDENTIALS })
  const found = readRequestCredentials([], { takes }, 'subject')
  assert.ok('credentials' in found && found.credentials !== NO_CREDENTIALS)
  assert.equal(found.credentials.subjectToken, 'subject')
  assert.equal(found.credentials.of('git'), undefined)
})
