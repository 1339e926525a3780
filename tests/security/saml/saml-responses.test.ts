import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { readIdentityProvider } from '@mcp-patchbay/auth-saml'
import { selfSigned } from '../../fixtures/auth/certificate.ts'
import { testIdentityProvider, type Claim, type Signing } from '../../fixtures/auth/saml-identity-provider.ts'
import { startSamlLogin, type SamlLogin } from '../../fixtures/auth/saml-login.ts'

const MINUTE = 60_000

interface Forged extends Signing {
  readonly claim?: Partial<Claim>
  /** What the log says of it. */
  readonly reason: RegExp
}

/** Each is a whole login of its own, whose response is refused: 403, the same page for all but its number, and no word on why. */
async function refuses(t: TestContext, login: SamlLogin, cases: Readonly<Record<string, Forged>>): Promise<void> {
  for (const [what, { claim = {}, reason, ...signing }] of Object.entries(cases)) {
    const answer = await login.logIn(login.browser(), { claim, signing })
    assert.equal(answer.status, 403, `${what}: ${answer.url.href}`)
    assert.match(answer.headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/)
    const line = login.log.at(-1)
    assert.equal(line?.event, 'saml_login_refused', what)
    assert.match(String(line?.fields['reason']), reason, what)
    const { id } = line?.fields ?? {}
    assert.ok(answer.text.includes(String(id)), 'the number of the log line is on the page')
    assert.equal(answer.text.includes(String(line?.fields['reason'])), false, 'the reason is not')
    t.diagnostic(`${what}: ${String(line?.fields['reason'])}`)
  }
  const good = await login.logIn(login.browser())
  assert.equal(good.status, 200, 'a good one still gets in')
}

test('refuses a response that the identity provider did not sign', async (t) => {
  const login = await startSamlLogin(t)
  const signature = /<ds:Signature .*?<\/ds:Signature>/s
  await refuses(t, login, {
    'without a signature': { tamper: (xml) => xml.replace(signature, ''), reason: /Invalid signature/ },
    'signed by another key': { by: selfSigned('other'), reason: /Invalid signature/ },
    'signed by another key of the same name': { by: selfSigned('idp'), reason: /Invalid signature/ },
    'with a signature that is empty': {
      tamper: (xml) => xml.replace(/<ds:SignatureValue>[^<]*/, '<ds:SignatureValue>'),
      reason: /Invalid signature|signature/i,
    },
  })
})

test('takes no signature by a certificate that has expired since the start', async (t) => {
  const key = selfSigned('idp', { days: 1 })
  let now = Date.now()
  const login = await startSamlLogin(t, { idp: testIdentityProvider(key), now: () => now })
  assert.equal((await login.logIn(login.browser())).status, 200)
  now += 2 * 24 * 60 * MINUTE
  assert.equal((await login.logIn(login.browser())).status, 403)
  assert.match(String(login.log.at(-1)?.fields['reason']), /no certificate .* is valid any more/)
})

test('takes signatures by the old and the new key of an identity provider that changes its key', async (t) => {
  const before = testIdentityProvider(selfSigned('idp'))
  const after = testIdentityProvider(selfSigned('idp'))
  const provider = await readIdentityProvider(before.metadata)
  const login = await startSamlLogin(t, {
    idp: before,
    identityProvider: { ...provider, certificates: [...provider.certificates, after.key.certificate] },
  })
  for (const by of [before.key, after.key]) assert.equal((await login.logIn(login.browser(), { signing: { by } })).status, 200)
})

test('refuses an assertion that was changed after it was signed', async (t) => {
  const login = await startSamlLogin(t)
  await refuses(t, login, {
    'another person': { tamper: (xml) => xml.replace('ada@example.com', 'eve@example.com'), reason: /Invalid signature/ },
    'a role more': {
      tamper: (xml) => xml.replace('<saml:AttributeValue>people', '<saml:AttributeValue>admins'),
      reason: /Invalid signature/,
    },
    'a later end': { tamper: (xml) => xml.replace(/NotOnOrAfter="\d{4}/, 'NotOnOrAfter="2999'), reason: /Invalid signature/ },
  })
})

test('refuses a signed assertion that is wrapped into a forged one', async (t) => {
  const login = await startSamlLogin(t)
  const assertion = /<saml:Assertion .*<\/saml:Assertion>/s
  const forge = (xml: string): string => {
    const [signed = ''] = assertion.exec(xml) ?? []
    return signed
      .replace(/<ds:Signature .*?<\/ds:Signature>/s, '')
      .replace('ada@example.com', 'eve@example.com')
      .replace(/ID="[^"]+"/, 'ID="_forged"')
  }
  await refuses(t, login, {
    'beside it, before': {
      tamper: (xml) => xml.replace(assertion, (signed) => forge(xml) + signed),
      reason: /multiple assertions/,
    },
    'beside it, after': {
      tamper: (xml) => xml.replace(assertion, (signed) => signed + forge(xml)),
      reason: /multiple assertions/,
    },
    'around it': {
      tamper: (xml) => xml.replace(assertion, (signed) => forge(xml).replace('</saml:Assertion>', `${signed}</saml:Assertion>`)),
      reason: /multiple assertions/,
    },
    'with it in an extension': {
      tamper: (xml) => xml.replace(assertion, (signed) => `<samlp:Extensions>${signed}</samlp:Extensions>${forge(xml)}`),
      reason: /multiple assertions/,
    },
    'with its id on another element': {
      tamper: (xml) => {
        const [, id = ''] = /<saml:Assertion [^>]*\bID="([^"]+)"/.exec(xml) ?? []
        return xml.replace(assertion, (signed) => `<samlp:Extensions><x Id="${id}"/></samlp:Extensions>${signed}`)
      },
      reason: /more than one element has the ID/,
    },
    'with the same id': {
      tamper: (xml) => {
        const [, id = ''] = /<saml:Assertion [^>]*\bID="([^"]+)"/.exec(xml) ?? []
        return xml.replace(
          assertion,
          (signed) => `<samlp:Extensions>${signed}</samlp:Extensions>${forge(xml).replace('_forged', id)}`,
        )
      },
      reason: /multiple assertions/,
    },
  })
})

test('a comment in a name cuts nothing off of it', async (t) => {
  const login = await startSamlLogin(t)
  const tamper = (xml: string) => xml.replace('ada@example.com.evil.org', 'ada@example.com<!-- -->.evil.org')
  const consent = await login.logIn(login.browser(), { claim: { nameId: 'ada@example.com.evil.org' }, signing: { tamper } })
  assert.equal(consent.status, 200, 'canonical XML has no comments, so the signature holds')
  assert.match(consent.text, /in your name, ada@example\.com\.evil\.org\./)
})

test('takes a response once, and only to a request of its own', async (t) => {
  const login = await startSamlLogin(t)
  const browser = login.browser()
  const claim = await login.answer(await browser.open(login.authorizeUrl()))
  const response = login.idp.respond(claim)
  assert.equal((await login.deliver(browser, response)).status, 200)
  assert.equal((await login.deliver(browser, response)).status, 403, 'again')
  assert.equal((await login.deliver(login.browser(), response)).status, 403, 'again, elsewhere')
  assert.equal((await login.deliver(browser, login.idp.respond(claim))).status, 403, 'another response to the same request')

  const other = await login.answer(await login.browser().open(login.authorizeUrl()))
  await refuses(t, login, {
    'to a request that nobody sent': { claim: { inResponseTo: '_0123456789' }, reason: /answers no request/ },
    'to no request': { tamper: (xml) => xml.replaceAll(/ InResponseTo="[^"]*"/g, ''), reason: /it answers no request from here/ },
    'to no request, and signed so': {
      edit: (xml) => xml.replaceAll(/ InResponseTo="[^"]*"/g, ''),
      reason: /it answers no request from here/,
    },
    'whose assertion answers none': {
      edit: (xml) => xml.replace(/(<saml:SubjectConfirmationData[^>]*) InResponseTo="[^"]*"/, '$1'),
      reason: /answers another request/,
    },
    'whose assertion answers another': { claim: { subjectInResponseTo: other.inResponseTo }, reason: /InResponseTo/ },
  })
})

test('of many deliveries of one response at once, one counts', async (t) => {
  const login = await startSamlLogin(t)
  const browser = login.browser()
  const response = login.idp.respond(await login.answer(await browser.open(login.authorizeUrl())))
  const visits = await Promise.all(Array.from({ length: 8 }, () => login.deliver(browser, response)))
  const statuses = visits.map(({ status }) => status)
  assert.equal(statuses.filter((status) => status === 200).length, 1)
  assert.equal(statuses.filter((status) => status === 403).length, 7)
})

test('a response that is carried into another browser logs nobody in there', async (t) => {
  const login = await startSamlLogin(t)
  const hers = login.browser()
  const response = login.idp.respond(await login.answer(await hers.open(login.authorizeUrl())))
  const his = login.browser()
  await his.open(login.authorizeUrl())
  assert.equal((await login.deliver(his, response)).status, 403)
  assert.match(String(login.log.at(-1)?.fields['reason']), /another browser/)
})

test('refuses an assertion that is for somebody else, or not for now', async (t) => {
  const login = await startSamlLogin(t)
  const now = Date.now()
  await refuses(t, login, {
    'another audience': { claim: { audience: 'https://other.example.com' }, reason: /audience mismatch/ },
    'no audience': {
      edit: (xml) => xml.replace(/<saml:AudienceRestriction>.*<\/saml:AudienceRestriction>/s, ''),
      reason: /Audience/,
    },
    'no conditions': {
      edit: (xml) => xml.replace(/<saml:Conditions .*<\/saml:Conditions>/s, ''),
      reason: /AudienceRestriction|Conditions/,
    },
    expired: {
      claim: { issuedAt: now - 4 * MINUTE, notOnOrAfter: now - MINUTE },
      reason: /No valid subject confirmation|expired/,
    },
    'not valid yet': { claim: { notBefore: now + 2 * MINUTE, notOnOrAfter: now + 5 * MINUTE }, reason: /not yet valid/ },
    'made long ago for long': {
      claim: { issuedAt: now - 10 * MINUTE, notOnOrAfter: now + 60 * MINUTE },
      reason: /subject confirmation|too old/,
    },
    'without an end': {
      edit: (xml) => xml.replace(/(<saml:SubjectConfirmationData) NotOnOrAfter="[^"]*"/, '$1'),
      reason: /subject confirmation|NotOnOrAfter/,
    },
    'without a confirmation': {
      edit: (xml) => xml.replace(/<saml:SubjectConfirmation .*<\/saml:SubjectConfirmation>/s, ''),
      reason: /one SubjectConfirmation/,
    },
    'confirmed otherwise': { edit: (xml) => xml.replace('cm:bearer', 'cm:sender-vouches'), reason: /not by who bears it/ },
    'of another issuer': { claim: { issuer: 'https://idp.example.org' }, reason: /is of https:\/\/idp\.example\.org/ },
    'of another issuer inside': {
      edit: (xml) => xml.replace(/(<saml:Assertion .*?<saml:Issuer>)[^<]*/s, '$1https://idp.example.org'),
      reason: /the assertion is of https:\/\/idp\.example\.org/,
    },
  })
})

test('checks recipient, destination, algorithms and status of a response', async (t) => {
  const login = await startSamlLogin(t)
  await refuses(t, login, {
    'another recipient': {
      claim: { recipient: 'https://other.example.com/saml/acs' },
      reason: /for the recipient https:\/\/other/,
    },
    'no recipient': { edit: (xml) => xml.replace(/ Recipient="[^"]*"/, ''), reason: /recipient nobody/ },
    'another destination': { claim: { destination: 'https://other.example.com/saml/acs' }, reason: /meant for https:\/\/other/ },
    'no destination': { edit: (xml) => xml.replace(/ Destination="[^"]*"/, ''), reason: /meant for nobody/ },
    'SHA-1': { algorithm: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1', reason: /rsa-sha1: have SHA-256 used/ },
    'a failure with an assertion': {
      claim: { status: 'urn:oasis:names:tc:SAML:2.0:status:AuthnFailed' },
      reason: /the identity provider says .*AuthnFailed/,
    },
    'a document type': { tamper: (xml) => `<!DOCTYPE r [<!ENTITY e "x">]>${xml}`, reason: /document type/ },
    'no XML': { tamper: () => 'hello', reason: /cannot be read|nothing that is a SAML response/ },
    nothing: { tamper: () => '', reason: /cannot be read|nothing that is a SAML response/ },
  })
})

test('lets nobody in without a lasting name, or without the one tenant that all must have', async (t) => {
  const login = await startSamlLogin(t)
  await refuses(t, login, {
    'a transient name': { claim: { nameIdFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient' }, reason: /transient/ },
    'no name': { edit: (xml) => xml.replace('ada@example.com', ''), reason: /name of the person/ },
    'no tenant': { claim: { attributes: {} }, reason: /company has 0 values/ },
    'two tenants': { claim: { attributes: { company: ['acme', 'globex'] } }, reason: /company has 2 values/ },
  })
})

test('refuses what is posted in place of a response', async (t) => {
  const { issuer } = await startSamlLogin(t)
  const post = async (body: string, type: string) =>
    (await fetch(`${issuer}/saml/acs`, { method: 'POST', body, headers: { 'content-type': type } })).status
  assert.equal(await post('SAMLResponse=eA', 'text/plain'), 403)
  assert.equal(await post(`SAMLResponse=${'A'.repeat(600_000)}`, 'application/x-www-form-urlencoded'), 403)
  assert.equal(await post('', 'application/x-www-form-urlencoded'), 403)
})
