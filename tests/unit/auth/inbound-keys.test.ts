import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { hashKey, makeKey, type KeyRecord } from '../../../host/src/auth/inbound/keys/api-key.ts'
import { createIntrospection } from '../../../host/src/auth/inbound/introspection.ts'
import { openKeyRing, proofOfKey } from '../../../host/src/auth/inbound/keys/key-ring.ts'
import { createCache } from '../../../host/src/cache/cache.ts'
import { silentLogger } from '../../../host/src/observability/logger.ts'

const ada = makeKey('ada')
const record: KeyRecord = { id: 'ada', hash: ada.hash, scopes: ['read'], tenant: 'acme', notAfter: '2030-01-01T00:00:00Z' }

/** The keys of a config, which a test replaces. */
async function ring(t: TestContext, now: () => number = () => Date.parse('2026-01-01T00:00:00Z')) {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-keys-'))
  const config: { keys: readonly KeyRecord[] } = { keys: [record] }
  const keys = await openKeyRing({ file: join(folder, 'mcp.keys.json'), configured: () => config.keys, log: silentLogger, now })
  t.after(() => {
    keys[Symbol.dispose]()
    rmSync(folder, { recursive: true })
  })
  const find = (key = ada.key) => {
    const found = keys.find(key)
    return 'refused' in found ? assert.fail(found.refused) : found
  }
  return { config, keys, find }
}

const bob = makeKey('ada')
for (const [what, change] of [
  ['scopes', { scopes: ['read', 'write'] }],
  ['tenant', { tenant: 'umbrella' }],
  ['end', { notAfter: '2029-01-01T00:00:00Z' }],
  ['secret', { hash: bob.hash }],
] as const)
  test(`the streams of a key end when its ${what} changes, and what it opens from then on is the new one's`, async (t) => {
    const { config, find } = await ring(t)
    const before = find()
    config.keys = [{ ...record, ...change }]
    const after = find(what === 'secret' ? bob.key : ada.key)
    assert.equal(before.revoked?.aborted, true)
    assert.equal(after.revoked?.aborted, false)
    assert.notEqual(after.principal, before.principal)
  })

test('what a key proved on a page counts until the key ends, has another secret, or is gone', async (t) => {
  let now = Date.parse('2026-01-01T00:00:00Z')
  const { config, keys } = await ring(t, () => now)
  const proof = proofOfKey(hashKey(ada.key))
  assert.ok(!proof.includes(ada.hash.slice(0, 8)))
  assert.equal(keys.opens('ada', proof), true)
  for (const [id, other] of [
    ['bob', proof],
    ['ada', proofOfKey(hashKey(bob.key))],
    ['ada', ''],
    ['ada', ada.hash],
  ] as const)
    assert.equal(keys.opens(id, other), false)
  config.keys = [{ ...record, scopes: ['write'] }]
  assert.equal(keys.opens('ada', proof), true, 'it is the same key')
  config.keys = [{ ...record, hash: bob.hash }]
  assert.equal(keys.opens('ada', proof), false)
  config.keys = [record]
  now = Date.parse('2030-01-01T00:00:00Z')
  assert.equal(keys.opens('ada', proof), false)
  config.keys = []
  assert.equal(keys.opens('ada', proof), false)
})

test('a key goes on while its config is read again, opens nothing once it is gone, and its streams end then', async (t) => {
  const { config, keys, find } = await ring(t)
  const before = find()
  config.keys = [{ ...record, scopes: [...record.scopes] }]
  assert.equal(find(), before)
  assert.equal(before.revoked?.aborted, false)
  config.keys = []
  assert.deepEqual(keys.find(ada.key), { refused: 'key_unknown' })
  assert.equal(before.revoked?.aborted, true)
})

test('a key opens nothing from its end on, with another secret, or under another id', async (t) => {
  let now = Date.parse('2030-01-01T00:00:00Z') - 1
  const { keys, find } = await ring(t, () => now)
  assert.deepEqual(find().principal, { id: 'key:ada', tenant: 'acme', permissions: ['read'], kind: 'apiKey' })
  assert.deepEqual(keys.find(bob.key), { refused: 'key_unknown' })
  assert.deepEqual(keys.find(ada.key.replace('_ada_', '_bob_')), { refused: 'key_unknown' })
  assert.deepEqual(keys.find('pbk_ada'), { refused: 'key_malformed' })
  now += 1
  assert.deepEqual(keys.find(ada.key), { refused: 'key_expired' })
})

test('a key whose end is a leap second, which no date can hold, opens nothing', async (t) => {
  const { config, keys } = await ring(t)
  config.keys = [{ ...record, notAfter: '2029-12-31T23:59:60Z' }]
  assert.deepEqual(keys.find(ada.key), { refused: 'key_expired' })
})

test('a file of keys that changes counts within a second; one that cannot be read changes nothing, and is told once', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-keys-'))
  const file = join(folder, 'mcp.keys.json')
  const said = new EventTarget()
  const told: string[] = []
  const tell = (event: string, fields: Readonly<Record<string, unknown>> = {}) => {
    told.push(`${event} ${String(fields['file'])}${'fix' in fields ? ` ${String(fields['fix'])}` : ''}`)
    said.dispatchEvent(new Event('told'))
  }
  const log = { ...silentLogger, info: tell, warn: tell, error: tell }
  using keys = await openKeyRing({ file, configured: () => [], log, now: () => Date.parse('2026-01-01T00:00:00Z') })
  t.after(() => rmSync(folder, { recursive: true }))
  const opens = () => !('refused' in keys.find(ada.key))
  const after = async (text: string) => {
    writeFileSync(file, text)
    const next = once(said, 'told')
    t.mock.timers.tick(1_000)
    await next
    return opens()
  }
  const stored = (keysOf: readonly KeyRecord[]) => JSON.stringify({ keysVersion: 1, keys: keysOf })
  assert.equal(await after(stored([record])), true)
  assert.equal(await after('{'), true)
  // The second look at the same text says nothing, and the first look at another does.
  t.mock.timers.tick(1_000)
  for (let reading = 0; reading < 20; reading++) await readFile(file)
  assert.equal(await after('{"'), true)
  assert.equal(await after(stored([])), false)
  assert.deepEqual(told, [
    `api_keys_missing ${file} npx mcp-patchbay keys create`,
    `api_keys_loaded ${file}`,
    `api_keys_kept ${file}`,
    `api_keys_kept ${file}`,
    `api_keys_loaded ${file}`,
  ])
})

const ISSUER = 'https://id.example.com'
const AUDIENCE = 'https://mcp.example.com/mcp'
const AT = 1_800_000_000

async function introspect(t: TestContext, claims: object, now: () => number = () => AT * 1000) {
  const cache = createCache({ log: silentLogger })
  t.after(() => cache[Symbol.asyncDispose]())
  let asked = 0
  const verify = createIntrospection({
    issuer: ISSUER,
    http: {
      ask: async () => {
        asked++
        return { active: true, iss: ISSUER, aud: AUDIENCE, sub: 'ada', ...claims }
      },
      [Symbol.asyncDispose]: async () => {},
    },
    audiencesAt: (path) => (path === '/mcp' ? [AUDIENCE] : []),
    toleranceSeconds: 5,
    maxAgeSeconds: 86_400,
    keepMs: 60_000,
    cache: cache.namespace('introspection', ISSUER),
    now,
    tenantClaim: 'tenant',
    permissionClaims: ['scope'],
  })
  return { verdict: await verify('token', '/mcp'), verify, asked: () => asked }
}

/** [what the issuer says, the refusal, or for how many seconds the answer counts] */
const ANSWERS: readonly (readonly [object, string | number])[] = [
  [{}, 60],
  [{ exp: AT + 3_600 }, 60],
  [{ exp: AT + 10 }, 15], // its end, with the tolerance
  [{ exp: AT - 4 }, 1],
  [{ exp: AT - 5 }, 'exp'],
  [{ exp: String(AT + 10) }, 'exp'],
  [{ iat: AT - 86_400 }, 5], // its age, with the tolerance
  [{ iat: AT - 86_404 }, 1],
  [{ iat: AT - 86_405 }, 'iat'],
  [{ iat: 'now' }, 'iat'],
  [{ nbf: AT + 5 }, 60],
  [{ nbf: AT + 6 }, 'nbf'],
  [{ nbf: 'now' }, 'nbf'],
  [{ active: false }, 'inactive'],
  [{ active: 'true' }, 'inactive'],
  [{ iss: 'https://evil.example' }, 'iss'],
  [{ iss: undefined }, 60],
  [{ aud: undefined }, 'aud'],
  [{ aud: `${AUDIENCE}/more` }, 'aud'],
  [{ aud: ['x', AUDIENCE] }, 60],
  [{ cnf: { jkt: 'x' } }, 'cnf'],
  [{ sub: undefined }, 'sub'],
  [{ sub: undefined, client_id: 'machine' }, 60],
  [{ sub: '' }, 'sub'],
  [{ sub: 5 }, 'sub'],
]
for (const [claims, expected] of ANSWERS)
  test(`an issuer's answer with ${JSON.stringify(claims)} ${typeof expected === 'string' ? `is refused for ${expected}` : `counts for ${expected} s`}`, async (t) => {
    const { verdict } = await introspect(t, claims)
    if ('refused' in verdict) return assert.equal(verdict.refused, expected)
    return assert.equal(verdict.until, (AT + Number(expected)) * 1000)
  })

test('an answer is asked for once, counts at each address by its own audience, and is refused once the token has ended', async (t) => {
  let now = AT * 1000
  const { verify, asked } = await introspect(t, { exp: AT + 10 }, () => now)
  assert.deepEqual(await verify('token', '/other'), { refused: 'aud' })
  now += 15_000
  assert.deepEqual(await verify('token', '/mcp'), { refused: 'exp' })
  assert.equal(asked(), 1)
})
