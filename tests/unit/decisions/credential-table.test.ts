import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Principal } from '@mcp-patchbay/plugin-api'
import {
  decideCredential,
  type CredentialCall,
  type CredentialPolicy,
  type CredentialRefusal,
} from '../../../host/src/auth/outbound/credential-use.ts'
import { createServiceCredential } from '../../../host/src/auth/outbound/service-credential.ts'
import type { CallAccount } from '../../../host/src/network/http-call-scope.ts'
import { hostError } from '../../../host/src/errors.ts'
import { resolveConfig } from '../../../host/src/config/file/resolve-config.ts'
import { normalizeEntry } from '../../../host/src/config/schema/schema.ts'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import { createRedactor } from '../../../host/src/observability/redact.ts'
import { entryCredentials } from '../../../host/src/plugin/settings/credential-policy.ts'

const YES_NO = [true, false] as const
const brought = { of: () => undefined, subjectToken: undefined, secrets: [] }
const principal: Principal = { id: 'x', tenant: undefined, permissions: [], kind: 'apiKey' }

/** Who can call: the operator comes by no request; on an open loopback listener the principal is the same one, but comes by one. */
const CALLERS = {
  operator: { principal: { ...principal, kind: 'local' }, credentials: undefined },
  'open listener': { principal: { ...principal, kind: 'local' }, credentials: brought },
  'API key': { principal, credentials: brought },
  'API key in process': { principal, credentials: undefined },
  'access token': { principal: { ...principal, kind: 'oauth' }, credentials: brought },
} as const satisfies Record<string, Pick<CredentialCall, 'principal' | 'credentials'>>

/** Every input of the decision. */
interface Inputs {
  readonly sent: boolean
  readonly accepts: boolean
  readonly exchange: 'off' | 'token' | 'noToken'
  readonly stored: boolean
  readonly server: boolean
  readonly policy: CredentialPolicy['serverCredentials']
  readonly raw: boolean
  readonly needed: boolean
  readonly access: 'read' | 'write'
  readonly caller: keyof typeof CALLERS
}

type Answer = 'sent' | 'exchange' | 'stored' | 'server' | 'none' | `refused: ${CredentialRefusal}`

const notOperator = ['open listener', 'API key', 'API key in process', 'access token'] as const
/** What a row says nothing of may be anything. Of the rows that fit, the first has the answer. */
const TABLE: readonly (readonly [{ readonly [Key in keyof Inputs]?: Inputs[Key] | readonly Inputs[Key][] }, Answer])[] = [
  [{ sent: true, accepts: false }, 'refused: notAccepted'],
  [{ sent: false, exchange: 'noToken', caller: 'access token' }, 'refused: noToken'],
  // A plugin that has the secrets uses them whatever the caller brings, so who may not use them may not call it.
  [{ raw: true, policy: 'deny', caller: notOperator }, 'refused: deny'],
  [{ raw: true, policy: 'readOnly', access: 'write', caller: notOperator }, 'refused: readOnly'],
  [{ sent: true }, 'sent'],
  [{ exchange: 'token' }, 'exchange'],
  [{ stored: true }, 'stored'],
  [{ server: true, policy: 'deny', caller: notOperator }, 'refused: deny'],
  [{ server: true, policy: 'readOnly', access: 'write', caller: notOperator }, 'refused: readOnly'],
  [{ server: true }, 'server'],
  [{ needed: true }, 'refused: none'],
  [{}, 'none'],
]

function combinations(): Inputs[] {
  const all: Inputs[] = []
  for (const sent of YES_NO)
    for (const accepts of YES_NO)
      for (const exchange of ['off', 'token', 'noToken'] as const)
        for (const stored of YES_NO)
          for (const server of YES_NO)
            for (const policy of ['allow', 'readOnly', 'deny'] as const)
              for (const raw of YES_NO)
                for (const needed of YES_NO)
                  for (const access of ['read', 'write'] as const)
                    for (const caller of Object.keys(CALLERS) as (keyof typeof CALLERS)[])
                      all.push({ sent, accepts, exchange, stored, server, policy, raw, needed, access, caller })
  return all
}

function rowFor(inputs: Inputs): number {
  return TABLE.findIndex(([row]) =>
    (Object.entries(row) as [keyof Inputs, unknown][]).every(([key, wanted]) =>
      Array.isArray(wanted) ? wanted.includes(inputs[key]) : wanted === inputs[key],
    ),
  )
}

test('every call goes with the credential that the table says, or is refused for the reason that it says', () => {
  const used = new Set<number>()
  const all = combinations()
  assert.equal(all.length, 5_760)
  for (const inputs of all) {
    const { sent, accepts, exchange, stored, server, policy, raw, needed, access, caller } = inputs
    const decided = decideCredential(
      { isSent: sent, exchange, isStored: stored, hasServer: server },
      { allowRequestCredentials: accepts, serverCredentials: policy, isNeeded: needed, isRaw: raw },
      { access, ...CALLERS[caller] },
    )
    const row = rowFor(inputs)
    used.add(row)
    assert.equal(typeof decided === 'string' ? decided : `refused: ${decided.why}`, TABLE[row]?.[1], JSON.stringify(inputs))
  }
  assert.equal(used.size, TABLE.length, 'every row is the answer to some call')
})

const EXCHANGE = { tokenUrl: 'https://id.example.com/token', clientId: 'id', clientSecret: 'client-secret' }

/** A service with these credentials, asked by a caller with these. */
function service({
  server = false,
  exchange = false,
  allow = true,
  canLink = false,
}: {
  server?: boolean
  exchange?: boolean
  allow?: boolean
  canLink?: boolean
}) {
  return createServiceCredential({
    settings: {
      instance: 'tracker',
      values: new Map(server ? [['personalToken', 'server-token']] : []),
      fingerprintKey: Buffer.alloc(32, 1),
    },
    policy: { allowRequestCredentials: allow, serverCredentials: 'allow', isNeeded: true, isRaw: false },
    ...(exchange && { exchange: EXCHANGE }),
    canLink,
    redactor: createRedactor(),
    log: silentLogger,
  })
}

function linked(line: string): CallAccount {
  return {
    fingerprint: 'link',
    isOAuth: false,
    token: async () => line,
    refused() {},
    lacks() {},
    lacking: async () => undefined,
  }
}

function callOf(
  sent: string | undefined,
  subjectToken: string | undefined,
  { account, ...change }: Partial<Principal> & { account?: CallAccount } = {},
): CredentialCall {
  return {
    account,
    access: 'read',
    principal: { ...principal, kind: 'oauth', ...change },
    credentials: {
      of: (instance) =>
        instance === 'tracker' && sent !== undefined ? { kind: 'authorization', line: sent, header: 'X' } : undefined,
      subjectToken,
      secrets: [],
    },
  }
}

for (const sent of [undefined, 'Bearer sent-token'])
  for (const exchange of YES_NO)
    for (const stored of [undefined, 'Bearer stored-token'])
      for (const server of YES_NO) {
        const expected = sent ? 'header' : exchange ? 'exchange' : stored ? 'stored' : server ? 'server' : 'refused'
        const has = Object.entries({ sent, exchange, stored, server }).flatMap(([name, there]) => (there ? [name] : []))
        test(`with ${has.join(', ') || 'nothing'} at hand the service is asked by ${expected}`, async () => {
          await using credential = service({ server, exchange })
          const call = callOf(sent, 'subject-token', stored ? { account: linked(stored) } : {})
          const use = credential.useOf(call)
          assert.equal('source' in use ? use.source.kind : use.by, expected)
          assert.equal(use.by, expected === 'server' || expected === 'refused' ? expected : 'caller')
          if (exchange && !sent) return undefined
          const headers: Record<string, string> = {}
          const fetching = credential.resolve({ ...call, safePaths: [], signal: new AbortController().signal, requestId: 'r' })
          if (expected === 'refused') return assert.rejects(fetching, { code: 'AUTHENTICATION_FAILED' })
          const fetched = await fetching
          fetched?.apply(headers)
          const token = expected === 'header' ? 'sent' : expected
          return assert.deepEqual(headers, { authorization: `Bearer ${token}-token` })
        })
      }

test('a credential that is not accepted is not replaced by another, and one that cannot be read is an error of the call', async () => {
  await using closed = service({ server: true, allow: false })
  const use = closed.useOf(callOf('Bearer sent-token', undefined, { account: linked('Bearer stored-token') }))
  assert.match(use.by === 'refused' ? use.error.message : use.by, /the one that was sent is not accepted here/)
})

test("exchanged tokens are known by tenant, kind and id of the caller and by the caller's token", async () => {
  await using credential = service({ exchange: true })
  const nameOf = (token: string, change?: Partial<Principal>) => {
    const use = credential.useOf(callOf(undefined, token, change))
    return use.by === 'caller' ? use.fingerprint : assert.fail(use.by)
  }
  const one = nameOf('token')
  assert.equal(nameOf('token'), one)
  const others = [
    nameOf('weaker-token'),
    nameOf('token', { tenant: 'acme' }),
    nameOf('token', { id: 'y' }),
    nameOf('token', { kind: 'apiKey' }),
  ]
  assert.equal(new Set([one, ...others]).size, 5)
  assert.ok(![one, ...others].some((name) => name.includes('token')))
})

test('a linked account that cannot be used is an error of the call, also where the server has a credential', async () => {
  await using credential = service({ server: true, canLink: true })
  for (const mustLinkAgain of YES_NO) {
    const use = credential.useOf(
      callOf(undefined, undefined, { account: { problem: hostError('ACCOUNT_STORE', {}), mustLinkAgain } }),
    )
    assert.ok(use.by === 'refused')
    assert.match(use.error.message, /did not answer/)
    assert.equal(use.wantsAccount, mustLinkAgain)
  }
})

test('a refused call wants an account where one can be linked, and would help', async () => {
  for (const canLink of YES_NO) {
    await using nothing = service({ canLink })
    const use = nothing.useOf(callOf(undefined, undefined))
    assert.equal(use.by === 'refused' && use.wantsAccount, canLink)
  }
  await using closed = service({ canLink: true, allow: false })
  const use = closed.useOf(callOf('Bearer sent-token', undefined))
  assert.equal(use.by === 'refused' && use.wantsAccount, false)
})

test('a linked account keeps its name while its token changes, and a 401 is told with the token that it was for', async () => {
  await using credential = service({ server: true })
  const refused: string[] = []
  let current = 'first'
  const account: CallAccount = {
    fingerprint: 'the-link',
    isOAuth: true,
    token: async () => current,
    refused: (token) => void refused.push(token),
    lacks() {},
    lacking: async () => undefined,
  }
  const scope = {
    ...callOf(undefined, undefined, { account }),
    safePaths: [],
    signal: new AbortController().signal,
    requestId: 'r',
  }
  const first = await credential.resolve(scope)
  current = 'second'
  const second = await credential.resolve(scope)
  first?.refused?.()
  assert.deepEqual([first?.fingerprint, second?.fingerprint, refused], ['the-link', 'the-link', ['first']])
})

const resolved = resolveConfig({})
const MODES = ['none', 'apiKey', 'oauth', 'any'] as const
const SETTINGS = [undefined, 'allow', 'readOnly', 'deny'] as const

test("the server's own credential is everybody's only where nobody is asked who calls, unless the config says otherwise", () => {
  for (const mode of MODES)
    for (const started of MODES)
      for (const ofHost of SETTINGS)
        for (const ofEntry of SETTINGS) {
          const expected = ofEntry ?? ofHost ?? (mode === 'none' && started === 'none' ? 'allow' : 'deny')
          const config = { ...resolved, auth: { ...inbound(mode), ...(ofHost && { serverCredentials: ofHost }) } }
          const entry = normalizeEntry({ use: './x', ...(ofEntry && { serverCredentials: ofEntry }) })
          const { serverCredentials } = entryCredentials(config, entry, { auth: inbound(started) })
          assert.equal(serverCredentials, expected, JSON.stringify({ mode, started, ofHost, ofEntry }))
        }
})

test('a service needs no credential of the server where the config counts on callers to bring theirs', () => {
  const exchange = { tokenUrl: 'https://id.example.com/token', clientId: 'id', clientSecretVariable: 'SECRET' }
  const accounts = { store: './accounts', keyVariable: 'KEY' }
  const oauth = { issuer: 'https://service.example.com', clientId: 'id' }
  for (const exchanges of YES_NO)
    for (const isUpstream of YES_NO)
      for (const policy of SETTINGS)
        for (const accepts of YES_NO)
          for (const links of YES_NO) {
            assert.ok(
              entryCredentials({ auth: inbound('none'), compat: resolved.compat }, normalizeEntry({ use: './x', oauth }))
                .areCallers,
            )
            const config = {
              auth: { ...inbound('none'), ...(links && { accounts }) },
              compat: { ...resolved.compat, authorizationIsUpstream: isUpstream },
            }
            const entry = normalizeEntry({
              use: './x',
              allowRequestCredentials: accepts,
              ...(policy && { serverCredentials: policy }),
              ...(exchanges && { exchange }),
            })
            const expected = exchanges || isUpstream || (policy === 'deny' && (accepts || links))
            const { areCallers, allowRequestCredentials } = entryCredentials(config, entry)
            assert.deepEqual({ areCallers, allowRequestCredentials }, { areCallers: expected, allowRequestCredentials: accepts })
          }
})

test('a plugin is raw that was granted the secrets', () => {
  const isRaw = (capabilities: object) => entryCredentials(resolved, normalizeEntry({ use: './x', capabilities })).isRaw
  assert.deepEqual([isRaw({}), isRaw({ credentials: 'raw' })], [false, true])
})

function inbound(mode: (typeof MODES)[number]) {
  return { ...resolved.auth, inbound: { ...resolved.auth.inbound, mode } }
}
