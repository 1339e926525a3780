import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errors, exportJWK, generateKeyPair, type JSONWebKeySet, type JWK } from 'jose'
import { IssuerUnavailable } from '../../../host/src/auth/inbound/authentication-verdict.ts'
import { createKeySet } from '../../../host/src/auth/inbound/jwks.ts'
import { silentLogger } from '../../../host/src/observability/logger.ts'

const { publicKey } = await generateKeyPair('ES256', { extractable: true })
const jwk = await exportJWK(publicKey)
const key = (kid: string): JWK => ({ ...jwk, kid, alg: 'ES256' })

const AWAY = new Error('away')

/** An issuer whose answers a test says, and a clock that starts at 0. */
function issuer(maxStaleMs = 3_600_000) {
  const state = { now: 0, asked: 0, keys: ['a'] as readonly string[] | Error }
  const load = async (): Promise<JSONWebKeySet> => {
    state.asked++
    if (state.keys instanceof Error) throw state.keys
    return { keys: state.keys.map(key) }
  }
  const set = createKeySet({ issuer: 'https://id', load, log: silentLogger, elapsed: () => state.now, maxStaleMs })
  const find = async (kid: string): Promise<string> => {
    try {
      await set.find({ alg: 'ES256', kid }, { payload: '', signature: '' })
      return 'found'
    } catch (error) {
      if (error instanceof IssuerUnavailable) return `away for ${error.seconds} s`
      assert.ok(error instanceof errors.JWKSNoMatchingKey, String(error))
      return 'none'
    }
  }
  return { state, set, find }
}

test('the clock of the machine, set back or forward, makes keys neither older nor younger', async (t) => {
  let wall = Date.now()
  t.mock.method(Date, 'now', () => wall)
  let asked = 0
  const load = async (): Promise<JSONWebKeySet> => ({ keys: [key(`${++asked}`)] })
  const set = createKeySet({ issuer: 'https://id', load, log: silentLogger, maxStaleMs: 3_600_000 })
  await set.warm()
  for (const hours of [1, -2, 100]) {
    wall += hours * 3_600_000
    await set.find({ alg: 'ES256', kid: '1' }, { payload: '', signature: '' })
  }
  assert.equal(asked, 1)
})

/** [milliseconds since the start, the keys of the issuer from then on, the key that a token names, what it finds, how often the issuer was asked] */
type Step = readonly [number, readonly string[] | Error, string, string, number]

const TIMELINES: Readonly<Record<string, readonly Step[]>> = {
  'keys are asked for once in ten minutes': [
    [0, ['a'], 'a', 'found', 1],
    [599_999, ['b'], 'a', 'found', 1],
    [600_000, ['b'], 'a', 'none', 2],
    [600_000, ['b'], 'b', 'found', 2],
  ],
  'a key that is not there is asked for, half a minute after the last time at the earliest': [
    [0, ['a'], 'a', 'found', 1],
    [29_999, ['a', 'b'], 'b', 'none', 1],
    [30_000, ['a', 'b'], 'b', 'found', 2],
    [30_000, ['a', 'b'], 'c', 'none', 2],
    [59_999, ['a', 'b'], 'c', 'none', 2],
    [60_000, ['a', 'b'], 'c', 'none', 3],
    [60_000, ['a', 'b'], 'd', 'none', 3],
  ],
  'without any key the issuer is asked again every five seconds': [
    [0, AWAY, 'a', 'away for 5 s', 1],
    [1, AWAY, 'a', 'away for 5 s', 1],
    [1_000, ['a'], 'a', 'away for 4 s', 1],
    [4_999, ['a'], 'a', 'away for 1 s', 1],
    [5_000, ['a'], 'a', 'found', 2],
  ],
  'old keys go on for an hour while the issuer is away, and are asked for every half a minute': [
    [0, ['a'], 'a', 'found', 1],
    [600_000, AWAY, 'a', 'found', 2],
    [629_999, AWAY, 'a', 'found', 2],
    [630_000, AWAY, 'a', 'found', 3],
    [640_000, AWAY, 'b', 'none', 3],
    [3_599_999, AWAY, 'a', 'found', 4],
    [3_600_000, AWAY, 'a', 'away for 30 s', 4],
    [3_629_999, ['a'], 'a', 'found', 5],
    [3_630_000, ['a'], 'a', 'found', 5],
  ],
  'a key that is not there is none, and no 503, while the issuer is away': [
    [0, ['a'], 'a', 'found', 1],
    [30_000, AWAY, 'b', 'none', 2],
    [30_000, AWAY, 'a', 'found', 2],
  ],
}
for (const [name, steps] of Object.entries(TIMELINES))
  test(name, async () => {
    const { state, find } = issuer()
    for (const [at, keys, kid, expected, asked] of steps) {
      Object.assign(state, { now: at, keys })
      assert.deepEqual([at, await find(kid), state.asked], [at, expected, asked])
    }
  })

test('those who come at the same time ask once', async () => {
  const { state, find } = issuer()
  assert.deepEqual(await Promise.all([find('a'), find('a'), find('b')]), ['found', 'found', 'none'])
  assert.equal(state.asked, 1)
  state.now = 30_000
  state.keys = ['b']
  assert.deepEqual(await Promise.all([find('b'), find('b')]), ['found', 'found'])
  assert.equal(state.asked, 2)
})

test('what was asked for before the first token is there for it; a failure is told at once', async () => {
  const { state, set, find } = issuer()
  await set.warm()
  assert.deepEqual([await find('a'), state.asked], ['found', 1])
  const other = issuer()
  other.state.keys = AWAY
  await assert.rejects(other.set.warm(), AWAY)
})
