import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HttpClient, HttpResponse } from '@mcp-patchbay/plugin-api'
import { createTokenExchange } from '../../../host/src/auth/outbound/token-exchange.ts'
import { createRedactor } from '../../../host/src/observability/redact.ts'
import { createTestClock } from '../../fixtures/test-clock.ts'

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

/** Exchanges into `t1`, `t2`, … that last so many seconds. */
function open(seconds: number | undefined) {
  const clock = createTestClock()
  let count = 0
  const http: Partial<HttpClient> = {
    async request() {
      const answer = { access_token: `t${++count}`, token_type: 'Bearer', issued_token_type: ACCESS_TOKEN, expires_in: seconds }
      const body = Buffer.from(JSON.stringify(answer))
      const response: Partial<HttpResponse> = { status: 200, headers: { 'content-type': 'application/json' }, body }
      return response as HttpResponse
    },
  }
  const exchange = createTokenExchange({
    exchange: { tokenUrl: 'https://id.example/token', clientId: 'me', clientSecret: 's' },
    settings: { instance: 'hub', fingerprintKey: new Uint8Array(32) },
    http: http as HttpClient,
    redactor: createRedactor(),
    clock,
  })
  const call = {
    principal: { id: 'ann', tenant: undefined, permissions: [], kind: 'oauth' },
    credentials: { of: () => undefined, subjectToken: 'of-ann', secrets: [] },
  } as const
  return { clock, exchange, token: async () => (await exchange.credential(call)).secrets[0] }
}

test('an exchanged token is used until shortly before it expires', async () => {
  const table = [
    // seconds that it lasts, until when it is used
    [3_600, 3_570],
    [60, 30],
    [40, 20],
    [undefined, 270],
  ] as const
  for (const [lasts, used] of table) {
    const { clock, exchange, token } = open(lasts)
    assert.equal(await token(), 't1')
    clock.advance(used * 1_000 - 1)
    assert.equal(await token(), 't1', `of ${lasts} seconds`)
    clock.advance(1)
    assert.equal(await token(), 't2', `of ${lasts} seconds`)
    exchange[Symbol.dispose]()
  }
})
