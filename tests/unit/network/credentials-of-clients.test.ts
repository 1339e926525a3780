import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { createOAuthFetch } from '../../../host/src/auth/outbound/oauth-fetch.ts'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import { createRedactor } from '../../../host/src/observability/redact.ts'

test('each request of an OAuth library goes with the credential that it was made with, or with none', async () => {
  const server = createServer((req, res) => res.end(JSON.stringify({ came: req.headers.authorization ?? 'none' })))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/token`
  await using web = createOAuthFetch({ name: 'hub', setting: 'oauth', redactor: createRedactor(), log: silentLogger })
  const came: unknown[] = []
  for (const authorization of ['Basic b25lOjE=', 'Basic dHdvOjI=', undefined, 'Basic b25lOjE=']) {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization }
    const answer = await web.fetch(url, { method: 'POST', headers, body: 'grant_type=x' })
    came.push(await answer.json())
  }
  assert.deepEqual(came, [{ came: 'Basic b25lOjE=' }, { came: 'Basic dHdvOjI=' }, { came: 'none' }, { came: 'Basic b25lOjE=' }])
  await assert.rejects(web.fetch('http://hub.example/token', { method: 'GET', headers: {} }), { code: 'UPSTREAM_FAILED' })
  server.close()
})
