import assert from 'node:assert/strict'
import { test } from 'node:test'
import { headerCredential } from '../../../host/src/auth/outbound/credentials.ts'
import type { Dialing } from '../../../host/src/network/connect/address-guard.ts'
import { localDialing, refusal, serviceHttp } from '../../fixtures/http/service-http.ts'
import { FAR_HOSTS, reply, startUpstream } from '../../fixtures/http/upstream.ts'

/** 127.0.0.1 is the inside of the operator's network in these tests. */
test('a host is dialled at the address its name resolved to when it was checked', async () => {
  await using inside = await startUpstream(reply(200, 'inside'))
  await using outside = await startUpstream(reply(200, 'outside'), { host: FAR_HOSTS[0] })
  const answers = [FAR_HOSTS[0], '127.0.0.1', '127.0.0.1']
  let lookups = 0
  const rebinding: Dialing = {
    ...localDialing(),
    lookup: (name, callback) => localDialing({ [name]: [answers[lookups++] ?? ''] }).lookup(name, callback),
  }
  await using http = serviceHttp({ extraHosts: ['public'], dialing: rebinding })
  assert.equal(await http.text(`http://rebind.test:${outside.port}/`), 'outside')
  assert.equal(lookups, 1)
  await refusal(http.text(`http://rebind.test:${inside.port}/`), 'PERMISSION_DENIED')
  assert.equal(inside.requests.length, 0)
})

test('of a public and a private address only the public one is dialled', async () => {
  await using outside = await startUpstream(reply(200, 'outside'), { host: FAR_HOSTS[0] })
  await using http = serviceHttp({ extraHosts: ['public'], dialing: localDialing({ 'mixed.test': ['127.0.0.1', FAR_HOSTS[0]] }) })
  assert.equal(await http.text(`http://mixed.test:${outside.port}/`), 'outside')
  assert.equal(outside.requests.length, 1)
})

test('a private address is not dialled even when the public one refuses the connection', async () => {
  await using inside = await startUpstream(reply(200, 'inside'))
  await using http = serviceHttp({
    extraHosts: ['public'],
    dialing: localDialing({ 'mixed.test': [FAR_HOSTS[0], '127.0.0.1'] }),
    limits: { retries: 0 },
  })
  await refusal(http.text(`http://mixed.test:${inside.port}/`), 'UPSTREAM_FAILED')
  assert.equal(inside.sockets.size + inside.requests.length, 0)
})

test('a name that leads to private addresses is refused', async () => {
  const dialing = localDialing({ 'inside.test': ['10.0.0.1', '::1', 'fd00::1'] })
  await using http = serviceHttp({ extraHosts: ['https://inside.test'], dialing })
  const error = await refusal(http.text('https://inside.test/'), 'PERMISSION_DENIED')
  assert.doesNotMatch(error.message, /10\.0\.0\.1/, 'what a name resolves to inside is nobody else’s to know')
})

test('the base URL that the operator set may be private', async () => {
  await using inside = await startUpstream(reply(200, 'inside'))
  await using http = serviceHttp({
    baseUrl: `http://intranet.test:${inside.port}`,
    dialing: localDialing({ 'intranet.test': ['127.0.0.1'] }),
  })
  assert.equal(await http.text('/'), 'inside')
})

test('only that origin may be: another port of the same host is refused', async () => {
  await using service = await startUpstream(reply(200, 'service'))
  await using other = await startUpstream(reply(200, 'other'))
  await using http = serviceHttp({ baseUrl: service.url, extraHosts: ['public', other.url] })
  await refusal(http.text(`${other.url}/`), 'PERMISSION_DENIED')
  assert.equal(other.requests.length, 0)
})

test('only its base path may be: the rest of a private origin is refused', async () => {
  await using service = await startUpstream(reply(200, 'service'))
  await using http = serviceHttp({ baseUrl: `${service.url}/wiki`, extraHosts: ['public'] })
  await refusal(http.text(`${service.url}/admin`), 'PERMISSION_DENIED')
  assert.equal(service.requests.length, 0)
})

test('a base URL that nobody vouched for must be public', async () => {
  await using inside = await startUpstream(reply(200, 'inside'))
  await using http = serviceHttp({ baseUrl: inside.url, allowPrivateBase: false })
  await refusal(http.text('/'), 'PERMISSION_DENIED')
  assert.equal(inside.requests.length, 0)
})

test('a host other than the service never gets its credential', async () => {
  await using service = await startUpstream(reply(200, {}))
  await using uploads = await startUpstream(reply(200, {}), { host: FAR_HOSTS[0] })
  const credential = headerCredential('apiKey', 'canary-key', {
    instance: 'github',
    placement: undefined,
    fingerprintKey: Buffer.alloc(32),
  })
  await using http = serviceHttp({
    baseUrl: service.url,
    extraHosts: [uploads.url],
    dialing: localDialing(),
    credential: async () => credential,
  })
  await http.json('/a')
  await http.json(`${uploads.url}/b`)
  assert.equal(service.requests[0]?.headers['x-api-key'], 'canary-key')
  assert.doesNotMatch(JSON.stringify(uploads.requests), /canary/)
})

test('an absolute URL below the base URL, such as a next page, gets the credential', async () => {
  await using service = await startUpstream(reply(200, {}))
  const credential = headerCredential('oauth', 'canary-token', {
    instance: 'github',
    placement: undefined,
    fingerprintKey: Buffer.alloc(32),
  })
  await using http = serviceHttp({ baseUrl: service.url, credential: async () => credential })
  await http.json(`${service.url}/issues?page=2`)
  assert.equal(service.requests[0]?.headers['authorization'], 'Bearer canary-token')
})
