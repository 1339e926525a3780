import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { boundXml, XML_LIMITS } from '../../../auth-saml/src/xml-bounds.ts'
import { startSamlLogin, type SamlLogin } from '../../fixtures/auth/saml-login.ts'

const RESPONSE =
  '<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"'
const respond = (inside: string, attributes = '') => `${RESPONSE} ${attributes}>${inside}</samlp:Response>`

/** Posts a response as a page of the identity provider would; the reason of a refusal is in the log alone. */
async function post({ issuer, log }: SamlLogin, xml: string | Uint8Array): Promise<string> {
  const body = new URLSearchParams({ SAMLResponse: Buffer.from(xml).toString('base64') })
  const { status } = await fetch(`${issuer}/saml/acs`, { method: 'POST', body })
  assert.equal(status, 403)
  return String(log.at(-1)?.fields['reason'])
}

const tooMuch: Readonly<Record<string, readonly [xml: string, reason: RegExp]>> = {
  'empty siblings': ['<a/>'.repeat(XML_LIMITS.elements), /more than 16384 elements/],
  'empty siblings in lines': ['<a></a>\n'.repeat(XML_LIMITS.elements), /more than 16384 elements/],
  'elements in elements': ['<a>'.repeat(5_000) + '</a>'.repeat(5_000), /nest deeper than 32/],
  'an element with many attributes': [
    `<a ${Array.from({ length: 65 }, (_, at) => `a${at}=''`).join(' ')}/>`,
    /more than 64 attributes/,
  ],
  'an element with many namespaces': [
    `<a ${Array.from({ length: 65 }, (_, at) => `xmlns:a${at}="b"`).join(' ')}/>`,
    /more than 64 attributes/,
  ],
  'a name for each element': [Array.from({ length: 200 }, (_, at) => `<a${at}></a${at}>`).join(''), /more than 128 names/],
  'a processing instruction': ['<?admin admin?>', /processing instruction/],
  'an entity': ['<!ENTITY a "b">', /document type/],
  'a tag without an end': ['<a b="', /has no end/],
  'a comment without an end': ['<!-- ', /has no end/],
}
for (const [what, [inside, reason]] of Object.entries(tooMuch))
  test(`one pass over the text finds ${what}`, () => {
    assert.throws(() => boundXml(respond(inside)), reason)
    assert.throws(() => boundXml(`<?xml version="1.0"?>\n${respond(inside)}`), reason)
  })

test('what a response may hold is counted outside of comments, CDATA and quotes', () => {
  const inside = '<!-- <a> --><![CDATA[ <a> <?pi?> ]]><a b="<" c=\'>\'/>'.replace('b="<"', 'b="&lt;"')
  assert.equal(boundXml(`\uFEFF<?xml version="1.0" encoding="UTF-8"?>${respond(inside)}`), `${RESPONSE} >`)
})

test('refuses what is too large or answers no request, before the parser of XML sees it', async (t) => {
  const login = await startSamlLogin(t)
  // No such request: what the response holds costs nothing, whatever it is.
  const siblings = '<a/>'.repeat(8_000)
  assert.match(await post(login, respond(siblings, 'InResponseTo="_1"')), /answers no request/)
  assert.match(await post(login, respond(siblings)), /it answers no request from here/)
  assert.match(await post(login, respond('x'.repeat(1_200_000))), /longer than|it answers no request from here/)
  assert.match(await post(login, '<html/>'), /nothing that is a SAML response/)
  const many = await fetch(`${login.issuer}/saml/acs`, {
    method: 'POST',
    body: 'a&'.repeat(500_000),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  assert.equal(many.status, 403)
  assert.match(String(log(login)), /more than 16 fields/)
  const good = await login.logIn(login.browser())
  assert.equal(good.status, 200)
})
const log = ({ log: lines }: SamlLogin) => lines.at(-1)?.fields['reason']

test('a hostile response to a request of ours is refused, and the next login gets in', async (t) => {
  const login = await startSamlLogin(t)
  const { acs, inResponseTo } = await login.answer(await login.browser().open(login.authorizeUrl()))
  const attributes = `Destination="${acs}" InResponseTo="${inResponseTo}"`
  const status = '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>'
  const siblings = '<a/>'.repeat(16_000)
  assert.match(await post(login, respond(status + siblings, attributes)), /has no assertion/)
  const signed = await login.answer(await login.browser().open(login.authorizeUrl()))
  const wide = Buffer.from(login.idp.respond(signed), 'base64')
    .toString()
    .replace('<saml:Assertion ', `${siblings}<saml:Assertion `)
  // The signature is of the assertion, which is as it was.
  const answer = await login.deliver(login.browser(), Buffer.from(wide).toString('base64'))
  assert.equal(answer.status, 403, 'a browser that did not begin it')
  assert.match(String(log(login)), /another browser/)
  assert.equal((await login.logIn(login.browser())).status, 200)
})

test('of generated responses none gets in, each is refused with a reason, and the server serves on', async (t) => {
  const login = await startSamlLogin(t)
  const [good = ''] = [
    Buffer.from(login.idp.respond(await login.answer(await login.browser().open(login.authorizeUrl()))), 'base64'),
  ].map(String)
  const piece = fc.oneof(
    fc.constantFrom(
      '<',
      '>',
      '/>',
      '</',
      '<!--',
      '-->',
      '<![CDATA[',
      ']]>',
      '<?',
      '?>',
      '<!DOCTYPE',
      '&#0;',
      '&x;',
      '"',
      "'",
      '=',
      ':',
      '\0',
    ),
    fc.constantFrom('<saml:Assertion ID="_1">', '</saml:Assertion>', '<ds:Signature>', 'xmlns=""', 'xmlns:saml=""', 'ID="_1"'),
    fc.string({ unit: 'binary', maxLength: 8 }),
  )
  const hostile = fc.oneof(
    // Cut, and with something put in.
    fc.tuple(fc.nat(good.length), fc.nat(40), fc.array(piece, { maxLength: 6 })).map(([at, length, pieces]) => {
      return good.slice(0, at) + pieces.join('') + good.slice(at + length)
    }),
    fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')),
    fc.array(piece, { maxLength: 40 }).map((pieces) => respond(pieces.join(''))),
    fc.uint8Array({ maxLength: 200 }),
  )
  await fc.assert(
    fc.asyncProperty(hostile, async (xml) => {
      if (Buffer.from(xml).equals(Buffer.from(good))) return
      const body = new URLSearchParams({ SAMLResponse: Buffer.from(xml).toString('base64') })
      const { status, headers } = await fetch(`${login.issuer}/saml/acs`, { method: 'POST', body, redirect: 'manual' })
      // A change outside of what is signed, such as white space, may leave it good: then it waits for its browser.
      if (status === 303) assert.match(headers.get('location') ?? '', /^\/interaction\/[\w-]+\/login\?ticket=/)
      else assert.equal(status, 403)
    }),
    { numRuns: 300 },
  )
  assert.ok(login.log.every(({ event }) => event === 'saml_login_refused' || event === 'saml_login'))
  assert.equal((await login.logIn(login.browser())).status, 200)
})

test('a person with 5,000 groups gets in, in one attribute or in one for each', async (t) => {
  const login = await startSamlLogin(t, { scopes: { 'tools:read': 'everyone', 'tools:write': ['group 4999'] } })
  const groups = Array.from({ length: 5_000 }, (_, at) => `group ${at}`)
  const claim = { attributes: { company: ['acme'], groups } }
  const apart = (xml: string) =>
    xml.replaceAll(
      '</saml:AttributeValue><saml:AttributeValue>',
      '</saml:AttributeValue></saml:Attribute><saml:Attribute Name="groups"><saml:AttributeValue>',
    )
  for (const edit of [(xml: string) => xml, apart]) {
    const consent = await login.logIn(login.browser(), { claim, signing: { edit } })
    assert.equal(consent.status, 200, String(log(login)))
    assert.match(consent.text, /<code>tools:write<\/code>/)
  }
})

test('a name is what is signed as text, and only white space of XML is taken off of it', async (t) => {
  const login = await startSamlLogin(t)
  const name = (inside: string) => (xml: string) => xml.replace('ada@example.com', inside)
  const group = (inside: string) => (xml: string) => xml.replace('<saml:AttributeValue>people', `<saml:AttributeValue>${inside}`)
  const company = (inside: string) => (xml: string) => xml.replace('<saml:AttributeValue>acme', `<saml:AttributeValue>${inside}`)
  const refused: Readonly<Record<string, readonly [edit: (xml: string) => string, reason: RegExp]>> = {
    'a child element': [name('admin@corp<x>.example</x>'), /NameID holds more than text/],
    'a child element without text': [name('admin@corp<x/>'), /NameID holds more than text/],
    'a no-break space': [name('admin@corp\u00a0'), /not seen/],
    'a no-break space before': [name('\u00a0admin@corp'), /not seen/],
    'an ideographic space': [name('admin\u3000corp'), /not seen/],
    'a zero-width space': [name('admin\u200b@corp'), /not seen/],
    'a change of direction': [name('admin\u202e@corp'), /not seen/],
    'a line end inside': [name('admin\n@corp'), /not seen/],
    'white space only': [name(' \n '), /empty/],
    'a child element in a role': [group('admins<x/>'), /groups holds more than text/],
    'a no-break space in a role': [group('admins\u00a0'), /not seen/],
    'a child element in the tenant': [company('acme<x/>'), /company holds more than text/],
    'a no-break space in the tenant': [company('acme\u00a0'), /not seen/],
  }
  for (const [what, [edit, reason]] of Object.entries(refused)) {
    const answer = await login.logIn(login.browser(), { signing: { edit } })
    assert.equal(answer.status, 403, what)
    assert.match(String(log(login)), reason, what)
  }
  const tamper = name('ada@exam<?x?>ple.com')
  assert.equal((await login.logIn(login.browser(), { signing: { tamper } })).status, 403)
  assert.match(String(log(login)), /processing instruction/)
  const consent = await login.logIn(login.browser(), { signing: { edit: name('\n\t ada@example.com\r\n ') } })
  assert.match(consent.text, /in your name, ada@example\.com\./)
})

test('a registration has the server connect nowhere', async (t) => {
  let connections = 0
  const inner = createServer((_, res) => res.end('[]')).on('connection', () => (connections += 1))
  inner.listen(0, '127.0.0.1')
  await once(inner, 'listening')
  t.after(() => inner.close().closeAllConnections())
  const inside = `http://127.0.0.1:${(inner.address() as AddressInfo).port}/uris.json`
  const { issuer } = await startSamlLogin(t, { registration: true })
  const register = async (metadata: object) => {
    const response = await fetch(`${issuer}/reg`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: ['https://client.example.com/callback'], ...metadata }),
    })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  for (const address of [inside, inside.replace('http:', 'https:'), 'https://169.254.169.254/latest'])
    for (const key of [
      'sector_identifier_uri',
      'jwks_uri',
      'backchannel_logout_uri',
      'backchannel_client_notification_endpoint',
    ]) {
      const { status, body } = await register({ [key]: address, subject_type: 'public' })
      assert.equal(status, 400, key)
      assert.deepEqual(body, {
        error: 'invalid_client_metadata',
        error_description: `${key} is not accepted: this server fetches nothing`,
      })
    }
  assert.equal((await register({ request_uris: [inside] })).status, 400)
  // What MCP clients say of themselves is taken and never loaded.
  const shown = {
    client_name: 'A client',
    client_uri: 'https://client.example.com',
    logo_uri: 'https://client.example.com/logo.png',
  }
  assert.equal((await register(shown)).status, 201)
  assert.equal(connections, 0)
})
