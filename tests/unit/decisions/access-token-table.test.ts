import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type JWTHeaderParameters } from 'jose'
import { createJwtVerifier, isJwt, type JwtIssuer } from '../../../host/src/auth/inbound/jwt.ts'

const AT = 1_800_000_000
const ISSUER = 'https://id.example.com'
const AUDIENCE = 'https://mcp.example.com/mcp'

const own = await generateKeyPair('ES256', { extractable: true })
const stranger = await generateKeyPair('ES256')
const findKey = createLocalJWKSet({ keys: [{ ...(await exportJWK(own.publicKey)), kid: 'own' }] })

const issuer = (change: Partial<JwtIssuer> = {}): JwtIssuer => ({
  issuer: ISSUER,
  findKey,
  algorithms: ['ES256'],
  audiencesAt: (path) => (path === '/mcp' ? [AUDIENCE, `${AUDIENCE}/`] : [`${AUDIENCE}/readonly`]),
  tokenType: 'at+jwt',
  toleranceSeconds: 30,
  maxAgeSeconds: 7_200,
  tenantClaim: 'tenant',
  permissionClaims: ['scope'],
  ...change,
})

function signed(claims: object, header: object = {}, key: CryptoKey = own.privateKey): Promise<string> {
  const payload = { iss: ISSUER, aud: AUDIENCE, sub: 'ada', iat: AT, exp: AT + 3_600, ...claims }
  const whole = { alg: 'ES256', typ: 'at+jwt', kid: 'own', ...header } as JWTHeaderParameters
  return new SignJWT(JSON.parse(JSON.stringify(payload)) as object as Record<string, unknown>).setProtectedHeader(whole).sign(key)
}

const verdict = async (token: string, change: Partial<JwtIssuer> = {}, path = '/mcp') =>
  await createJwtVerifier([issuer({ ...change, issuer: 'https://other.example.com' }), issuer(change)], {
    now: () => AT * 1000,
    keepMs: 60_000,
  })(token, path)

/** [claims that differ, what it is refused for, or the end of the token in seconds from now] */
const CLAIMS: readonly (readonly [object, string | number])[] = [
  [{}, 3_630],
  [{ exp: AT + 10 }, 40],
  [{ exp: AT - 29 }, 1],
  [{ exp: AT - 30 }, 'exp'],
  [{ exp: undefined }, 'exp'],
  [{ exp: String(AT + 3_600) }, 'exp'],
  [{ exp: 1e300 }, 'exp'],
  [{ iat: AT - 7_200 }, 30],
  [{ iat: AT - 7_230 }, 0],
  [{ iat: AT - 7_231 }, 'iat'],
  [{ iat: AT + 30 }, 3_630],
  [{ iat: AT + 31 }, 'iat'],
  [{ iat: undefined }, 'iat'],
  [{ nbf: AT + 30 }, 3_630],
  [{ nbf: AT + 31 }, 'nbf'],
  [{ nbf: 'now' }, 'nbf'],
  [{ nbf: -1e300 }, 'nbf'],
  [{ aud: `${AUDIENCE}/` }, 3_630],
  [{ aud: ['https://x', AUDIENCE] }, 3_630],
  [{ aud: `${AUDIENCE}/readonly` }, 'aud'],
  [{ aud: 'https://x' }, 'aud'],
  [{ aud: [] }, 'aud'],
  [{ aud: undefined }, 'aud'],
  [{ sub: undefined }, 'sub'],
  [{ sub: '' }, 'sub'],
  [{ sub: 5 }, 'sub'],
  [{ cnf: { jkt: 'x' } }, 'cnf'],
  [{ cnf: null }, 'cnf'],
  [{ iss: `${ISSUER}/` }, 'issuer'],
  [{ iss: undefined }, 'issuer'],
]
for (const [claims, expected] of CLAIMS)
  test(`a token with ${JSON.stringify(claims, (_, value: unknown) => value ?? null)} ${typeof expected === 'string' ? `is refused for ${expected}` : `ends in ${expected} s`}`, async () => {
    const found = await verdict(await signed(claims))
    if ('refused' in found) return assert.equal(found.refused, expected)
    return assert.equal(found.accepted.expiresAt, (AT + Number(expected)) * 1000)
  })

/** [what the token says that it is, the setting, whether it is taken] */
const TYPES: readonly (readonly [string | undefined, 'at+jwt' | 'JWT', true | string])[] = [
  ['at+jwt', 'at+jwt', true],
  ['AT+JWT', 'at+jwt', true],
  ['application/at+jwt', 'at+jwt', true],
  ['JWT', 'at+jwt', 'typ'],
  [undefined, 'at+jwt', 'typ'],
  ['id+jwt', 'at+jwt', 'typ'],
  ['at+jwt', 'JWT', true],
  ['JWT', 'JWT', true],
  ['jwt', 'JWT', true],
  ['application/jwt', 'JWT', true],
  [undefined, 'JWT', true],
  ['id+jwt', 'JWT', 'typ'],
  ['logout+jwt', 'JWT', 'typ'],
  ['at+jwt+x', 'JWT', 'typ'],
  ['', 'JWT', 'typ'],
]
for (const [typ, tokenType, expected] of TYPES)
  test(`a token of the type ${typ} is ${expected === true ? 'taken' : 'refused'} where ${tokenType} is asked for`, async () => {
    const found = await verdict(await signed({}, { typ }), { tokenType })
    assert.equal('accepted' in found || found.refused, expected)
  })

test('a token counts only with the signature of its issuer, by an algorithm of the config', async () => {
  const good = await signed({})
  const refusal = async (token: string, change: Partial<JwtIssuer> = {}) => {
    const found = await verdict(token, change)
    return 'refused' in found ? found.refused : 'accepted'
  }
  assert.equal(await refusal(await signed({}, {}, stranger.privateKey)), 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED')
  assert.equal(await refusal(await signed({}, { kid: 'other' })), 'ERR_JWKS_NO_MATCHING_KEY')
  assert.equal(await refusal(good, { algorithms: ['RS256'] }), 'ERR_JOSE_ALG_NOT_ALLOWED')
  const plain = new UnsecuredJWT({ iss: ISSUER, aud: AUDIENCE, sub: 'ada', iat: AT, exp: AT + 60 }).encode()
  assert.equal(await refusal(plain), 'ERR_JOSE_ALG_NOT_ALLOWED')
  for (const text of ['', 'ey', 'ey.ey.ey', `${good}x.`, good.split('.').slice(0, 2).join('.')])
    assert.notEqual(await refusal(text), 'accepted', text)
})

test('a key that Node cannot use refuses the token, and any other failure is told', async () => {
  const failing = (error: Error): Partial<JwtIssuer> => ({
    findKey: async () => {
      throw error
    },
  })
  assert.deepEqual(await verdict(await signed({}), failing(new TypeError('short'))), { refused: 'key' })
  await assert.rejects(verdict(await signed({}), failing(new RangeError('away'))), { name: 'RangeError' })
})

test('a token is looked at again after a minute, or at its end, and is good at the address it names', async () => {
  const whole = await signed({ tenant: 'acme', scope: 'b a' })
  const found = await verdict(whole)
  assert.ok('accepted' in found)
  const { id, ...principal } = found.accepted.principal
  assert.deepEqual(principal, { tenant: 'acme', permissions: ['a', 'b'], kind: 'oauth' })
  assert.match(id, /^[\w-]{43}$/)
  assert.equal(found.until, (AT + 60) * 1000)
  const short = await verdict(await signed({ exp: AT + 10 }))
  assert.equal('until' in short && short.until, (AT + 40) * 1000)
  assert.deepEqual(await verdict(whole, {}, '/mcp/readonly'), { refused: 'aud' })
  assert.ok('accepted' in (await verdict(await signed({ aud: `${AUDIENCE}/readonly` }), {}, '/mcp/readonly')))
})

test('the principal of a token is one of the issuer that made it', async () => {
  const of = async (iss: string) => {
    const found = await verdict(await signed({ iss }))
    return 'accepted' in found ? found.accepted.principal.id : assert.fail(found.refused)
  }
  assert.notEqual(await of(ISSUER), await of('https://other.example.com'))
})

for (const [text, expected] of [
  ['ey.a.b', true],
  ['eyJ.a.', true],
  ['ey.a', false],
  ['ey.a.b.c', false],
  ['e.y.z', false],
  ['a.ey.b', false],
  ['', false],
] as const)
  test(`${JSON.stringify(text)} ${expected ? 'has' : 'does not have'} the form of a JWT`, () =>
    assert.equal(isJwt(text), expected))
