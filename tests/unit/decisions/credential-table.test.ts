import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Principal } from '@mcp-patchbay/plugin-api'
import type { AccountTokens } from '../../../host/src/auth/accounts/account-tokens.ts'
import {
  decideCredential,
  type CredentialCall,
  type CredentialPolicy,
  type CredentialRefusal,
} from '../../../host/src/auth/outbound/credential-use.ts'
import { createServiceCredential } from '../../../host/src/auth/outbound/service-credential.ts'
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

type Answer = 'sent' | 'exchange' | 'stored' | 'server' | 'nobody' | `refused: ${CredentialRefusal}`

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
  [{}, 'nobody'],
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
      { isSent: sent, exchange, isStored: () => stored, hasServer: server },
      { allowRequestCredentials: accepts, serverCredentials: policy, isNeeded: needed, isRaw: raw },
      { access, ...CALLERS[caller] },
    )
    const row = rowFor(inputs)
    used.add(row)
    assert.equal(typeof decided === 'string' ? decided : `refused: ${decided.why}`, TABLE[row]?.[1], JSON.stringify(inputs))
  }
  assert.equal(used.size, TABLE.length, 'every row is the answer to some call')
})

test('whether an account is linked is not looked up for a call that goes with something higher', () => {
  const policy: CredentialPolicy = { allowRequestCredentials: true, serverCredentials: 'deny', isNeeded: true, isRaw: false }
  const call: CredentialCall = { access: 'read', ...CALLERS['access token'] }
  const isStored = () => assert.fail('it was looked up')
  for (const [isSent, exchange] of [
    [true, 'off'],
    [true, 'token'],
    [true, 'noToken'],
    [false, 'token'],
    [false, 'noToken'],
  ] as const)
    decideCredential({ isSent, exchange, isStored, hasServer: true }, policy, call)
})

const EXCHANGE = { tokenUrl: 'https://id.example.com/token', clientId: 'id', clientSecret: 'client-secret' }

/** A service with these credentials, asked by a caller with these. */
function service({
  server = false,
  exchange = false,
  stored,
  allow = true,
}: {
  server?: boolean
  exchange?: boolean
  stored?: string | Error
  allow?: boolean
}) {
  const accounts = {
    get: () => {
      if (stored instanceof Error) throw stored
      return stored
    },
    link() {},
    unlink: () => false,
  } satisfies AccountTokens
  return createServiceCredential({
    settings: {
      instance: 'tracker',
      values: new Map(server ? [['personalToken', 'server-token']] : []),
      fingerprintKey: Buffer.alloc(32, 1),
    },
    policy: { allowRequestCredentials: allow, serverCredentials: 'allow', isNeeded: true, isRaw: false },
    ...(exchange && { exchange: EXCHANGE }),
    accounts,
    redactor: createRedactor(),
    log: silentLogger,
  })
}

function callOf(sent: string | undefined, subjectToken: string | undefined, change: Partial<Principal> = {}): CredentialCall {
  return {
    access: 'read',
    principal: { ...principal, kind: 'oauth', ...change },
    credentials: { of: (instance) => (instance === 'tracker' ? sent : undefined), subjectToken, secrets: [] },
  }
}

for (const sent of [undefined, 'Bearer sent-token'])
  for (const exchange of YES_NO)
    for (const stored of [undefined, 'Bearer stored-token'])
      for (const server of YES_NO) {
        const expected = sent ? 'header' : exchange ? 'exchange' : stored ? 'stored' : server ? 'server' : 'refused'
        const has = Object.entries({ sent, exchange, stored, server }).flatMap(([name, there]) => (there ? [name] : []))
        test(`with ${has.join(', ') || 'nothing'} at hand the service is asked by ${expected}`, async () => {
          await using credential = service({ server, exchange, ...(stored && { stored }) })
          const call = callOf(sent, 'subject-token')
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
  await using closed = service({ server: true, stored: 'Bearer stored-token', allow: false })
  const use = closed.useOf(callOf('Bearer sent-token', undefined))
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
  const accounts = { dir: './accounts', keyVariable: 'KEY' }
  for (const exchanges of YES_NO)
    for (const isUpstream of YES_NO)
      for (const policy of SETTINGS)
        for (const accepts of YES_NO)
          for (const links of YES_NO) {
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
