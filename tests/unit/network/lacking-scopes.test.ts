import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lackingScopes } from '../../../host/src/network/response/lacking-scopes.ts'

const many = (count: number) => Array.from({ length: count }, (_, index) => `s${index}`)

test('the scopes that a token lacks are read from a 403 that says insufficient_scope, and from nothing else', () => {
  const table: [challenge: string | string[] | undefined, scopes: readonly string[] | undefined, status?: number][] = [
    ['Bearer error="insufficient_scope", scope="read write"', ['read', 'write']],
    ['bearer scope=write,error=insufficient_scope', ['write']],
    ['Bearer realm="a, b=\\"c\\"", error="insufficient_scope" , scope = "write write"', ['write']],
    [
      'Basic realm="x", Bearer resource_metadata="https://a/b", error="insufficient_scope", scope="https://a/b.c"',
      ['https://a/b.c'],
    ],
    [['Basic realm="x"', 'Bearer error="insufficient_scope", scope="write"'], ['write']],
    [`Bearer error="insufficient_scope", scope="${many(32).join(' ')}"`, many(32)],
    [undefined, undefined],
    ['Bearer error="insufficient_scope", scope="write"', undefined, 401],
    ['Bearer error="insufficient_scope", scope="write"', undefined, 200],
    ['Bearer error="invalid_token", scope="write"', undefined],
    ['Bearer scope="write"', undefined],
    ['Bearer error="insufficient_scope"', undefined],
    ['Bearer error="insufficient_scope", scope=""', undefined],
    ['DPoP error="insufficient_scope", scope="write"', undefined],
    ['Bearer error="insufficient_scope", Basic scope="write"', undefined],
    ['Bearer realm="error=insufficient_scope, scope=write"', undefined],
    // What is no scope (RFC 6749 §3.3) is asked of nobody, nor is what stands beside it.
    ['Bearer error="insufficient_scope", scope="write \\"quoted\\""', undefined],
    ['Bearer error="insufficient_scope", scope="write a\\\\b"', undefined],
    ['Bearer error="insufficient_scope", scope="write\tread"', undefined],
    ['Bearer error="insufficient_scope", scope="schreib\u00e9"', undefined],
    ['Bearer error="insufficient_scope", scope="write\u202e"', undefined],
    [`Bearer error="insufficient_scope", scope="${many(33).join(' ')}"`, undefined],
    [`Bearer error="insufficient_scope", scope="${'x'.repeat(1_001)}"`, undefined],
    [`Bearer realm="${'x'.repeat(8_192)}", error="insufficient_scope", scope="write"`, undefined],
  ]
  for (const [challenge, scopes, status = 403] of table)
    assert.deepEqual(lackingScopes(status, challenge), scopes, JSON.stringify(challenge))
})
