import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { addressIn, startAccountWorld, type AccountWorld, type WorldHost } from '../../fixtures/auth/account-world.ts'
import { formOf, WebBrowser, type Shown } from '../../fixtures/auth/web-browser.ts'

/** One world for all: each test has people of its own. */
let world: AccountWorld
let one: WorldHost
const ends: (() => unknown)[] = []
before(async () => {
  world = await startAccountWorld({ after: (end: () => unknown) => void ends.push(end) })
  one = world.hosts[0] ?? assert.fail()
})
after(async () => {
  for (const end of ends.toReversed()) await end()
})

const addressFor = async (person: string) => addressIn((await one.call(person)).text)
const isLinked = async (person: string) => (await one.call(person)).text === person
const callbackOf = ({ url }: Shown) => url

/** Goes up to the point where the service would send the browser back. */
async function untilCallback(browser: WebBrowser, person: string): Promise<URL> {
  const consent = await browser.open(await addressFor(person))
  return callbackOf(await browser.press(consent, 'Go on to', { stopAt: `${one.base}/accounts/callback/` }))
}

test('a person who is told to link an account does so in a browser, and the next call goes as that person', async () => {
  const refused = await one.call('ada')
  assert.match(refused.text, /hub needs an account of yours for this call, and none is linked/)
  const browser = new WebBrowser('ada')
  const consent = await browser.open(addressIn(refused.text))
  assert.match(consent.html, /<h1>Link your hub account<\/h1>/)
  assert.match(consent.html, /ada@example\.com, tenant acme/)
  const done = await browser.press(consent, 'Go on to')
  assert.match(done.html, /Your account is linked/)
  assert.equal(done.url.search, '?service=hub', 'the code is not in the address any more')
  assert.deepEqual(await one.call('ada'), { text: 'ada', isError: false })
  assert.equal(await isLinked('bea'), false)
})

test('the list shows a person its own accounts only, unlinks one, and the service takes its tokens back', async () => {
  const [cleo, dora] = [new WebBrowser('cleo'), new WebBrowser('dora')]
  await cleo.press(await cleo.open(await addressFor('cleo')), 'Go on to')
  const list = await cleo.open(`${one.base}/accounts`)
  assert.match(list.html, /Accounts of cleo@example\.com/)
  assert.match(list.html, /Unlink hub/)
  assert.doesNotMatch((await dora.open(`${one.base}/accounts`)).html, /hub|Unlink/)
  // The name of an account that is another's is worth nothing.
  const { fields } = formOf(list, 'Unlink hub')
  const others = await dora.open(`${one.base}/accounts`)
  await dora.press({ ...others, html: list.html }, 'Unlink hub')
  assert.equal(await isLinked('cleo'), true)
  assert.match((await cleo.press(list, 'Unlink hub')).html, /No account of cleo@example\.com is linked/)
  assert.equal(await isLinked('cleo'), false)
  assert.ok(fields['account'])
  const logged = await cleo.press(await cleo.open(`${one.base}/accounts`), 'Log out')
  assert.match(logged.html, /logged out/)
  assert.equal(cleo.cookies(one.base).size, 0)
})

test('who logs out, or logs in as another person, is out everywhere: copies of the cookie open nothing, at other hosts either', async () => {
  const two = await world.addHost()
  const owner = new WebBrowser('kim')
  const titleAt = async (base: string, thief: WebBrowser) =>
    / (\w+)@example\.com is linked/.exec((await thief.open(`${base}/accounts`)).html)?.[1]
  const copyOf = (base: string) => {
    const thief = new WebBrowser('thief')
    thief.takeCookies(owner, one.base)
    if (base !== one.base) thief.moveCookies(one.base, base)
    return thief
  }
  const page = await owner.open(`${one.base}/accounts`)
  const copies = () => [one.base, two.base].map((base) => [base, copyOf(base)] as const)
  for (const [base, thief] of copies()) assert.equal(await titleAt(base, thief), 'kim')
  const kept = copies()
  const form = formOf(page, 'Log out')
  await owner.press(page, 'Log out')
  for (const [base, thief] of kept) assert.equal(await titleAt(base, thief), 'thief', 'has to log in, and is itself then')
  const [, again = assert.fail()] = kept[0] ?? []
  assert.equal((await again.post(form.action, form.fields, { origin: one.base })).status, 403, 'nor is its form of before')
})

test('a link is good for one way: it cannot be opened, or sent on, a second time', async () => {
  const browser = new WebBrowser('eve')
  const address = await addressFor('eve')
  const consent = await browser.open(address)
  const again = await browser.open(address)
  await browser.press(consent, 'Go on to')
  assert.equal((await browser.press(again, 'Go on to')).status, 410)
  const later = await browser.open(address)
  assert.equal(later.status, 410)
  assert.match(later.html, /used already, or is older than ten minutes/)
  for (const odd of ['', 'x', 'x'.repeat(10_000), '%00', '../../link'])
    assert.equal((await browser.open(`${one.base}/accounts/link?ticket=${odd}`)).status, 410)
  assert.equal((await browser.open(`${address}&ticket=other`)).status, 410)
})

test("a link that one person was given and another one opens links nothing, is logged, and stays its owner's", async () => {
  const address = await addressFor('finn')
  const other = new WebBrowser('greta')
  const refused = await other.open(address)
  assert.equal(refused.status, 403)
  assert.match(refused.html, /This link is not yours/)
  assert.doesNotMatch(refused.html, /hub|finn/)
  const line = one.lines.findLast((text) => text.includes('account_ticket_refused')) ?? ''
  assert.match(line, /"reason":"opened by /)
  const audited = one.lines.findLast((text) => text.includes('"event":"audit"') && text.includes('"kind":"account"')) ?? ''
  assert.match(audited, /"decision":"deny"/)
  // With the ticket in a form of its own: the same.
  const own = await other.open(await addressFor('greta'))
  const ticket = new URL(address).searchParams.get('ticket') ?? ''
  assert.equal((await other.press(own, 'Go on to', { fields: { ticket } })).status, 403)
  const finn = new WebBrowser('finn')
  assert.match((await finn.press(await finn.open(address), 'Go on to')).html, /Your account is linked/)
  assert.deepEqual([await isLinked('finn'), await isLinked('greta')], [true, false])
})

test('a form that no page of ours sent changes nothing', async () => {
  const [owner, attacker] = [new WebBrowser('hal'), new WebBrowser('ivy')]
  const consent = await owner.open(await addressFor('hal'))
  const { action, fields } = formOf(consent, 'Go on to')
  const foreign = formOf(await attacker.open(await addressFor('ivy')), 'Go on to')
  const logout = formOf(await owner.open(`${one.base}/accounts`), 'Log out')
  const attempts: [what: string, fields: Record<string, string>, origin: string | undefined][] = [
    ['without a token', { ticket: fields['ticket'] ?? '' }, one.base],
    ["with another session's token", { ...fields, token: foreign.fields['token'] ?? '' }, one.base],
    ["with another form's token", { ...fields, token: logout.fields['token'] ?? '' }, one.base],
    ['from a page of another port', fields, 'http://127.0.0.1:1'],
    ['from a page of another name', fields, 'http://localhost:9'],
    ['from a page without an origin', fields, 'null'],
    ['from another site', fields, 'https://evil.example'],
  ]
  for (const [what, form, origin] of attempts) {
    const answer = await owner.post(action, form, origin === undefined ? {} : { origin })
    assert.equal(answer.status, 403, what)
  }
  const plain = await fetch(action, {
    method: 'POST',
    body: JSON.stringify(fields),
    headers: { 'content-type': 'application/json' },
  })
  assert.equal(plain.status, 403)
  // The link was not used up by any of them.
  assert.match((await owner.press(consent, 'Go on to')).html, /Your account is linked/)
})

test('an answer of the service counts in the browser where its way began, once, and with its own state', async () => {
  const [attacker, victim] = [new WebBrowser('judy'), new WebBrowser('kim')]
  const callback = await untilCallback(attacker, 'judy')
  // The attacker's code in the victim's browser, with and without a session of the victim's own.
  assert.match((await victim.open(callback)).html, /does not belong to anything that began in this browser/)
  await victim.open(`${one.base}/accounts`)
  assert.equal((await victim.open(callback)).status, 400)
  assert.equal(await isLinked('kim'), false)
  for (const change of [
    (url: URL) => url.searchParams.set('state', 'forged'),
    (url: URL) => url.searchParams.delete('state'),
    (url: URL) => url.searchParams.append('state', url.searchParams.get('state') ?? ''),
    (url: URL) => void (url.pathname = '/accounts/callback/other'),
  ]) {
    const changed = new URL(callback)
    change(changed)
    // A browser of its own for each: one attempt ends the way.
    const copy = new WebBrowser('judy')
    copy.takeCookies(attacker, one.base)
    assert.equal((await copy.open(changed)).status, 400, changed.href)
  }
  assert.equal(await isLinked('judy'), false)
  // The same browser, but not the session any more in which it began.
  const other = new WebBrowser('judy')
  const late = await untilCallback(other, 'judy')
  other.forget(one.base, '__Host-patchbay-session')
  await other.open(`${one.base}/accounts`)
  assert.equal((await other.open(late)).status, 400)
  const fresh = new WebBrowser('judy')
  const again = await untilCallback(fresh, 'judy')
  const replayed = new WebBrowser('judy')
  replayed.takeCookies(fresh, one.base)
  assert.match((await fresh.open(again)).html, /Your account is linked/)
  assert.equal((await replayed.open(again)).status, 400, 'the same answer again')
})

test('an answer that says it is of another issuer is not taken, nor is one that says nothing of it', async () => {
  for (const change of [
    (url: URL) => url.searchParams.set('iss', 'https://evil.example'),
    (url: URL) => url.searchParams.delete('iss'),
    (url: URL) => url.searchParams.append('iss', 'https://evil.example'),
  ]) {
    const browser = new WebBrowser('lena')
    const callback = await untilCallback(browser, 'lena')
    change(callback)
    const answer = await browser.open(callback)
    assert.equal(answer.status, 502, callback.href)
    assert.equal(await isLinked('lena'), false)
  }
})

test('who does not allow the access at the service is told so', async () => {
  const browser = new WebBrowser('mia')
  const callback = await untilCallback(browser, 'mia')
  callback.searchParams.delete('code')
  callback.searchParams.set('error', 'access_denied')
  callback.searchParams.set('error_description', '<script>alert(1)</script>')
  const answer = await browser.open(callback)
  assert.equal(answer.status, 403)
  assert.match(answer.html, /Access was not allowed at the service/)
  assert.doesNotMatch(answer.html, /<script|alert\(/)
})

test('a session that somebody else gave the browser is not the one that it logs in to', async () => {
  const [attacker, victim] = [new WebBrowser('nora'), new WebBrowser('olga')]
  await attacker.openUntil(`${one.base}/accounts`, world.company.issuer)
  victim.takeCookies(attacker, one.base)
  assert.match((await victim.open(`${one.base}/accounts`)).html, /Accounts of olga|No account of olga/)
  assert.match((await attacker.openUntil(`${one.base}/accounts`, world.company.issuer)).url.href, /\/auth\?/)
  // Half of the attacker's log-in finished in the victim's browser makes the victim nobody else.
  const other = new WebBrowser('nora')
  const half = await other.openUntil(`${one.base}/accounts`, `${one.base}/accounts/login/callback`)
  const clean = new WebBrowser('olga')
  assert.equal((await clean.open(half.url)).status, 400)
})

test('no address leads a browser anywhere but to these pages, the issuer and the service', async () => {
  const browser = new WebBrowser('pia')
  const known = [one.base, world.company.issuer, world.service.issuer]
  for (const path of [
    '/accounts?next=https://evil.example&return_to=https://evil.example&redirect_uri=https://evil.example',
    '/accounts/done?service=https://evil.example',
    '/accounts/failed?why=https://evil.example',
    '/accounts/failed?why=constructor',
    '/accounts/onward?way=0123456789abcdef',
    '/accounts/onward?way=//evil.example',
  ]) {
    const { way, html } = await browser.open(one.base + path)
    assert.deepEqual(
      way.filter((url) => !known.some((origin) => url.startsWith(`${origin}/`))),
      [],
    )
    assert.doesNotMatch(html, /evil/)
  }
  const spoofed = await fetch(`${one.base}/accounts`, { headers: { 'x-forwarded-host': 'evil.example' }, redirect: 'manual' })
  assert.doesNotMatch(spoofed.headers.get('location') ?? '', /evil/)
})

test('every page is plain: no script, nothing from elsewhere, in no frame and in no cache', async () => {
  const browser = new WebBrowser('quin')
  const consent = await browser.open(await addressFor('quin'))
  const pages = [
    consent,
    await browser.open(`${one.base}/accounts`),
    await browser.open(`${one.base}/accounts/failed?why=service`),
    await browser.press(consent, 'Go on to'),
  ]
  for (const { headers, html, url } of pages) {
    const policy = headers.get('content-security-policy') ?? ''
    assert.match(
      policy,
      /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
    )
    assert.equal(headers.get('cache-control'), 'no-store', url.href)
    assert.equal(headers.get('x-frame-options'), 'DENY')
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.equal(headers.get('referrer-policy'), 'same-origin')
    assert.doesNotMatch(html, /<script| on[a-z]+=|javascript:|<img|<link|<iframe/i)
    assert.match(html, /<html lang="en">[^]*<title>[^<]+<\/title>[^]*<main>\s*<h1>/)
  }
  const put = await fetch(`${one.base}/accounts`, { method: 'PUT' })
  assert.deepEqual([put.status, put.headers.get('allow')], [405, 'GET'])
  assert.equal((await fetch(`${one.base}/accounts/other`)).status, 404)
})

test('no token, no secret and no code is in the log, in a page, in the metrics or in a listing', async () => {
  const browser = new WebBrowser('rosa')
  const callback = await untilCallback(browser, 'rosa')
  const code = callback.searchParams.get('code') ?? assert.fail()
  const done = await browser.open(callback)
  const list = await browser.open(`${one.base}/accounts`)
  const { principal = '' } = JSON.parse(one.lines.findLast((line) => line.includes('"event":"link"')) ?? '{}') as {
    principal?: string
  }
  const token = (await one.host.accounts?.list({ kind: 'oauth', id: principal }))?.[0]?.record ?? assert.fail()
  const metrics = await (await fetch(`${one.management}/metrics`)).text()
  const listing = JSON.stringify([one.host.list(), one.host.explain('hub_who_am_i')])
  assert.match(metrics, /patchbay/)
  const hidden = [
    code,
    token.accessToken,
    token.refreshToken ?? '',
    world.secrets.key,
    world.secrets.service,
    world.secrets.company,
  ]
  for (const secret of hidden) {
    assert.ok(secret.length > 8)
    for (const text of [one.lines.join(''), done.html, list.html, metrics, listing]) assert.ok(!text.includes(secret))
  }
})

test('the page that says that an account is linked says it to its owner only, and tells no one which services there are', async () => {
  const linked = new WebBrowser('sam')
  assert.match((await linked.press(await linked.open(await addressFor('sam')), 'Go on to')).html, /is linked/)
  assert.match((await linked.open(`${one.base}/accounts/done?service=hub`)).html, /<h1>Your account is linked/)
  const answers = await Promise.all(
    ['hub', 'nosuch', ''].map(async (service) => {
      const answer = await fetch(`${one.base}/accounts/done?service=${service}`, { redirect: 'manual' })
      return [answer.status, answer.headers.get('location'), await answer.text()]
    }),
  )
  assert.deepEqual(answers[0], answers[1])
  assert.deepEqual(answers[0], answers[2])
  const other = new WebBrowser('tess')
  await other.open(`${one.base}/accounts`)
  assert.doesNotMatch((await other.open(`${one.base}/accounts/done?service=hub`)).html, /Your account is linked|hub/)
})

test('a browser that begins many ways keeps a few, so that its cookies never outgrow what a server reads', async () => {
  const browser = new WebBrowser('uma')
  for (let count = 0; count < 12; count++) await browser.openUntil(`${one.base}/accounts`, world.company.issuer)
  const ways = [...browser.cookies(one.base).keys()].filter((name) => name.includes('way-'))
  assert.equal(ways.length, 5)
  const size = [...browser.cookies(one.base)].join('; ').length
  assert.ok(size < 12_000, `${size}`)
  assert.match((await browser.open(`${one.base}/accounts`)).html, /No account of uma/)
})

test('a caller who calls again and again is given one link, until it is used', async () => {
  const first = await addressFor('vera')
  assert.equal(await addressFor('vera'), first)
  assert.notEqual(await addressFor('will'), first)
  const browser = new WebBrowser('vera')
  // Sent on, but not allowed at the service: the link is used up, and the next one is another.
  await browser.press(await browser.open(first), 'Go on to', { stopAt: `${one.base}/accounts/callback/` })
  assert.notEqual(await addressFor('vera'), first)
})
