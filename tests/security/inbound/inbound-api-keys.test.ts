import assert from 'node:assert/strict'
import { readFile, rename, stat, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { makeKey } from '../../../host/src/auth/inbound/keys/api-key.ts'
import { changeKeyFile, type StoredKey } from '../../../host/src/auth/inbound/keys/key-file.ts'
import { guardedHost, postFrom } from '../../fixtures/http/guarded-host.ts'
import { RawSession } from '../../fixtures/http/raw-session.ts'

const auth = { inbound: { mode: 'apiKey' } } as const

/** A new key, and what the config keeps of it. */
function keyOf(id: string, record: Partial<Omit<StoredKey, 'id' | 'hash'>> = {}) {
  const { key, hash } = makeKey(id)
  return { key, record: { id, hash, scopes: [], ...record } }
}

/** Opens a stream of 2026-07-28. */
function listen(url: URL, headers: Readonly<Record<string, string>>): Promise<Response> {
  const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} }
  return fetch(url, {
    method: 'POST',
    headers: {
      ...headers,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'subscriptions/listen',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'subscriptions/listen',
      params: { notifications: { toolsListChanged: true }, _meta: meta },
    }),
  })
}

const bearer = (credential: string) => ({ authorization: `Bearer ${credential}` })

test('lets a key in, as the principal that is named after it, by either header', async (t) => {
  const ada = keyOf('ada', { tenant: 'acme' })
  const guarded = await guardedHost(t, { auth: { inbound: { mode: 'apiKey', keys: [ada.record] } } })
  guarded.hide(ada.key)
  const { text } = await guarded.client.call('demo_whoami', {}, bearer(ada.key))
  assert.match(text, /key:ada of acme/)
  assert.match((await guarded.client.call('demo_whoami', {}, { 'x-api-key': ada.key })).text, /key:ada of acme/)
})

test('answers alike to no key and to every kind of bad key', async (t) => {
  const ada = keyOf('ada')
  const bob = keyOf('bob')
  const late = keyOf('late', { notAfter: '2020-01-01T00:00:00Z' })
  const guarded = await guardedHost(t, {
    auth: { inbound: { mode: 'apiKey', keys: [ada.record, bob.record, late.record] } },
  })
  const secret = ada.key.slice('pbk_ada_'.length)
  guarded.hide(secret)
  const refused: Readonly<Record<string, Record<string, string>>> = {
    'none at all': {},
    'a wrong secret': bearer(makeKey('ada').key),
    'a right secret with another id': bearer(`pbk_bob_${secret}`),
    'a right secret with an id that nobody has': bearer(`pbk_eve_${secret}`),
    truncated: bearer(ada.key.slice(0, -1)),
    'one character too many': bearer(`${ada.key}A`),
    'in capitals': bearer(ada.key.toUpperCase()),
    expired: bearer(late.key),
    'its hash': bearer(ada.record.hash),
    'a token of another kind': bearer('eyJhbGciOiJub25lIn0.e30.'),
    'without a scheme': { authorization: ada.key },
    'two spaces': { authorization: `Bearer  ${ada.key}` },
    'something behind it': { authorization: `Bearer ${ada.key} y` },
    'a scheme alone': { authorization: 'Bearer' },
    'a scheme and a space': { authorization: 'Bearer ' },
    'basic authentication': { authorization: `Basic ${Buffer.from(`ada:${ada.key}`).toString('base64')}` },
    'another scheme': { authorization: `Token ${ada.key}` },
    'an empty key header': { 'x-api-key': '' },
    'a scheme in the key header': { 'x-api-key': `Bearer ${ada.key}` },
  }
  const answers = await Promise.all(
    Object.entries(refused).map(async ([what, headers]) => {
      const { status, text, headers: sent } = await guarded.client.post('tools/list', {}, headers)
      return [what, { status, text, challenge: sent.get('www-authenticate') }] as const
    }),
  )
  for (const [what, answer] of answers)
    assert.deepEqual(
      answer,
      {
        status: 401,
        text: '{"jsonrpc":"2.0","error":{"code":-32600,"message":"Send a valid credential"},"id":null}',
        challenge: what === 'none at all' ? 'Bearer' : 'Bearer error="invalid_token"',
      },
      what,
    )
})

test('takes the scheme in any case', async (t) => {
  const ada = keyOf('ada')
  const guarded = await guardedHost(t, { auth: { inbound: { mode: 'apiKey', keys: [ada.record] } } })
  for (const scheme of ['bearer', 'BEARER', 'bEaReR'])
    assert.equal((await guarded.client.post('tools/list', {}, { authorization: `${scheme} ${ada.key}` })).status, 200)
})

test('takes one credential and not two, even if both are the same', async (t) => {
  const ada = keyOf('ada')
  const guarded = await guardedHost(t, { auth: { inbound: { mode: 'apiKey', keys: [ada.record] } } })
  const both = await guarded.client.post('tools/list', {}, { ...bearer(ada.key), 'x-api-key': ada.key })
  assert.equal(both.status, 400)
  assert.match(both.text, /exactly one credential/)
})

test('takes no key from the address or a form, and logs none', async (t) => {
  const ada = keyOf('ada')
  const guarded = await guardedHost(t, { auth: { inbound: { mode: 'apiKey', keys: [ada.record] } } })
  guarded.hide(ada.key)
  const at = (query: string) => new URL(`?${query}`, guarded.url)
  const json = { 'content-type': 'application/json' }
  for (const query of [`access_token=${ada.key}`, `x=1&access%5Ftoken=${ada.key}`])
    assert.equal((await fetch(at(query), { method: 'POST', headers: json, body: '{}' })).status, 401)
  const twice = await fetch(at(`access_token=${ada.key}`), {
    method: 'POST',
    headers: { ...json, ...bearer(ada.key) },
    body: '{}',
  })
  assert.equal(twice.status, 400)
  const form = new URLSearchParams({ access_token: ada.key })
  assert.equal((await fetch(guarded.url, { method: 'POST', body: form })).status, 401)
})

test('lets a key into its own tenant only, whatever the request says of it', async (t) => {
  const acme = keyOf('a', { tenant: 'acme' })
  const other = keyOf('o', { tenant: 'other' })
  const nobody = keyOf('n')
  const guarded = await guardedHost(t, {
    auth: { inbound: { mode: 'apiKey', keys: [acme.record, other.record, nobody.record] } },
    config: { tenants: { acme: { tools: { allow: ['demo_echo'] } }, other: { tools: { allow: ['demo_whoami'] } } } },
  })
  const disguise = { 'x-tenant': 'acme', 'x-patchbay-tenant': 'acme', tenant: 'acme' }
  assert.deepEqual(await guarded.client.tools(bearer(acme.key)), ['demo_echo'])
  assert.deepEqual(await guarded.client.tools({ ...bearer(other.key), ...disguise }), ['demo_whoami'])
  assert.deepEqual(await guarded.client.tools({ ...bearer(nobody.key), ...disguise }), [])
})

test('grants what the scopes of a key grant', async (t) => {
  const reader = keyOf('reader', { scopes: ['read'] })
  const admin = keyOf('admin', { scopes: ['read', 'admin'] })
  const all = keyOf('all', { scopes: ['*'] })
  const guarded = await guardedHost(t, {
    auth: {
      inbound: { mode: 'apiKey', keys: [reader.record, admin.record, all.record] },
      permissions: { read: ['demo_echo'], admin: ['demo_admin'] },
    },
  })
  assert.deepEqual(await guarded.client.tools(bearer(reader.key)), ['demo_echo'])
  assert.deepEqual(await guarded.client.tools(bearer(admin.key)), ['demo_echo', 'demo_admin'])
  assert.ok((await guarded.client.tools(bearer(all.key))).includes('demo_delete'))
})

test('takes keys of the file over while it runs, and ends what a revoked one opened', async (t) => {
  const ada = keyOf('ada')
  const guarded = await guardedHost(t, { auth })
  await guarded.logged('api_keys_missing')
  assert.equal((await guarded.as(ada.key)).status, 401)

  await changeKeyFile(guarded.keysFile, () => [ada.record])
  await guarded.logged('api_keys_loaded')
  assert.equal((await guarded.as(ada.key)).status, 200)
  assert.equal((await stat(guarded.keysFile)).mode & 0o777, 0o600)

  const session = await RawSession.open(guarded.url, bearer(ada.key))
  const stream = await session.request('GET')
  assert.equal(stream.status, 200)
  const listening = await listen(guarded.url, bearer(ada.key))
  assert.equal(listening.status, 200)
  const older = await fetch(new URL('/sse', guarded.url), { headers: bearer(ada.key) })
  assert.equal(older.status, 200)
  const ended = Promise.all([stream, older, listening].map((response) => assert.rejects(response.text())))
  await changeKeyFile(guarded.keysFile, (keys) => keys.map((key) => ({ ...key, revokedAt: new Date().toISOString() })))
  await ended
  assert.equal((await guarded.as(ada.key)).status, 401)
  assert.equal((await session.post('tools/list')).status, 401)
})

test('ends the streams of a key when it expires', async (t) => {
  const soon = keyOf('soon', { notAfter: new Date(Date.now() + 1_500).toISOString() })
  const guarded = await guardedHost(t, { auth: { inbound: { mode: 'apiKey', keys: [soon.record] } } })
  const session = await RawSession.open(guarded.url, bearer(soon.key))
  await assert.rejects((await session.request('GET')).text())
  assert.equal((await session.post('tools/list')).status, 401)
})

test('keeps the keys it has when their file cannot be read any more', async (t) => {
  const ada = keyOf('ada')
  const guarded = await guardedHost(t, { auth })
  await changeKeyFile(guarded.keysFile, () => [ada.record])
  await guarded.logged('api_keys_loaded')
  for (const broken of ['{', '{"keysVersion":1}', '{"keysVersion":2,"keys":[]}']) {
    await writeFile(`${guarded.keysFile}.new`, broken)
    const before = guarded.log.length
    await rename(`${guarded.keysFile}.new`, guarded.keysFile)
    while (!guarded.log.slice(before).some(({ event }) => event === 'api_keys_kept')) await guarded.as(ada.key)
    assert.equal((await guarded.as(ada.key)).status, 200)
  }
})

test('does not start with a file of keys that it cannot read', async (t) => {
  const ada = keyOf('ada').record
  const first = await guardedHost(t, { auth })
  const broken: readonly (readonly [string, RegExp])[] = [
    ['{', /is not JSON/],
    ['[]', /the file: expected/],
    [JSON.stringify({ keysVersion: 1, keys: [{ ...ada, hash: 'plain' }] }), /keys\[0\]\.hash: expected 64 hexadecimal digits/],
    [JSON.stringify({ keysVersion: 1, keys: [{ ...ada, notAfter: 'tomorrow' }] }), /keys\[0\]\.notAfter: expected an ISO 8601/],
    [JSON.stringify({ keysVersion: 1, keys: [ada, ada] }), /has the key "ada" twice/],
  ]
  for (const [content, problem] of broken) {
    await writeFile(first.keysFile, content)
    await assert.rejects(first.host.listen({ http: { port: 0 } }), { code: 'AUTH_KEYS_FILE', message: problem })
  }
})

test('changes a file of keys whole or not at all, one command at a time', async (t) => {
  const { keysFile: file } = await guardedHost(t, { auth })
  const [ada, bob] = [keyOf('ada').record, keyOf('bob').record]
  await changeKeyFile(file, () => [ada])
  const before = await readFile(file, 'utf8')
  await assert.rejects(
    changeKeyFile(file, () => {
      throw new Error('no')
    }),
  )
  assert.equal(await readFile(file, 'utf8'), before)
  const results = await Promise.allSettled([changeKeyFile(file, (keys) => [...keys, bob]), changeKeyFile(file, () => [])])
  assert.deepEqual(results.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
  const [reason] = results.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : []))
  assert.match(reason ?? '', /is changing/)
})

test('lets nobody into the session of another key, and says so in the log', async (t) => {
  const ada = keyOf('ada')
  const bob = keyOf('bob')
  const guarded = await guardedHost(t, { auth: { inbound: { mode: 'apiKey', keys: [ada.record, bob.record] } } })
  const session = await RawSession.open(guarded.url, bearer(ada.key))
  const stolen = await new RawSession(guarded.url, session.id, bearer(bob.key)).post('tools/list', {}, 9)
  const unknown = await new RawSession(guarded.url, 'no-such-session', bearer(bob.key)).post('tools/list', {}, 9)
  assert.deepEqual(stolen, unknown)
  assert.equal(stolen.status, 404)
  assert.equal((await guarded.logged('session_refused'))['principal'], 'key:bob')
})

test('takes the state of a call from nobody but whom it was given to', async (t) => {
  const ada = keyOf('ada')
  const bob = keyOf('bob')
  const guarded = await guardedHost(t, { auth: { inbound: { mode: 'apiKey', keys: [ada.record, bob.record] } } })
  const capable = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } } }
  const ask = (more: object, key: string) =>
    guarded.client.post('tools/call', { name: 'demo_ask', arguments: {}, _meta: capable, ...more }, bearer(key))
  const reply = (name: string) => ({ action: 'accept', content: { name } })
  const asked = await ask({ inputResponses: { name: reply('Ada') } }, ada.key)
  const { result } = JSON.parse(asked.text) as { result: { requestState: string } }
  const answer = (requestState: string, key: string) => ask({ requestState, inputResponses: { colour: reply('blue') } }, key)
  const forged = await answer('made-up', bob.key)
  const stolen = await answer(result.requestState, bob.key)
  assert.deepEqual([stolen.status, stolen.text], [forged.status, forged.text])
  assert.match((await answer(result.requestState, ada.key)).text, /Ada likes blue/)
})

test('looks at no more credentials of an address that sent hundreds of bad ones; others are served', async (t) => {
  const ada = keyOf('ada')
  const guarded = await guardedHost(t, { auth: { inbound: { mode: 'apiKey', keys: [ada.record] } } })
  const bad = bearer(makeKey('ada').key)
  const statuses = new Map<number, number>()
  for (let sent = 0; sent < 1_000; sent += 50)
    for (const { status } of await Promise.all(Array.from({ length: 50 }, () => postFrom('127.0.0.1', guarded.url, bad))))
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
  assert.deepEqual(new Set(statuses.keys()), new Set([401, 429]))
  assert.ok((statuses.get(401) ?? 0) <= 350, `${statuses.get(401)} were looked at`)
  const throttled = await postFrom('127.0.0.1', guarded.url, bad)
  assert.equal(throttled.status, 429)
  assert.match(String(throttled.headers['retry-after']), /^[1-9]\d?$/)
  assert.equal((await postFrom('127.0.0.2', guarded.url, bad)).status, 401, 'another address is looked at')
  assert.equal((await guarded.as(ada.key)).status, 200, 'a key that is good is let in')
  assert.equal(guarded.log.filter(({ event }) => event === 'auth_refused').length, (statuses.get(401) ?? 0) + 1)
})

test('counts by the address that a trusted proxy names, and believes nobody else', async (t) => {
  const guarded = await guardedHost(t, { auth, http: { trustedProxies: ['127.0.0.2', '10.0.0.0/8'] } })
  const send = (from: string, forwarded: string) =>
    postFrom(from, guarded.url, { ...bearer('pbk_x_y'), 'x-forwarded-for': forwarded })
  await send('127.0.0.2', '198.51.100.7')
  await send('127.0.0.2', '203.0.113.9, 198.51.100.8, 10.1.2.3')
  await send('127.0.0.2', 'nonsense')
  await send('127.0.0.1', '198.51.100.9')
  const addresses = guarded.log.filter(({ event }) => event === 'auth_refused').map(({ address }) => address)
  assert.deepEqual(addresses, ['198.51.100.7', '198.51.100.8', '127.0.0.2', '127.0.0.1'])
})
