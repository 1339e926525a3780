import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  bodyFailure,
  connectionFailure,
  circuitOpen,
  overloaded,
  redirectFailure,
  timeoutFailure,
} from '../../../host/src/network/failures.ts'
import { PROXY_FAILED } from '../../../host/src/network/connect/proxy.ts'
import type { CredentialSource } from '../../../host/src/network/request/placed-credential.ts'
import type { Subject } from '../../../host/src/network/request/subject.ts'
import { notJson, notText, statusError } from '../../../host/src/network/response/status-error.ts'

const subject = (change: Partial<Subject> = {}): Subject => ({
  instance: 'desk',
  method: 'POST',
  path: '/tickets?q=…',
  hints: { credentialVariables: ['DESK_TOKEN', 'DESK_KEY'], baseUrlVariable: 'DESK_API_URL' },
  mayChange: false,
  redact: (text) => text.replaceAll('s3cret', '***'),
  ...change,
})
const answer = (status: number, body = '', headers: Readonly<Record<string, string>> = {}) => ({
  status,
  headers,
  url: 'https://desk.example/',
  body: Buffer.from(body),
})
const DOUBT = '. The change may or may not have been made'
const CHECK = 'Check whether the change was made, and call again if it was not'

/** [what failed, whether another attempt may help, whether it counts against the service, whether a change is in doubt] */
const CONNECTIONS: readonly (readonly [string, string, string, boolean, boolean, boolean])[] = [
  ['ADDRESS_REFUSED', 'PERMISSION_DENIED', 'is refused: the host is not at a public address', false, false, false],
  ['PROXY_FAILED', 'UPSTREAM_FAILED', 'the proxy gave no connection', true, true, false],
  ['UND_ERR_CONNECT_TIMEOUT', 'TIMEOUT', 'timed out: no connection in time', false, true, false],
  ['ETIMEDOUT', 'TIMEOUT', 'timed out: no connection in time', false, true, false],
  ['ECONNREFUSED', 'UPSTREAM_FAILED', 'the connection was refused', true, true, false],
  ['EAI_AGAIN', 'UPSTREAM_FAILED', 'cannot be resolved now', true, true, false],
  ['ENOTFOUND', 'UPSTREAM_FAILED', 'the name of the host is unknown', false, true, false],
  ['EAI_NODATA', 'UPSTREAM_FAILED', 'the name of the host is unknown', false, true, false],
  ['EHOSTUNREACH', 'UPSTREAM_FAILED', 'there is no route to the host', true, true, false],
  ['ENETUNREACH', 'UPSTREAM_FAILED', 'there is no route to the host', true, true, false],
  ['EADDRNOTAVAIL', 'UPSTREAM_FAILED', 'there is no route to the host', true, true, false],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'UPSTREAM_FAILED', 'no secure connection', false, true, false],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'UPSTREAM_FAILED', 'no secure connection', false, true, false],
  ['CERT_HAS_EXPIRED', 'UPSTREAM_FAILED', 'no secure connection', false, true, false],
  ['EPROTO', 'UPSTREAM_FAILED', 'no secure connection', false, true, false],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'UPSTREAM_FAILED', 'no secure connection', false, true, false],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'UPSTREAM_FAILED', 'no secure connection', false, true, false],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UPSTREAM_FAILED', 'no secure connection', false, true, false],
  ['EPROTOTYPE', 'UPSTREAM_FAILED', 'the connection broke before the answer was complete', true, true, true],
  ['ECONNRESET', 'UPSTREAM_FAILED', 'the connection broke before the answer was complete', true, true, true],
  ['', 'UPSTREAM_FAILED', 'the connection broke before the answer was complete', true, true, true],
]
for (const [code, kind, said, retryable, unhealthy, inDoubt] of CONNECTIONS)
  test(`${code || 'an error without a code'} is ${kind}, ${retryable ? 'may' : 'may not'} be tried again, and ${unhealthy ? 'counts' : 'does not count'} against the service`, () => {
    const cause = Object.assign(new Error('x'), code === '' ? {} : { code: code === 'PROXY_FAILED' ? PROXY_FAILED : code })
    for (const mayChange of [false, true]) {
      const found = connectionFailure(cause, subject({ mayChange }))
      assert.equal(found.error.code, kind)
      assert.ok(found.error.message.startsWith('desk: POST /tickets?q=… '), found.error.message)
      assert.ok(found.error.message.includes(said), found.error.message)
      assert.equal(found.error.message.endsWith(DOUBT), inDoubt && mayChange)
      assert.equal(found.error.fix === CHECK, inDoubt && mayChange)
      assert.equal(found.error.cause, cause)
      assert.deepEqual([found.retryable, found.unhealthy, found.unsent], [retryable, unhealthy, undefined])
    }
  })

test('what is not HTTP is not asked for again, and leaves a change in doubt', () => {
  const cause = Object.assign(new Error('x'), { name: 'HTTPParserError' })
  const found = connectionFailure(cause, subject({ mayChange: true }))
  assert.equal(found.error.message, `desk: POST /tickets?q=… failed: the answer is not HTTP${DOUBT}`)
  assert.deepEqual([found.retryable, found.unhealthy], [false, true])
})

test('a failure says what it leaves in doubt, and whether it tells anything of the service', () => {
  const facts = ({ error, retryable, unhealthy, unsent }: ReturnType<typeof circuitOpen>) => [
    error.code,
    error.message.replace('desk: POST /tickets?q=… ', ''),
    error.fix,
    retryable,
    unhealthy,
    unsent ?? false,
  ]
  const changing = subject({ mayChange: true })
  assert.deepEqual(facts(timeoutFailure('no answer in time', changing)), [
    'TIMEOUT',
    `timed out: no answer in time${DOUBT}`,
    CHECK,
    false,
    true,
    false,
  ])
  const damaged = { kind: 'damaged', problem: 'a broken body' } as const
  const tooLarge = { kind: 'tooLarge', problem: 'too much' } as const
  assert.deepEqual(facts(bodyFailure(200, damaged, changing)), [
    'UPSTREAM_FAILED',
    `answered 200 with a broken body${DOUBT}`,
    CHECK,
    true,
    true,
    false,
  ])
  assert.deepEqual(facts(bodyFailure(400, damaged, subject())), [
    'UPSTREAM_FAILED',
    'answered 400 with a broken body',
    'Call again later',
    true,
    true,
    false,
  ])
  assert.equal(bodyFailure(399, damaged, changing).error.message.endsWith(DOUBT), true)
  assert.equal(bodyFailure(400, damaged, changing).error.message.endsWith(DOUBT), false)
  assert.deepEqual(facts(bodyFailure(200, tooLarge, subject())), [
    'UPSTREAM_FAILED',
    'answered 200 with too much',
    'Ask for less at once, such as a smaller page or fewer fields',
    false,
    false,
    false,
  ])
  assert.deepEqual(facts(redirectFailure('to another origin', changing)), [
    'UPSTREAM_FAILED',
    'redirects to another origin, which is not followed',
    'Check that DESK_API_URL is the address the service really has',
    false,
    false,
    false,
  ])
  assert.deepEqual(facts(overloaded({ inFlight: 3, queued: 5 }, changing)), [
    'RATE_LIMITED',
    'was not sent: 3 requests are on their way and 5 wait',
    'Call again when fewer calls to this service are running',
    false,
    false,
    true,
  ])
  for (const [ms, seconds] of [
    [0, 1],
    [1_000, 1],
    [1_001, 2],
  ] as const) {
    const alone = circuitOpen(ms, changing)
    assert.deepEqual(facts(alone), [
      'UPSTREAM_FAILED',
      'was not sent: the service failed several times in a row',
      `Call again in ${seconds} s; the host tries it again then`,
      false,
      false,
      true,
    ])
    assert.equal(alone.error.retryAfterMs, seconds * 1000)
  }
})

/** [status, the code, whether a change is in doubt] */
const STATUSES: readonly (readonly [number, string, boolean])[] = [
  [400, 'INVALID_INPUT', false],
  [401, 'AUTHENTICATION_FAILED', false],
  [403, 'PERMISSION_DENIED', false],
  [404, 'NOT_FOUND', false],
  [422, 'INVALID_INPUT', false],
  [429, 'RATE_LIMITED', false],
  [499, 'INVALID_INPUT', false],
  [500, 'UPSTREAM_FAILED', true],
  [501, 'UPSTREAM_FAILED', false],
  [502, 'UPSTREAM_FAILED', true],
  [503, 'UPSTREAM_FAILED', false],
  [504, 'UPSTREAM_FAILED', true],
  [505, 'UPSTREAM_FAILED', false],
]
for (const [status, code, inDoubt] of STATUSES)
  test(`the status ${status} is ${code}${inDoubt ? ', and leaves a change in doubt' : ''}`, () => {
    for (const mayChange of [false, true]) {
      const error = statusError(answer(status), subject({ mayChange }), undefined)
      assert.equal(error.code, code)
      assert.equal(error.message, `desk: POST /tickets?q=… answered ${status}${inDoubt && mayChange ? DOUBT : ''}`)
      assert.equal(error.fix === CHECK, inDoubt && mayChange)
      assert.equal('retryAfterMs' in error && error.retryAfterMs !== undefined, false)
    }
  })

const server: CredentialSource = { kind: 'server', variables: ['DESK_USER', 'DESK_PASSWORD'] }
/** [status, where the credential came from, how to go on] */
const REMEDIES: readonly (readonly [number, CredentialSource | undefined, RegExp])[] = [
  [401, server, /Set DESK_USER and DESK_PASSWORD in the environment or in \.env to .*docs\/errors\.md#credential_refused/],
  [401, undefined, /Set DESK_TOKEN or DESK_KEY in the environment .*docs\/errors\.md#credential_required/],
  [
    401,
    { kind: 'header', header: 'X-Upstream-Desk-Authorization' },
    /Send X-Upstream-Desk-Authorization with .*#credential_refused/,
  ],
  [401, { kind: 'exchange' }, /Sign in again.*#credential_refused/],
  [401, { kind: 'stored' }, /Link your account again.*#credential_refused/],
  [403, server, /^Give the credential in DESK_USER and DESK_PASSWORD the right to do this, or set another one$/],
  [403, undefined, /^Give the credential in DESK_TOKEN or DESK_KEY the right to do this, or set another one$/],
  [403, { kind: 'header', header: 'X' }, /^Let your account at the service do this, or use another one$/],
  [403, { kind: 'exchange' }, /^Let your account/],
  [403, { kind: 'stored' }, /^Let your account/],
  [404, undefined, /^Check the names and numbers in the call/],
  [400, undefined, /^Correct the arguments and call again$/],
  [429, undefined, /^Call again later$/],
]
for (const [status, source, fix] of REMEDIES)
  test(`after ${status} with a credential of ${source?.kind ?? 'no kind'} comes ${fix.source.slice(0, 40)}`, () => {
    const error = statusError(answer(status), subject(source ? { source } : {}), undefined)
    assert.match(error.fix ?? '', fix)
  })

test('the advice has the scopes, the page and the time that are known', () => {
  const hints = { credentialVariables: [], baseUrlVariable: 'the URL', scopes: ['a', 'b'], docsUrl: 'https://d' }
  const fix = (status: number, headers: Readonly<Record<string, string>>, change: Partial<Subject> = {}, wait?: number) =>
    statusError(answer(status, '', headers), subject(change), wait).fix ?? ''
  assert.match(fix(401, {}, { hints }), /takes none.*It needs the scopes: a, b\. How to get one: https:\/\/d\. See/)
  assert.match(fix(401, { 'www-authenticate': 'Bearer scope="x y"' }, { hints }), /It needs the scopes: x y\./)
  assert.match(fix(401, { 'x-accepted-oauth-scopes': 'repo' }), /It needs the scopes: repo\./)
  assert.match(fix(403, { 'www-authenticate': 'Bearer scope="x"', 'x-accepted-oauth-scopes': 'repo' }), /It needs the scopes: x$/)
  assert.doesNotMatch(fix(401, { 'x-accepted-oauth-scopes': 'a\u00e4' }), /It needs/)
  assert.doesNotMatch(fix(401, { 'x-accepted-oauth-scopes': 'a'.repeat(301) }), /It needs/)
  assert.doesNotMatch(fix(401, {}), /It needs|How to get/)
  assert.equal(fix(403, {}, { hints }), 'The service does not allow this to any caller')
  assert.equal(fix(429, {}, {}, 1_001), 'Call again in 2 s')
  assert.equal(statusError(answer(429), subject(), 1_001).retryAfterMs, 1_001)
})

/** [content type, body, what is said of it] */
const SAID: readonly (readonly [string, string, string])[] = [
  ['application/json', '{"error":"bad"}', ': bad'],
  ['application/json', '{"error":{"message":"deep"}}', ': deep'],
  ['application/json', '{"error":"a","message":"a","detail":"b"}', ': a; b'],
  ['application/json', '{"title":"t","error_description":"d","reason":"r"}', ': d; t; r'],
  ['application/json', '{"errorMessages":["a","b"],"errors":{"message":"c"}}', ': a; b; c'],
  ['application/json', '[{"message":"a"},{"message":"b"}]', ': a; b'],
  ['application/json', '["1","2","3","4","5","6"]', ': 1; 2; 3; 4; 5'],
  ['application/json', '{"other":"x"}', ': {"other":"x"}'],
  [
    'application/json',
    '{"error":{"error":{"error":{"error":{"error":"too deep"}}}}}',
    ': {"error":{"error":{"error":{"error":{"error":"too deep"}}}}}',
  ],
  ['application/json', '{"error":{"error":{"error":"deep"}}}', ': deep'],
  ['application/json', '"word"', ': word'],
  ['application/json', '{', ': {'],
  ['text/plain', 'with s3cret', ': with ***'],
  ['text/plain', 'a\nb\u0000\u202ec', ': a b c'],
  ['text/html', '<html><title>Sign in</title>', ': Sign in'],
  ['text/html; charset=utf-8', 'no title', ''],
  ['text/plain', '  <p>page</p>', ''],
  ['text/plain', 'x'.repeat(301), `: ${'x'.repeat(299)}…`],
  ['text/plain', 'x'.repeat(300), `: ${'x'.repeat(300)}`],
  ['text/plain', ' '.repeat(65_530) + 'within', ': within'],
  ['text/plain', ' '.repeat(65_531) + 'beyond', ''],
  ['text/plain', '', ''],
]
for (const [type, body, said] of SAID)
  test(`of ${type} ${JSON.stringify(body.trim().slice(0, 50))} an error says ${JSON.stringify(said.slice(0, 50))}`, () => {
    const { message } = statusError(answer(400, body, { 'content-type': type }), subject(), undefined)
    assert.equal(message, `desk: POST /tickets?q=… answered 400${said}`)
  })

test('an answer that is not JSON, or not text, says what it is', () => {
  const said = (body: string, mayChange = false) => notJson(answer(200, body), subject({ mayChange }))
  assert.equal(said('').message, 'desk: POST /tickets?q=… answered 200 with nothing instead of JSON')
  assert.equal(said('x', true).message, `desk: POST /tickets?q=… answered 200 with something else instead of JSON${DOUBT}`)
  assert.equal(said('x', true).fix, CHECK)
  for (const page of ['<html>', ' <!DOCTYPE html>', '\n<HTML>']) {
    assert.match(said(page).message, /an HTML page instead/)
    assert.match(said(page, true).fix ?? '', /^Check that DESK_API_URL is the address of the API/)
  }
  assert.match(said('<head>').message, /something else/)
  const bytes = notText(answer(200), subject({ mayChange: true }))
  assert.deepEqual(
    [bytes.code, bytes.message.endsWith(`bytes that are not valid text${DOUBT}`), bytes.fix],
    ['UPSTREAM_FAILED', true, CHECK],
  )
})
