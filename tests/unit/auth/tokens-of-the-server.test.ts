import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HttpClient } from '@mcp-patchbay/plugin-api'
import { createTokenSource } from '../../../host/src/auth/outbound/client-credentials.ts'
import { createRedactor } from '../../../host/src/observability/redact.ts'
import { createTestClock } from '../../fixtures/test-clock.ts'

/** Gives `t1`, `t2`, … that last so many seconds. */
function open(seconds: number | undefined) {
  const clock = createTestClock()
  let count = 0
  const http: Partial<HttpClient> = {
    json: async <Body>() => ({ access_token: `t${++count}`, token_type: 'Bearer', expires_in: seconds }) as Body,
  }
  const source = createTokenSource({
    client: { kind: 'grant', tokenUrl: 'https://id.example/token', id: 'me', secret: 's', scope: undefined },
    http: http as HttpClient,
    settings: { instance: 'hub', values: new Map(), fingerprintKey: new Uint8Array(32) },
    redactor: createRedactor(),
    clock,
  })
  return { clock, source, token: async () => (await source()).secrets[0] }
}

test('a token of the server is used until shortly before it expires', async () => {
  const table = [
    // seconds that it lasts, until when it is used
    [3_600, 3_570],
    [60, 30],
    [40, 20],
    [undefined, 270],
  ] as const
  for (const [lasts, used] of table) {
    const { clock, token } = open(lasts)
    assert.equal(await token(), 't1')
    clock.advance(used * 1_000 - 1)
    assert.equal(await token(), 't1', `of ${lasts} seconds`)
    clock.advance(1)
    assert.equal(await token(), 't2', `of ${lasts} seconds`)
  }
})

test('a token that the service refused is not used again, and a late refusal of an old one takes no new one away', async () => {
  const { source, token } = open(3_600)
  const first = await source()
  first.refused?.()
  assert.equal(await token(), 't2')
  first.refused?.()
  assert.equal(await token(), 't2')
})
