import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endOfToken, principalOf, timeProblem } from '../../../host/src/auth/inbound/claims.ts'

const NAMES = { tenantClaim: 'tenant', permissionClaims: ['scope', 'realm_access.roles'] }
const ISSUER = 'https://id.example.com'

/** [the claims beside `sub`, the tenant, the permissions] */
const CLAIMS: readonly (readonly [object, string | undefined, readonly string[]])[] = [
  [{}, undefined, []],
  [{ tenant: 'acme' }, 'acme', []],
  [{ tenant: '' }, undefined, []],
  [{ tenant: 5 }, undefined, []],
  [{ tenant: ['acme'] }, undefined, []],
  [{ tenant: null }, undefined, []],
  [{ scope: 'b a' }, undefined, ['a', 'b']],
  [{ scope: '  b  a ' }, undefined, ['a', 'b']],
  [{ scope: 'a a' }, undefined, ['a']],
  [{ scope: '*' }, undefined, []],
  [{ scope: 'a * b' }, undefined, ['a', 'b']],
  [{ scope: ['*', 'c d', 'a'] }, undefined, ['a', 'c d']],
  [{ scope: ['', 5, null, 'a'] }, undefined, ['a']],
  [{ scope: 5 }, undefined, []],
  [{ scope: { a: 'b' } }, undefined, []],
  [{ scope: 'a', realm_access: { roles: ['b'] } }, undefined, ['a', 'b']],
  [{ realm_access: { roles: 'b c' } }, undefined, ['b', 'c']],
  [{ realm_access: 'roles' }, undefined, []],
  [{ realm_access: null }, undefined, []],
  [{ 'realm_access.roles': ['plain'], realm_access: { roles: ['nested'] } }, undefined, ['plain']],
  [{ realm_access: Object.create({ roles: ['inherited'] }) as object }, undefined, []],
  [{ scp: 'a', roles: ['b'], permissions: ['c'] }, undefined, []],
]

for (const [claims, tenant, permissions] of CLAIMS)
  test(`of ${JSON.stringify(claims)} come the tenant ${tenant} and the permissions ${permissions.join(', ') || 'none'}`, () => {
    const principal = principalOf(ISSUER, { ...claims, sub: 'ada' }, NAMES)
    // The SHA-256 of '["https://id.example.com","ada"]'.
    assert.deepEqual(principal, { id: 'Sx64xVXT-XhixqykmzE2MPMY0V4ysrTD_7TD1i4JZFg', tenant, permissions, kind: 'oauth' })
    assert.ok(Object.isFrozen(principal) && Object.isFrozen(principal.permissions))
  })

test('a person is one of an issuer, however the two texts are put together', () => {
  const id = (issuer: string, sub: string) => principalOf(issuer, { sub }, NAMES).id
  const ids = [id('a', 'b'), id('a', 'c'), id('d', 'b'), id('ab', ''), id('a","b', ''), id('', 'ab')]
  assert.equal(new Set(ids).size, ids.length)
  assert.equal(id('a', 'b'), ids[0])
})

test('a claim of the prototype is none', () => {
  const of = (name: string) => principalOf(ISSUER, { sub: 'ada' }, { tenantClaim: name, permissionClaims: [name] })
  for (const name of ['constructor.name', '__proto__.constructor.name', 'toString.name', 'sub.constructor.name'])
    assert.deepEqual([of(name).tenant, of(name).permissions], [undefined, []], name)
})

const END_OF_9999 = 253_402_300_799
/** [the times of a token, the one that is none] */
const TIMES: readonly (readonly [object, string | undefined])[] = [
  [{}, undefined],
  [{ exp: 0, iat: 1, nbf: -1 }, undefined],
  [{ exp: END_OF_9999 }, undefined],
  [{ exp: END_OF_9999 + 1 }, 'exp'],
  [{ exp: Infinity }, 'exp'],
  [{ exp: '1' }, 'exp'],
  [{ exp: null }, 'exp'],
  [{ iat: -Infinity }, 'iat'],
  [{ iat: -END_OF_9999 }, undefined],
  [{ iat: -END_OF_9999 - 1 }, 'iat'],
  [{ iat: Number.NaN }, 'iat'],
  [{ nbf: '1' }, 'nbf'],
  [{ nbf: END_OF_9999 * 10 }, 'nbf'],
  [{ exp: 'x', iat: 'x', nbf: 'x' }, 'exp'],
  [{ jti: 'x' }, undefined],
]
for (const [times, expected] of TIMES)
  test(`of the times ${JSON.stringify(times)} ${expected ?? 'none'} is no time`, () => assert.equal(timeProblem(times), expected))

/** [exp, iat, tolerance, the oldest that a token may be, when it ends] in seconds */
const ENDS: readonly (readonly [unknown, number, number, number, number])[] = [
  [1_000, 500, 0, 10_000, 1_000],
  [1_000, 500, 30, 10_000, 1_030],
  [1_000, 500, 30, 500, 1_030],
  [1_000, 500, 30, 499, 1_029],
  [1_000, 500, 0, 100, 600],
  [undefined, 500, 30, 100, 630],
  ['1000', 500, 30, 100, 630],
  [Infinity, 500, 30, 100, 630],
]
for (const [exp, iat, toleranceSeconds, maxAgeSeconds, end] of ENDS)
  test(`a token of ${iat} with the end ${String(exp)} that may be ${maxAgeSeconds} s old ends at ${end}`, () =>
    assert.equal(endOfToken({ exp, iat }, { toleranceSeconds, maxAgeSeconds }), end * 1000))
