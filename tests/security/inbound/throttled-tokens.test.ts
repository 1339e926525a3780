import assert from 'node:assert/strict'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { openInbound } from '../../../host/src/auth/inbound/open-inbound.ts'
import { resolveConfig } from '../../../host/src/config/file/resolve-config.ts'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import { createRedactor } from '../../../host/src/observability/redact.ts'
import { RESOURCE, startJwksServer } from '../../fixtures/auth/jwks-server.ts'

test('no token of an address that sent too many bad ones is verified, a good one included, until the time is up', async (t) => {
  const issuer = await startJwksServer(t)
  const { auth } = resolveConfig({
    auth: { inbound: { mode: 'oauth', oauth: { resource: RESOURCE, issuers: [{ issuer: issuer.issuer }] } } },
    listen: { http: { publicUrl: 'https://mcp.example.com' } },
  })
  await using inbound = await openInbound({
    auth: () => auth,
    configDir: '/',
    publicUrl: 'https://mcp.example.com',
    env: {},
    redactor: createRedactor(),
    log: silentLogger,
    throttle: { bad: 1, seconds: 60 },
  })
  const send = async (token: string, address: string) => {
    const req = Object.assign(new IncomingMessage(new Socket()), { url: '/mcp', headers: { authorization: `Bearer ${token}` } })
    const answer = await inbound.authenticate(req, address)
    return 'response' in answer ? answer.response.status : answer.principal.kind
  }
  const [bad, good] = [await issuer.sign({ aud: 'another' }), await issuer.sign()]
  assert.equal(await send(bad, '198.51.100.1'), 401)
  assert.equal(await send(good, '198.51.100.1'), 429)
  assert.equal(await send(good, '198.51.100.2'), 'oauth', 'another address is served')
})
