import assert from 'node:assert/strict'
import { test } from 'node:test'
import { headerCredential } from '../../../host/src/auth/outbound/credentials.ts'
import type { ServiceHttpOptions } from '../../../host/src/network/http-client.ts'
import { localDialing, refusal, serviceHttp } from '../../fixtures/http/service-http.ts'
import { FAR_HOSTS, redirect, reply, startUpstream, testAuthority } from '../../fixtures/http/upstream.ts'

const credential: ServiceHttpOptions['credential'] = async () =>
  headerCredential('apiKey', 'canary-key', { instance: 'github', placement: undefined, fingerprintKey: Buffer.alloc(32) })

test('follows a redirect within the service, with the credential', async () => {
  await using service = await startUpstream([redirect(302, '/api/new?x=1'), reply(200, { at: 'new' })])
  await using http = serviceHttp({ baseUrl: `${service.url}/api`, credential })
  const response = await http.request('/old')
  assert.deepEqual(response.json(), { at: 'new' })
  assert.equal(response.url, `${service.url}/api/new?x=1`)
  assert.equal(service.requests[1]?.headers['x-api-key'], 'canary-key')
})

test('follows three redirects and not a fourth', async () => {
  const hops = [redirect(302, '/1'), redirect(301, '2'), redirect(308, './3')]
  await using service = await startUpstream([...hops, reply(200, 'there'), ...hops, redirect(302, '/4'), reply(200, 'too far')])
  await using http = serviceHttp({ baseUrl: service.url })
  assert.equal(await http.text('/0'), 'there')
  const error = await refusal(http.text('/0'), 'UPSTREAM_FAILED')
  assert.match(error.message, /^github: GET \/0 redirects more than 3 times, which is not followed$/)
  assert.equal(service.requests.length, 8)
})

test('ends a redirect loop', async () => {
  await using service = await startUpstream(redirect(302, '/loop'))
  await using http = serviceHttp({ baseUrl: service.url })
  await refusal(http.text('/loop'), 'UPSTREAM_FAILED')
  assert.equal(service.requests.length, 4)
})

test('does not follow the service to another origin', async () => {
  await using thief = await startUpstream(reply(200, 'caught'), { host: FAR_HOSTS[0] })
  await using service = await startUpstream(redirect(302, `${thief.url}/collect`))
  await using http = serviceHttp({ baseUrl: service.url, credential, extraHosts: ['public', thief.url], dialing: localDialing() })
  const error = await refusal(http.text('/a'), 'UPSTREAM_FAILED')
  assert.match(error.message, /redirects to another origin, which is not followed/)
  assert.equal(thief.requests.length, 0)
})

test('does not follow the service to another port of its own host', async () => {
  await using other = await startUpstream(reply(200, 'inside'))
  await using service = await startUpstream(redirect(302, `//127.0.0.1:${other.port}/`))
  await using http = serviceHttp({ baseUrl: service.url, credential })
  await refusal(http.text('/a'), 'UPSTREAM_FAILED')
  assert.equal(other.requests.length, 0)
})

test('does not follow the service from https down to http', async () => {
  await using service = await startUpstream((response) => response.writeHead(302, { location: `http://127.0.0.1/` }).end(), {
    protocol: 'https',
  })
  await using http = serviceHttp({ baseUrl: service.url, credential, ca: testAuthority })
  assert.match((await refusal(http.text('/a'), 'UPSTREAM_FAILED')).message, /from https down to http/)
})

for (const location of ['/admin', '/api/../admin', '/apiary', '/api/..%2fadmin', '/api/%252e%252e/admin'])
  test(`does not follow the service out of its base path, to ${location}`, async () => {
    await using service = await startUpstream([redirect(302, location), reply(200, 'admin')])
    await using http = serviceHttp({ baseUrl: `${service.url}/api`, credential })
    assert.match((await refusal(http.text('/a'), 'UPSTREAM_FAILED')).message, /out of its base URL/)
    assert.equal(service.requests.length, 1)
  })

for (const location of ['http://', 'file:///etc/passwd', 'javascript:1', 'http://ada:secret@127.0.0.1/'])
  test(`does not follow a redirect to ${location}`, async () => {
    await using service = await startUpstream(redirect(302, location))
    await using http = serviceHttp({ baseUrl: service.url })
    await refusal(http.text('/a'), 'UPSTREAM_FAILED')
  })

test('follows a public page to another public host, without a credential on either', async () => {
  await using second = await startUpstream(reply(200, 'second'), { host: FAR_HOSTS[1] })
  await using first = await startUpstream(redirect(301, `${second.url}/page`), { host: FAR_HOSTS[0] })
  await using http = serviceHttp({ baseUrl: 'http://127.0.0.1:1', extraHosts: ['public'], credential, dialing: localDialing() })
  assert.equal(await http.text(`${first.url}/`), 'second')
  assert.doesNotMatch(JSON.stringify([first.requests, second.requests]), /canary/)
})

test('does not follow a public page into the private network', async () => {
  await using inside = await startUpstream(reply(200, 'metadata'))
  await using page = await startUpstream(redirect(302, `${inside.url}/latest/meta-data/`), { host: FAR_HOSTS[0] })
  await using http = serviceHttp({ extraHosts: ['public'], dialing: localDialing() })
  await refusal(http.text(`${page.url}/`), 'PERMISSION_DENIED')
  assert.equal(inside.requests.length, 0)
})

test('does not follow a public page into the service, neither with nor without the credential', async () => {
  await using service = await startUpstream(reply(200, 'private'))
  await using page = await startUpstream(redirect(302, `${service.url}/admin`), { host: FAR_HOSTS[0] })
  await using http = serviceHttp({ baseUrl: service.url, extraHosts: ['public'], credential, dialing: localDialing() })
  await refusal(http.text(`${page.url}/`), 'UPSTREAM_FAILED')
  assert.equal(service.requests.length, 0)
})

test('does not follow a granted host to one that was not', async () => {
  await using other = await startUpstream(reply(200, 'other'), { host: FAR_HOSTS[1] })
  await using uploads = await startUpstream(redirect(302, `${other.url}/`), { host: FAR_HOSTS[0] })
  await using http = serviceHttp({ extraHosts: [uploads.url], dialing: localDialing() })
  await refusal(http.text(`${uploads.url}/`), 'UPSTREAM_FAILED')
  assert.equal(other.requests.length, 0)
})

const methods = [
  [303, 'POST', 'GET', ''],
  [302, 'POST', 'GET', ''],
  [301, 'POST', 'GET', ''],
  [307, 'POST', 'POST', '{"a":1}'],
  [308, 'POST', 'POST', '{"a":1}'],
  [302, 'PUT', 'PUT', '{"a":1}'],
  [303, 'DELETE', 'GET', ''],
  [302, 'HEAD', 'HEAD', ''],
] as const
for (const [status, method, then, body] of methods)
  test(`asks with ${then} after ${status} to ${method}`, async () => {
    await using service = await startUpstream([redirect(status, '/b'), reply(200, '')])
    await using http = serviceHttp({ baseUrl: service.url })
    await http.text('/a', { method, ...(method === 'HEAD' ? {} : { body: { a: 1 } }) })
    const second = service.requests[1]
    assert.equal(second?.method, then)
    assert.equal(second.body, body)
    assert.equal(second.headers['content-type'], body === '' ? undefined : 'application/json')
  })
