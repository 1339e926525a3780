import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { createRedactor } from '../../../host/src/observability/redact.ts'

const SECRET = 'p@ss/w+rd "ü\\'

const spellings: readonly (readonly [name: string, spelling: string])[] = [
  ['as it stands', SECRET],
  ['JSON-escaped', JSON.stringify(SECRET).slice(1, -1)],
  ['JSON-escaped twice', JSON.stringify(JSON.stringify(SECRET)).slice(3, -3)],
  ['percent-encoded', encodeURIComponent(SECRET)],
  ['percent-encoded in lower case', encodeURIComponent(SECRET).replace(/%../g, (escape) => escape.toLowerCase())],
  ['form-encoded', new URLSearchParams({ x: SECRET }).toString().slice(2)],
  ['in Base64', Buffer.from(SECRET).toString('base64').replace(/=+$/, '')],
  ['in base64url', Buffer.from(SECRET).toString('base64url')],
]
for (const [name, spelling] of spellings)
  test(`takes a secret out ${name}`, () => {
    const text = createRedactor([SECRET])(`before ${spelling} after`)
    assert.match(text, /^before \[redacted\].? after$/)
  })

test('takes a password out of an echoed Basic header, whatever the user name', () => {
  const redact = createRedactor(['correct-horse-battery'])
  for (const user of ['a', 'ab', 'abc', 'abcd']) {
    const echoed = redact(`Authorization: Basic ${Buffer.from(`${user}:correct-horse-battery`).toString('base64')}`)
    assert.match(echoed, /Basic \S{0,8}\[redacted\]/)
    assert.ok(!Buffer.from(echoed.slice('Authorization: Basic '.length), 'base64').includes('horse'))
  }
})

test('no text keeps a secret that is in it', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 4, unit: 'binary' }), fc.string(), fc.string(), (secret, before, after) => {
      const redacted = createRedactor([secret])(`${before}${secret}${after}`)
      // What is left around the mark may happen to spell the secret again only if the mark itself is part of it.
      assert.ok(redacted.includes('[redacted]'))
      assert.ok(!redacted.includes(secret) || '[redacted]'.includes(secret) || secret.includes('redacted'))
    }),
  )
})

test('takes the longer of two secrets out whole', () => {
  assert.equal(createRedactor(['token', 'token-of-ada'])('token-of-ada'), '[redacted]')
})

test('leaves secrets of three characters alone', () => {
  assert.equal(createRedactor(['abc'])('abc abcd'), 'abc abcd')
})

test('takes an added secret out until everybody who added it has let it go', () => {
  const redact = createRedactor()
  const first = redact.add('issued-token')
  const second = redact.add('issued-token')
  first()
  first()
  assert.equal(redact('issued-token'), '[redacted]')
  second()
  assert.equal(redact('issued-token'), 'issued-token')
})

test('takes out a secret of four characters, and leaves one of three, which is in every other word', () => {
  assert.equal(createRedactor(['abcd'])('the key abcd'), 'the key [redacted]')
  assert.equal(createRedactor(['abc'])('the key abc'), 'the key abc')
})

test('takes a secret of eight characters out of what plugins answer, and leaves one of seven, which is a word as a rule', () => {
  assert.equal(createRedactor(['abcdefgh']).answer('the key abcdefgh'), 'the key [redacted]')
  assert.equal(createRedactor(['abcdefg']).answer('the key abcdefg'), 'the key abcdefg')
})

test('takes a secret out of HTML', () => {
  assert.equal(createRedactor(['a<b>&"c\'d'])('<p>a&lt;b&gt;&amp;&quot;c&#39;d</p>'), '<p>[redacted]</p>')
})

test('finds every secret of thousands that come and go, and none that is gone', () => {
  const redact = createRedactor()
  const held = new Map<string, () => void>()
  for (let index = 0; index < 2_000; index++) {
    const secret = `token-${index}-${(index * 7_919).toString(36)}`
    held.set(secret, redact.add(secret))
    if (index % 3 === 0) {
      held.get(secret)?.()
      held.delete(secret)
      assert.equal(redact.answer(`a ${secret} b`), `a ${secret} b`)
    }
    if (index % 50 === 0) for (const known of held.keys()) assert.equal(redact.answer(`a ${known} b`), 'a [redacted] b', known)
  }
})

test('what overlaps goes whole, in texts and in bytes, and bytes without a secret stay the same', () => {
  const redact = createRedactor(['first-half-middle', 'middle-last-half', 'grüße-an-alle'])
  assert.equal(redact.answer('x first-half-middle-last-half y'), 'x [redacted] y')
  const bytes = Buffer.from('x first-half-middle-last-half y grüße-an-alle ü')
  assert.equal(redact.bytes(bytes).toString(), 'x [redacted] y [redacted] ü')
  const clean = Buffer.from('nothing here ü')
  assert.equal(redact.bytes(clean), clean)
})

test('answers keep short secrets, which are words, and logs do not', () => {
  const redact = createRedactor(['admin'])
  assert.equal(redact.answer('ask the admin'), 'ask the admin')
  assert.equal(redact('ask the admin'), 'ask the [redacted]')
})

test('a long text keeps no secret, wherever it stands in it and however many secrets there are', () => {
  const secrets = Array.from({ length: 40 }, (_, index) => `secret-${index}-${'abcdefghijklmnopqrstuvwxyz'.slice(index % 20)}`)
  const redact = createRedactor([...secrets, 'geheimnis-ключ-0815'])
  const filler = 'All work and no play: 日本, ключ, secret-. '.repeat(100)
  for (let at = 0; at < 64; at++)
    for (const secret of [secrets[at % 40] ?? '', 'geheimnis-ключ-0815']) {
      const before = filler.slice(0, 3_000 + at)
      for (const after of ['', filler.slice(at, at + 5)]) {
        assert.equal(redact.answer(before + secret + after), `${before}[redacted]${after}`)
        assert.equal(redact.answer(`${secret}${before}${secret}${after}`), `[redacted]${before}[redacted]${after}`)
      }
    }
  assert.equal(redact.answer(filler), filler)
})

test('a secret of any length is found at every place of long texts and bytes', () => {
  const filler = 'All work and no play: 日本, ключ, secret-. '.repeat(60)
  for (let length = 8; length <= 44; length++) {
    const secret = 'Q7x!kd-Zp0_Wm4.vR2~Yb9*Tc6+Ls1=Gf3^Hn8@Ju5:Ea'.slice(0, length)
    const redact = createRedactor([secret])
    for (let at = 0; at < 40; at++) {
      const [before, after] = [filler.slice(0, 2_100 + at), filler.slice(0, at % 7)]
      assert.equal(redact.answer(before + secret + after), `${before}[redacted]${after}`, `${length} at ${at}`)
      const bytes = Buffer.from(before + secret + after)
      assert.equal(redact.bytes(bytes).toString(), `${before}[redacted]${after}`, `${length} at ${at}, in bytes`)
    }
  }
})

test('a secret across the pieces in which a very long text is searched is found', () => {
  const secret = 'piece-of-a-secret-of-thirty-six-chars'
  const redact = createRedactor([secret])
  const piece = 1_048_576
  for (let at = piece - 44; at <= piece + 4; at++) {
    const text = `${'-'.repeat(at)}${secret}...`
    assert.equal(redact.answer(text).length, at + '[redacted]...'.length, String(at))
    if (at % 6 === 0) assert.equal(redact.bytes(Buffer.from(text)).length, at + '[redacted]...'.length, String(at))
  }
})
