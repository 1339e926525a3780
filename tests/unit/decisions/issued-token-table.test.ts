import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readIssuedToken, type TokenAnswer } from '../../../host/src/auth/outbound/issued-token.ts'

const ASKED = 1_000_000
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const jwt = (claims: object) => `${part({ alg: 'none' })}.${part(claims)}.x`
const API = 'https://api.example.com/v1'

/** [what differs of the answer, the audiences that were asked for, when the token ends in seconds from now or the problem] */
const ANSWERS: readonly (readonly [TokenAnswer, readonly string[], number | undefined | RegExp])[] = [
  [{}, [], undefined],
  [{ token_type: 'bearer' }, [], undefined],
  [{ token_type: 'BEARER' }, [], undefined],
  [{ token_type: 'DPoP' }, [], /^without a bearer token$/],
  [{ token_type: undefined }, [], /without a bearer token/],
  [{ access_token: '' }, [], /without a bearer token/],
  [{ access_token: 5 }, [], /without a bearer token/],
  [{ access_token: undefined }, [], /without a bearer token/],
  [{ access_token: 'a\nb' }, [], /without a bearer token/],
  [{ access_token: 'x'.repeat(16_384) }, [], undefined],
  [{ access_token: 'x'.repeat(16_385) }, [], /^with a token of 16385 characters$/],
  [{ expires_in: 60 }, [], 60],
  [{ expires_in: 0.5 }, [], 0.5],
  [{ expires_in: '60' }, [], 60],
  [{ expires_in: null }, [], undefined],
  [{ expires_in: 0 }, [], /expired already/],
  [{ expires_in: -1 }, [], /expired already/],
  [{ expires_in: '-1' }, [], /^with an expires_in that is not a number of seconds$/],
  [{ expires_in: '6x' }, [], /not a number/],
  [{ expires_in: '' }, [], /not a number/],
  [{ expires_in: true }, [], /not a number/],
  [{ expires_in: Infinity }, [], /not a number/],
  [{ access_token: jwt({ exp: 1_060 }) }, [], 60],
  [{ access_token: jwt({ exp: 1_060 }), expires_in: 30 }, [], 30],
  [{ access_token: jwt({ exp: 1_000 }) }, [], /expired already/],
  [{ access_token: jwt({ exp: '1060' }) }, [], undefined],
  [{ access_token: `${jwt({ exp: 1_000 })}.x` }, [], undefined],
  [{ access_token: 'a.b.c' }, [], undefined],
  [{}, [API], undefined],
  [{ aud: API }, [API], undefined],
  [{ aud: `${API}/` }, [API], undefined],
  [{ aud: API }, [`${API}/`], undefined],
  [{ aud: 'https://api.example.com' }, [API], undefined],
  [{ aud: 'https://api.example.com/' }, [API], undefined],
  [{ aud: `${API}/more` }, [API], /^with a token for another audience$/],
  [{ aud: 'https://api.example.com/v' }, [API], /another audience/],
  [{ aud: 'http://api.example.com/v1' }, [API], /another audience/],
  [{ aud: 'https://api.example.com:8443/v1' }, [API], /another audience/],
  [{ aud: 'https://api.example.com/?v' }, [API], /another audience/],
  [{ aud: 'https://api.example.com/#v' }, [API], /another audience/],
  [{ aud: 'https://other.example.com' }, [API], /another audience/],
  [{ aud: 'http://api.example.com' }, [API], /another audience/],
  [{ aud: 'https://api.example.com:8443' }, [API], /another audience/],
  [{ aud: 'urn:a' }, ['urn:a/b'], /another audience/],
  [{ aud: 'urn:a' }, ['urn:a'], undefined],
  [{ aud: 'other' }, ['one', 'other'], undefined],
  [{ aud: ['x', API] }, [API], undefined],
  [{ aud: ['x', 5] }, [API], /another audience/],
  [{ aud: [] }, [API], /another audience/],
  [{ aud: 'x' }, [], undefined],
  [{ audience: 'x' }, [API], /another audience/],
  [{ resource: 'x' }, [API], /another audience/],
  [{ audience: null, resource: null, aud: null }, [API], undefined],
  [{ audience: API, resource: 'x' }, [API], /another audience/],
  [{ access_token: jwt({ aud: 'x' }) }, [API], /another audience/],
  [{ access_token: jwt({ aud: 'x' }), aud: API }, [API], /another audience/],
  [{ access_token: jwt({ aud: [API, 'x'] }) }, [API], undefined],
]
for (const [change, audiences, expected] of ANSWERS) {
  const shown = JSON.stringify(change, (_, value: unknown) => (typeof value === 'string' ? value.slice(0, 60) : (value ?? null)))
  test(`${shown} for ${audiences.join(', ') || 'any audience'} ${expected instanceof RegExp ? `is refused (${expected.source})` : `ends in ${expected} s`}`, () => {
    const answer = { access_token: 'plain', token_type: 'Bearer', ...change }
    const found = readIssuedToken(answer, { asked: ASKED, audiences })
    if (expected instanceof RegExp) return assert.match('problem' in found ? found.problem : 'none', expected)
    return assert.deepEqual(found, {
      token: answer.access_token,
      expiresAt: expected === undefined ? undefined : ASKED + expected * 1000,
    })
  })
}
