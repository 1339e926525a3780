// Which assertions are for this server, this request and this moment: one row for each rule of SAML Profiles 2.0, section 4.1.4.3.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readAssertion } from '../../../auth-saml/src/assertion.ts'
import { decodeResponse, openEnvelope } from '../../../auth-saml/src/envelope.ts'
import { verifyAssertion } from '../../../auth-saml/src/signature.ts'
import { createMemoryStore, take } from '../../../auth-saml/src/store.ts'
import { parseXml } from '../../../auth-saml/src/xml.ts'
import { testIdentityProvider } from '../../fixtures/auth/saml-identity-provider.ts'

const at = (ms: number) => new Date(ms).toISOString()
const now = Date.parse('2026-01-01T12:00:00Z')
const expected = { requestId: '_request', acsUrl: 'https://sp/acs', entityId: 'https://idp', audience: 'https://sp', now }
const good = `<Assertion xmlns="urn:oasis:names:tc:SAML:2.0:assertion" IssueInstant="${at(now - 1_000)}"><Issuer>https://idp</Issuer><Subject><NameID>ada</NameID><SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><SubjectConfirmationData Recipient="https://sp/acs" InResponseTo="_request" NotOnOrAfter="${at(now + 60_000)}"/></SubjectConfirmation></Subject><Conditions NotBefore="${at(now - 1_000)}" NotOnOrAfter="${at(now + 60_000)}"><AudienceRestriction><Audience>https://sp</Audience></AudienceRestriction></Conditions><AuthnStatement/></Assertion>`
const read = async (xml: string) => readAssertion(await parseXml(xml), expected)
const [issued, start, end] = [at(now - 1_000), at(now - 1_000), at(now + 60_000)]

test('an assertion that keeps every rule is taken, and one that is half a minute off as well', async () => {
  assert.equal((await read(good)).nameId, 'ada')
  assert.equal((await read(good.replaceAll(end, at(now - 29_000)))).nameId, 'ada')
  assert.equal((await read(good.replace(`NotBefore="${start}"`, `NotBefore="${at(now + 30_000)}"`))).nameId, 'ada')
  assert.equal((await read(good.replace(`IssueInstant="${issued}"`, `IssueInstant="${at(now - 329_000)}"`))).nameId, 'ada')
})

const rows: readonly (readonly [what: string, from: string | RegExp, to: string, refusal: RegExp])[] = [
  ['of another issuer', 'https://idp', 'https://other', /is of https:\/\/other/],
  ['not confirmed by its bearer', 'cm:bearer', 'cm:sender-vouches', /confirmed by/],
  ['for another recipient', 'Recipient="https://sp/acs"', 'Recipient="https://sp/other"', /recipient/],
  ['for another request', 'InResponseTo="_request"', 'InResponseTo="_other"', /InResponseTo differs/],
  ['for any request', ' InResponseTo="_request"', '', /InResponseTo differs/],
  ['whose confirmation is over', `NotOnOrAfter="${end}"/>`, `NotOnOrAfter="${at(now - 30_000)}"/>`, /confirmation is expired/],
  ['whose confirmation has no end', ` NotOnOrAfter="${end}"/>`, '/>', /has no NotOnOrAfter/],
  [
    'whose confirmation has a start',
    'InResponseTo="_request"',
    `InResponseTo="_request" NotBefore="${start}"`,
    /NotBefore, which/,
  ],
  ['that is not valid yet', `NotBefore="${start}"`, `NotBefore="${at(now + 30_001)}"`, /not yet valid/],
  ['that is over', `NotOnOrAfter="${end}">`, `NotOnOrAfter="${at(now - 30_000)}">`, /assertion is expired/],
  ['that was issued long ago', `IssueInstant="${issued}"`, `IssueInstant="${at(now - 330_000)}"`, /too old/],
  ['that says no time', ` IssueInstant="${issued}"`, '', /no IssueInstant/],
  ['for others', '<Audience>https://sp<', '<Audience>https://other<', /audience mismatch/],
  ['for nobody in particular', /<AudienceRestriction>.*<\/AudienceRestriction>/, '', /no AudienceRestriction/],
  [
    'for us and, alone, for others',
    '</Conditions>',
    '<AudienceRestriction><Audience>x</Audience></AudienceRestriction></Conditions>',
    /audience/,
  ],
  ['of nobody who logged in', '<AuthnStatement/>', '', /one AuthnStatement/],
  ['of two names', '<NameID>ada</NameID>', '<NameID>ada</NameID><NameID>eve</NameID>', /one NameID/],
  ['with two confirmations', '<SubjectConfirmation ', '<SubjectConfirmation/><SubjectConfirmation ', /one SubjectConfirmation/],
]
for (const [what, from, to, refusal] of rows)
  test(`an assertion is refused ${what}`, async () => {
    const changed = good.replace(from, to)
    assert.notEqual(changed, good)
    await assert.rejects(read(changed), refusal)
  })

test('a signature has the two transforms of SAML and no third', async () => {
  const idp = testIdentityProvider()
  const response = idp.respond(
    { acs: 'https://sp/acs', inResponseTo: '_request', audience: 'https://sp' },
    { tamper: (xml) => xml.replace('</ds:Transforms>', '<ds:Transform Algorithm="http://example.com/third"/></ds:Transforms>') },
  )
  const { root, assertion } = await openEnvelope(decodeResponse(response), { acsUrl: 'https://sp/acs', entityId: idp.entityId })
  assert.throws(() => verifyAssertion(root, assertion, [idp.key.certificate]), /its transforms must be/)
})

test('a response of another issuer is refused, whatever is in it', async () => {
  const idp = testIdentityProvider()
  const other = (xml: string) => xml.replace(/(<saml:Issuer[^>]*>)[^<]*/, '$1https://other')
  const response = idp.respond({ acs: 'https://sp/acs', inResponseTo: '_request', audience: 'https://sp' }, { tamper: other })
  const open = openEnvelope(decodeResponse(response), { acsUrl: 'https://sp/acs', entityId: idp.entityId })
  await assert.rejects(open, /response is of https:\/\/other/)
})

test('of two who ask at once for what counts once, one has it', async () => {
  const store = createMemoryStore()
  await store.set('ticket', 'value', 60_000)
  const taken = await Promise.all([take(store, 'ticket'), take(store, 'ticket')])
  assert.deepEqual(taken.toSorted(), ['value', undefined])
})
