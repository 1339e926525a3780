import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { EmbeddedConfig } from 'mcp-patchbay'
import { makeKey } from '../../../host/src/auth/inbound/keys/api-key.ts'
import { addressIn, callTool, startAccountWorld, type AccountWorld, type WorldHost } from '../../fixtures/auth/account-world.ts'
import { formOf, WebBrowser, type Shown } from '../../fixtures/auth/web-browser.ts'

/** A host whose callers come with API keys alone, and one that takes access tokens as well. */
let world: AccountWorld
let keysOnly: WorldHost
let both: WorldHost
const [ops, ci, other] = ['ops', 'ci', 'other'].map((id) => ({ id, ...makeKey(id) })) as [Key, Key, Key]
interface Key {
  readonly id: string
  readonly key: string
  readonly hash: string
}
const ends: (() => unknown)[] = []
before(async () => {
  world = await startAccountWorld({ after: (end: () => unknown) => void ends.push(end) })
  const keys = [ops, ci].map(({ id, hash }) => ({ id, hash, scopes: [] }))
  const accounts = { store: './accounts', keyVariable: 'ACCOUNTS_KEY' }
  const oauth = { issuers: [{ issuer: world.company.issuer, audience: 'http://127.0.0.1/mcp' }] }
  const configs: EmbeddedConfig['auth'][] = [
    { accounts, inbound: { mode: 'apiKey', keys } },
    { inbound: { mode: 'any', keys, oauth } },
  ]
  ;[keysOnly, both] = (await Promise.all(configs.map((auth) => world.addHost({ config: { auth } })))) as [WorldHost, WorldHost]
})
after(async () => {
  for (const end of ends.toReversed()) await end()
})

const call = async ({ base }: WorldHost, { key }: Key) =>
  (await callTool({ base, headers: { 'x-api-key': key }, name: 'hub_who_am_i', arguments: {} })).text
const type = (browser: WebBrowser, page: Shown, key: string) => browser.press(page, 'Go on', { fields: { key } })

test('a caller with an API key types it into the page of its link, and its calls go with the account that it links', async () => {
  for (const host of [keysOnly, both]) {
    const browser = new WebBrowser('ann')
    const page = await browser.open(addressIn(await call(host, ops)))
    assert.match(page.html, /<label for="key">API key<\/label> <input id="key" name="key" type="password"/)
    const consent = await type(browser, page, ` ${ops.key} `)
    assert.match(consent.html, /the API key &quot;ops&quot;/)
    assert.match((await browser.press(consent, 'Go on to')).html, /Your account is linked/)
    assert.equal(await call(host, ops), 'ann')
    assert.match(await call(host, ci), /none is linked/, "another key's caller is another one")
    const list = await browser.open(`${host.base}/accounts`)
    await browser.press(list, 'Unlink hub')
    assert.match(await call(host, ops), /none is linked/)
  }
})

test('no key, a wrong one, and that of another caller open nothing, and no key is in a page or in the log', async () => {
  const address = addressIn(await call(keysOnly, ops))
  const browser = new WebBrowser('eve')
  for (const key of ['', 'x', other.key, `${ops.key.slice(0, -1)}_`, 'x'.repeat(9_000), '<script>']) {
    const page = await browser.open(address)
    const refused = await type(browser, page, key)
    assert.equal(refused.status, 403, key)
    assert.match(refused.html, /not an API key of this server/)
    assert.doesNotMatch(refused.html, /pbk_|<script>/)
  }
  const foreign = await type(browser, await browser.open(address), ci.key)
  assert.equal(foreign.status, 403)
  assert.match(foreign.html, /This link is not yours/)
  // A form that no page of ours sent logs no one in.
  const { action, fields } = formOf(await new WebBrowser('eve').open(address), 'Go on')
  const victim = new WebBrowser('vic')
  await victim.open(`${keysOnly.base}/accounts`)
  assert.equal((await victim.post(action, { ...fields, key: ci.key })).status, 403)
  assert.equal((await victim.post(action, { key: ci.key })).status, 403)
  for (const line of keysOnly.lines) assert.ok(![ops, ci, other].some(({ key }) => line.includes(key.slice(-43))), line)
  const own = new WebBrowser('ann')
  const consent = await type(own, await own.open(address), ops.key)
  assert.match(consent.html, /Link your hub account/, 'the link is still its own caller’s')
})

test('who has both ways in is asked which, and a link asks for the one of its caller', async () => {
  const browser = new WebBrowser('bea')
  const page = await browser.open(`${both.base}/accounts`)
  assert.match(page.html, /<a href="[^"]*\/accounts\/login">Log in instead<\/a>/)
  assert.match((await browser.open(`${both.base}/accounts/login`)).html, /bea@example\.com/)
  // A person who is logged in is not the holder of a key.
  const refused = await browser.open(addressIn(await call(both, ci)))
  assert.match(refused.html, /This link is not yours/)
  const consent = await new WebBrowser('bea').open(addressIn((await both.call('bea')).text))
  assert.match(consent.html, /bea@example\.com/, 'no key is asked for')
})

test('a key that is taken back, or has another secret now, ends what it opened in browsers', async () => {
  const browser = new WebBrowser('ann')
  assert.match(
    (await type(browser, await browser.open(`${keysOnly.base}/accounts`), ops.key)).html,
    /the API key &quot;ops&quot;/,
  )
  const cookie = [...browser.cookies(keysOnly.base)].map(([name, value]) => `${name}=${value}`).join('; ')
  const accounts = { store: './accounts', keyVariable: 'ACCOUNTS_KEY' }
  const shown: string[] = []
  // Other hosts with the same key of accounts read the same cookies.
  for (const { id, hash } of [ops, ci, { ...makeKey('ops'), id: 'ops' }]) {
    const host = await world.addHost({
      config: { auth: { accounts, inbound: { mode: 'apiKey', keys: [{ id, hash, scopes: [] }] } } },
    })
    const html = await (await fetch(`${host.base}/accounts`, { headers: { cookie } })).text()
    shown.push(/<h1>(.*)<\/h1>/.exec(html)?.[1] ?? '')
  }
  assert.deepEqual(shown, ['Linked accounts', 'Who are you?', 'Who are you?'])
})
