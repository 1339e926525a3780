import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Principal } from '@mcp-patchbay/plugin-api'
import { ServiceError } from '@mcp-patchbay/plugin-api/host'
import type { CredentialUse } from '../../../host/src/auth/outbound/credential-use.ts'
import { createCache } from '../../../host/src/cache/cache.ts'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import { pluginCache } from '../../../host/src/plugin/run/plugin-cache.ts'
import type { ToolSurface } from '../../../host/src/plugin/source/describe-surface.ts'
import { isCacheable, resultIdentity } from '../../../host/src/server/call/result/result-cache.ts'
import { activeRecord, emptyPlugin, emptyTool } from '../../fixtures/projects/snapshots.ts'

const record = activeRecord(emptyPlugin('a', [emptyTool('issues_get')]))
const [plain] = record.surface?.tools ?? []
assert.ok(plain)
const surface: ToolSurface = plain

/** Everything that two calls may differ in. */
interface Asked {
  readonly principal: Principal
  readonly use: CredentialUse | undefined
  readonly instance: string
  readonly version: string | undefined
  readonly surface: ToolSurface
}

const server: CredentialUse = { by: 'server', source: { kind: 'server', variables: ['A_TOKEN'] } }
const by = (fingerprint: string): CredentialUse => ({ by: 'caller', fingerprint, source: { kind: 'stored' } })
const ann: Principal = { id: 'ann', tenant: 'acme', permissions: ['p', 'q'], kind: 'apiKey' }

function identity(scope: 'caller' | 'shared', { principal, use, instance, version, surface: of }: Asked) {
  const plugin = {
    ...record,
    instance,
    ...(version !== undefined && { identity: () => version }),
    ...(use && { credentialUse: () => use }),
  }
  const tool = { plugin, access: 'read' as const, surface: { ...of, cache: { ttlMs: 1, scope } } }
  return resultIdentity(tool, { principal, credentials: undefined })
}

const asked: Asked = { principal: ann, use: server, instance: 'a', version: 'v1', surface }
const who = (change: Partial<Principal>): Partial<Asked> => ({ principal: { ...ann, ...change } })

/** What differs between two calls, and who may be given the other's answer: [`caller` scope, `shared` scope]. */
const differences: readonly (readonly [what: string, change: Partial<Asked>, ofCaller: boolean, shared: boolean])[] = [
  ['nothing', {}, true, true],
  ['the order of permissions', who({ permissions: ['q', 'p'] }), true, true],
  ['the id', who({ id: 'bob' }), false, true],
  ['the kind of principal', who({ kind: 'oauth' }), false, true],
  ['the permissions', who({ permissions: ['p'] }), false, true],
  ['permissions that read alike when they are joined', who({ permissions: ['p,q'] }), false, true],
  ['the tenant', who({ tenant: 'umbrella' }), false, false],
  ['having a tenant', who({ tenant: undefined }), false, false],
  ['the instance', { instance: 'b' }, false, false],
  ['the version', { version: 'v2' }, false, false],
  ['the tool', { surface: { ...surface, name: 'issues_list' } }, false, false],
  ['its output schema', { surface: { ...surface, wire: { ...surface.wire, outputSchema: { type: 'object' } } } }, false, false],
  ["a credential of the caller's own", { use: by('f1') }, false, false],
]

describe('an answer is given', () => {
  for (const [what, change, ofCaller, shared] of differences)
    for (const [scope, isSame] of [
      ['caller', ofCaller],
      ['shared', shared],
    ] as const)
      test(`${isSame ? '' : 'not '}to a call that differs in ${what}, with the scope ${scope}`, () => {
        const [one, other] = [identity(scope, asked), identity(scope, { ...asked, ...change })]
        assert.ok(one && other)
        assert.equal(JSON.stringify(one) === JSON.stringify(other), isSame)
      })
  for (const scope of ['caller', 'shared'] as const) {
    test(`to nobody else where a caller's own credential brought it, with the scope ${scope}`, () => {
      const one = JSON.stringify(identity(scope, { ...asked, use: by('f1') }))
      assert.equal(JSON.stringify(identity(scope, { ...asked, use: by('f1') })), one)
      for (const [what, other] of [
        ['another credential of the same caller', { use: by('f2') }],
        ['the same credential of another caller', { ...who({ id: 'bob' }), use: by('f1') }],
        ['the same credential of another kind of caller', { ...who({ kind: 'oauth' }), use: by('f1') }],
        ['the same credential in another tenant', { ...who({ tenant: 'umbrella' }), use: by('f1') }],
      ] as const)
        assert.notEqual(JSON.stringify(identity(scope, { ...asked, ...other })), one, what)
    })
    for (const [what, change] of [
      ['its code is not known for sure', { version: undefined }],
      ['its version was not imported yet', { use: undefined }],
      ['it may use no credential', { use: { by: 'refused', error: new ServiceError('AUTHENTICATION_FAILED', 'no') } }],
    ] as const)
      test(`neither kept nor looked for when ${what}, with the scope ${scope}`, () => {
        assert.equal(identity(scope, { ...asked, ...change }), undefined)
      })
  }
  test('to calls without any credential as to those with the one of the server, whose version is another', () => {
    assert.deepEqual(identity('shared', { ...asked, use: { by: 'none' } }), identity('shared', asked))
  })
})

const cache = { ttlMs: 1, scope: 'caller' } as const
for (const access of ['read', 'write'] as const)
  for (const interactive of [false, true])
    for (const approval of [{}, { approval: 'required' }] as const)
      for (const optedIn of [{}, { cache }]) {
        const isKept = access === 'read' && !interactive && !('approval' in approval) && 'cache' in optedIn
        const how = `${access}, interactive ${interactive}, ${JSON.stringify(approval)}, ${JSON.stringify(optedIn)}`
        test(`answers of a tool with ${how} are ${isKept ? '' : 'not '}kept`, () => {
          assert.equal(
            isCacheable({
              access,
              needsApproval: 'approval' in approval,
              surface: { ...surface, interactive, ...approval, ...optedIn },
            }),
            isKept,
          )
        })
      }

test("what a plugin keeps is one principal's, in one instance and version, and never its background work's", async () => {
  await using kept = createCache({ log: silentLogger })
  const mine = { instance: 'a', digest: 'v1', principal: ann }
  const others = [
    { ...mine, principal: undefined },
    ...[{ id: 'bob' }, { tenant: 'umbrella' }, { tenant: undefined }, { kind: 'oauth' as const }].map((change) => ({
      ...mine,
      principal: { ...ann, ...change },
    })),
    { ...mine, instance: 'b' },
    { ...mine, digest: 'v2' },
  ]
  await pluginCache(kept, mine).set('key', 'mine', { ttlMs: 60_000 })
  for (const other of others) {
    assert.equal(await pluginCache(kept, other).get('key'), undefined, JSON.stringify(other))
    await pluginCache(kept, other).set('key', 'theirs', { ttlMs: 60_000 })
  }
  assert.equal(await pluginCache(kept, mine).get('key'), 'mine')
  // The same person with other permissions has the same data.
  assert.equal(await pluginCache(kept, { ...mine, principal: { ...ann, permissions: [] } }).get('key'), 'mine')
})
