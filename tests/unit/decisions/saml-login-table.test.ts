import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { readForm } from '../../../auth-saml/src/form.ts'
import { html, page, pageHeaders } from '../../../auth-saml/src/page.ts'
import { isSafeRedirect, redirectHost } from '../../../auth-saml/src/redirect.ts'
import { scopesOf } from '../../../auth-saml/src/scopes.ts'
import { algorithmOf, readLoginSecrets, secretFaults, type SigningKey } from '../../../auth-saml/src/secrets.ts'
import { boundXml, XML_LIMITS } from '../../../auth-saml/src/xml-bounds.ts'
import { attribute, children, elementsOf, parseRootTag, parseXml, textOf } from '../../../auth-saml/src/xml.ts'

/** [where a code would be sent, whether it may be, what a person is shown of it] */
const REDIRECTS: readonly (readonly [string, boolean, string?])[] = [
  ['https://app.example.com/cb', true, 'app.example.com'],
  ['https://app.example.com:8443/cb?x=1', true, 'app.example.com:8443'],
  ['https://app.example.com/cb#', false],
  ['https://app.example.com/cb#part', false],
  ['http://localhost:1234/cb', true, 'localhost:1234'],
  ['http://127.0.0.1/cb', true, '127.0.0.1'],
  ['http://127.8.9.10:1/cb', true, '127.8.9.10:1'],
  ['http://[::1]:1/cb', true, '[::1]:1'],
  ['http://128.0.0.1/cb', false],
  ['http://127.0.0.1.example.com/cb', false],
  ['http://x127.0.0.1/cb', false],
  ['http://localhost.example.com/cb', false],
  ['http://app.example.com/cb', false],
  ['http://[::2]/cb', false],
  ['com.example.app:/cb', true, 'com.example.app:'],
  ['cursor://cb', true, 'cb'],
  ['javascript:alert(1)', false],
  ['JavaScript:alert(1)', false],
  ['data:text/html,x', false],
  ['vbscript:x', false],
  ['file:///etc/passwd', false],
  ['blob:https://a/b', false],
  ['about:blank', false],
  ['ftp://a/b', false],
  ['ws://localhost/', false],
  ['wss://localhost/', false],
  ['/cb', false],
  ['', false],
]
for (const [uri, expected, host] of REDIRECTS)
  test(`a code ${expected ? 'may' : 'may not'} be sent to ${JSON.stringify(uri)}`, () => {
    assert.equal(isSafeRedirect(uri), expected)
    if (host !== undefined) assert.equal(redirectHost(uri), host)
  })

test('a person may have the scopes of everyone, and those that one of its roles has', () => {
  const scopes = { read: 'everyone', write: ['editor', 'admin'], admin: ['admin'], none: [] } as const
  const of = (...roles: readonly string[]) => [...scopesOf(roles, scopes)]
  assert.deepEqual(of(), ['read'])
  assert.deepEqual(of('other'), ['read'])
  assert.deepEqual(of('everyone'), ['read'])
  assert.deepEqual(of('editor'), ['read', 'write'])
  assert.deepEqual(of('other', 'admin'), ['read', 'write', 'admin'])
})

test('what is put into a page is text, wherever it comes from', () => {
  assert.equal(
    html`<a href="${`"'<>&`}">${[{ html: '<b>' }, { html: '</b>' }]}</a>${'&#38;'}`.html,
    '<a href="&#34;&#39;&#60;&#62;&#38;"><b></b></a>&#38;#38;',
  )
  const whole = page('<Title>', html`<p>body</p>`)
  assert.match(whole, /^<!doctype html>/)
  assert.match(whole, /<title>&#60;Title&#62;<\/title>/)
  assert.match(whole, /<h1>&#60;Title&#62;<\/h1>\s*<p>body<\/p>/)
  const [, style = ''] = /<style>\s*([^<]*?)\s*<\/style>/.exec(whole) ?? []
  assert.ok(style.length > 0)
})

test('no page loads anything, is framed, or is kept, and a form ends up where it may', () => {
  const policy = (targets?: readonly string[]) =>
    pageHeaders(targets)['content-security-policy']?.replace(/'sha256-[^']+'/, 'STYLE')
  assert.equal(policy(), "default-src 'none'; style-src STYLE; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
  assert.match(policy(['https://a', 'https://b']) ?? '', /form-action 'self' https:\/\/a https:\/\/b;/)
  const { 'content-security-policy': _, ...others } = pageHeaders()
  assert.deepEqual(others, {
    'content-type': 'text/html; charset=utf-8',
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
    'cache-control': 'no-store',
  })
  const [, hashed] = /'sha256-([^']+)'/.exec(pageHeaders()['content-security-policy'] ?? '') ?? []
  const [, style = ''] = /<style>\s*([^<]*?)\s*<\/style>/.exec(page('t', html``)) ?? []
  assert.equal(createHash('sha256').update(style).digest('base64'), hashed)
})

const FORM = 'application/x-www-form-urlencoded'
/** [content type, body, what it holds or why it is refused] */
const FORMS: readonly (readonly [string | undefined, string, object | RegExp])[] = [
  [FORM, 'a=1&b=%26', { a: '1', b: '&' }],
  [`${FORM}; charset=utf-8`, 'a=1', { a: '1' }],
  [` ${FORM.toUpperCase()} ;x`, 'a=1', { a: '1' }],
  [undefined, 'a=1', /is no form/],
  ['multipart/form-data', 'a=1', /is no form/],
  ['application/json', '{}', /is no form/],
  [FORM, 'a'.repeat(100), { ['a'.repeat(100)]: '' }],
  [FORM, 'a'.repeat(101), /longer than 100 bytes/],
  [FORM, `${'\u00e4'.repeat(50)}a`, /longer than 100 bytes/],
  [
    FORM,
    Array.from({ length: 16 }, (_, index) => `a${index}`).join('&'),
    Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`a${index}`, ''])),
  ],
  [FORM, 'a&'.repeat(16), /more than 16 fields/],
]
for (const [type, body, expected] of FORMS)
  test(`${JSON.stringify(body.slice(0, 20))} of ${body.length} characters as ${type} ${expected instanceof RegExp ? `is refused: ${expected.source}` : 'is a form'}`, async () => {
    const req = new IncomingMessage(new Socket())
    if (type !== undefined) req.headers['content-type'] = type
    const bytes = Buffer.from(body)
    for (const half of [bytes.subarray(0, 50), bytes.subarray(50)]) if (half.length > 0) req.push(half)
    req.push(null)
    const found = readForm(req, 100)
    if (expected instanceof RegExp) await assert.rejects(found, expected)
    else assert.deepEqual(Object.fromEntries(await found), expected)
  })

const jwk = (key: { export(options: { format: 'jwk' }): unknown }, kid: string) =>
  ({ ...(key.export({ format: 'jwk' }) as object), kid }) as SigningKey
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const KEYS = {
  ec: jwk(ec.privateKey, 'a'),
  public: jwk(ec.publicKey, 'b'),
  ed: jwk(generateKeyPairSync('ed25519').privateKey, 'c'),
  p384: jwk(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey, 'd'),
  rsa: jwk(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey, 'e'),
  weak: jwk(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey, 'f'),
  x25519: jwk(generateKeyPairSync('x25519').privateKey, 'g'),
}
const GOOD = 'c'.repeat(32)
/** [signing keys, cookie secrets, what is wrong] */
const SECRETS: readonly (readonly [readonly SigningKey[], readonly string[], readonly RegExp[]])[] = [
  [[KEYS.ec], [GOOD], []],
  [[KEYS.ed, KEYS.rsa, KEYS.ec], [GOOD, `${GOOD}x`], []],
  [[], [GOOD], [/^signingKeys is empty/]],
  [[KEYS.ec], [], [/^cookieSecrets is empty/]],
  [[KEYS.ec], [GOOD, 'c'.repeat(31)], [/^cookieSecrets\[1\] is shorter than 32 bytes/]],
  [[KEYS.ec], ['\u00e4'.repeat(16)], []],
  [[KEYS.public], [GOOD], [/^signingKeys\[0\] is no private key$/]],
  [[KEYS.p384], [GOOD], [/^signingKeys\[0\] is neither EC P-256 nor Ed25519 nor RSA$/]],
  [[KEYS.x25519], [GOOD], [/is neither/]],
  [[KEYS.weak], [GOOD], [/is an RSA key of less than 2048 bits$/]],
  [[{ ...KEYS.ec, kid: '' }], [GOOD], [/has no kid$/]],
  [[KEYS.ec, { ...KEYS.ed, kid: 'a' }], [GOOD], [/^signingKeys\[1\] has the kid of another$/]],
  [[{ ...KEYS.ec, crv: 'x' }], [GOOD], [/is not a key that can be read$/]],
]
for (const [index, [signingKeys, cookieSecrets, expected]] of SECRETS.entries())
  test(`the secrets ${index} have ${expected.length === 0 ? 'no fault' : `the fault ${expected.map(({ source }) => source).join()}`}`, () => {
    const faults = secretFaults({ signingKeys, cookieSecrets })
    assert.equal(faults.length, expected.length, faults.join())
    for (const [at, fault] of faults.entries()) {
      assert.match(fault, expected[at] ?? /^$/)
      for (const secret of [String(KEYS.ec['d']), GOOD]) assert.ok(!fault.includes(secret))
    }
  })

test('a key signs by the algorithm of its type', () =>
  assert.deepEqual([KEYS.ec, KEYS.ed, KEYS.rsa].map(algorithmOf), ['ES256', 'EdDSA', 'RS256']))

test('secrets come from the environment, each separated by a comma or a line, and no error quotes them', () => {
  const env = { SAML_SIGNING_KEYS: '{"keys":[{"kid":"a"}]}', SAML_COOKIE_SECRETS: ' a ,b\n\n c,' }
  assert.deepEqual(readLoginSecrets(env), { signingKeys: [{ kid: 'a' }], cookieSecrets: ['a', 'b', 'c'] })
  for (const keys of ['s3cret', '{"keys":"s3cret"}', '[]', 'null'])
    assert.throws(
      () => readLoginSecrets({ ...env, SAML_SIGNING_KEYS: keys }),
      ({ message }: Error) => /must be a JWK Set/.test(message) && !message.includes('s3cret'),
    )
  assert.throws(() => readLoginSecrets({ ...env, SAML_COOKIE_SECRETS: ' ' }), /^Error: SAML_COOKIE_SECRETS is not set/)
  assert.throws(() => readLoginSecrets({ SAML_COOKIE_SECRETS: 'a' }), /^Error: SAML_SIGNING_KEYS is not set/)
})

const nested = (depth: number) => `${'<a>'.repeat(depth)}${'</a>'.repeat(depth)}`
const many = (count: number) => `<r>${'<a/>'.repeat(count - 1)}</r>`
const names = (count: number) => `<r>${Array.from({ length: count - 1 }, (_, index) => `<a${index}/>`).join('')}</r>`
const attributes = (count: number) => `<r ${Array.from({ length: count }, (_, index) => `a${index}="1"`).join(' ')}/>`
/** [XML, the start tag of its root or why it is refused] */
const BOUNDS: readonly (readonly [string, string | RegExp])[] = [
  ['<r/>', '<r/>'],
  ['<r a="1"><b/></r>', '<r a="1">'],
  ['<?xml version="1.0"?>\n<!-- <x> --><r/>', '<r/>'],
  ['\uFEFF<?xml version="1.0"?><r/>', '<r/>'],
  [`<r a=">" b='"'>x</r>`, `<r a=">" b='"'>`],
  ['<r><![CDATA[<!DOCTYPE ?>]]></r>', '<r>'],
  ['<!DOCTYPE r><r/>', /declares a document type/],
  ['<r><!ENTITY a "b"></r>', /declares a document type/],
  ['<r><?php ?></r>', /processing instruction/],
  ['<?xml-stylesheet href="x"?><r/>', /processing instruction/],
  ['<r/><?xml version="1.0"?>', /processing instruction/],
  ['text', /no element/],
  ['', /no element/],
  ['<!-- <r/> -->', /no element/],
  ['<r', /a tag has no end/],
  ['<r <a>', /a tag has no end/],
  ['<r a="1>', /a part of it has no end/],
  ['<r><!-- </r>', /a part of it has no end/],
  ['<r></r', /a part of it has no end/],
  [nested(XML_LIMITS.depth), '<a>'],
  [nested(XML_LIMITS.depth + 1), /deeper than 32/],
  [`<r>${'<a></a>'.repeat(100)}</r>`, '<r>'],
  [many(16_384), '<r>'],
  [many(16_385), /more than 16384 elements/],
  [names(128), '<r>'],
  [names(129), /more than 128 names/],
  [attributes(64), attributes(64)],
  [attributes(65), /more than 64 attributes/],
]
for (const [xml, expected] of BOUNDS)
  test(`${JSON.stringify(xml.slice(0, 40))} of ${xml.length} characters ${expected instanceof RegExp ? `is refused: ${expected.source}` : 'is within the bounds'}`, () => {
    if (expected instanceof RegExp) assert.throws(() => boundXml(xml), expected)
    else assert.equal(boundXml(xml), expected)
  })

/** [what an element holds, its text] */
const TEXTS: readonly (readonly [string, string | undefined])[] = [
  ['ada', 'ada'],
  [' \t\r\n ada lovelace \n', 'ada lovelace'],
  ['ad<!-- x -->a', 'ada'],
  ['a<![CDATA[d]]>a', 'ada'],
  ['\u00a0ada\u00a0', '\u00a0ada\u00a0'],
  ['ad<b/>a', undefined],
  ['<b>ada</b>', undefined],
  ['', ''],
]
for (const [inside, expected] of TEXTS)
  test(`the text of ${JSON.stringify(inside)} is ${JSON.stringify(expected)}`, async () => {
    assert.equal(textOf(await parseXml(`<r>${inside}</r>`)), expected)
  })

test('elements are found in the order of the document, children by their local name, and an empty attribute is one', async () => {
  const root = await parseXml('<r><p:a xmlns:p="urn:p" n="1"><b/></p:a><a n="2"/><c/><a n=""/></r>')
  assert.deepEqual(
    [...elementsOf(root)].map(({ localName }) => localName),
    ['r', 'a', 'b', 'a', 'c', 'a'],
  )
  assert.deepEqual(
    children(root, 'a').map((one) => attribute(one, 'n')),
    ['1', '2', ''],
  )
  assert.equal(children(root, 'b').length, 0)
  assert.equal(attribute(root, 'n'), undefined)
  const tag = await parseRootTag('<r n="1"><a/><b></r>')
  assert.deepEqual([attribute(tag, 'n'), tag.firstChild], ['1', null])
  assert.equal(attribute(await parseRootTag('<r n="1"/>'), 'n'), '1')
})
