import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { chooseCredential } from '../../../host/src/auth/outbound/credentials.ts'
import { createLogger } from '../../../host/src/observability/logger.ts'
import { createRedactor } from '../../../host/src/observability/redact.ts'
import { refusal, serviceHttp } from '../../fixtures/http/service-http.ts'
import { reply, reset, startUpstream, type Behaviour } from '../../fixtures/http/upstream.ts'

const echoes: readonly (readonly [what: string, behaviour: Behaviour])[] = [
  [
    'as it came',
    (response, { headers }) => reply(500, { message: `bad token ${String(headers['authorization'])}` })(response, headersOnly),
  ],
  ['in HTML', (response, { headers }) => reply(500, `<title>${String(headers['authorization'])}</title>`)(response, headersOnly)],
  [
    'percent-encoded',
    (response, { headers }) => reply(401, encodeURIComponent(String(headers['authorization'])))(response, headersOnly),
  ],
  ['in Base64', (response, { headers }) => reply(400, btoa(`header=${String(headers['authorization'])}`))(response, headersOnly)],
]
for (const kind of ['personalToken', 'basic'] as const)
  for (const [what, behaviour] of echoes)
    test(`a ${kind} that the service echoes ${what} is redacted`, async () => {
      await using upstream = await startUpstream(behaviour)
      const values =
        kind === 'basic' ? { username: 'ada', password: 'canary/horse+battery' } : { personalToken: 'canary/horse+battery' }
      const chosen = chooseCredential({
        instance: 'github',
        values: new Map(Object.entries(values)),
        fingerprintKey: Buffer.alloc(32),
      })
      assert.ok(chosen && chosen.kind !== 'grant')
      await using http = serviceHttp({ baseUrl: upstream.url, credential: async () => chosen })
      const error = await http.json('/a', { method: 'POST' }).catch((thrown: unknown) => thrown)
      const seen = inspect(error, { depth: 10 })
      assert.match(seen, /\[redacted\]/)
      for (const form of ['canary', 'horse', encodeURIComponent('canary/horse'), btoa('canary'), btoa('ada:canary').slice(0, 12)])
        assert.ok(!seen.includes(form), `${form} is in ${seen}`)
    })

test('neither query values nor credentials are in what is logged of a request', async () => {
  const lines: string[] = []
  const log = createLogger({ level: 'debug', format: 'json', destination: { write: (line) => void lines.push(line) } })
  await using upstream = await startUpstream(reset)
  const chosen = chooseCredential({
    instance: 'github',
    values: new Map([['apiKey', 'canary-key']]),
    fingerprintKey: Buffer.alloc(32),
  })
  assert.ok(chosen && chosen.kind !== 'grant')
  await using http = serviceHttp({
    baseUrl: upstream.url,
    credential: async () => chosen,
    log,
    limits: { breakerFailures: 3 },
    redactor: createRedactor(),
  })
  const error = await refusal(http.json('/a', { query: { email: 'canary@example.com' } }), 'UPSTREAM_FAILED')
  assert.ok(lines.some((line) => line.includes('upstream_retry')))
  assert.ok(lines.some((line) => line.includes('upstream_circuit_open')))
  assert.doesNotMatch(lines.join('') + inspect(error, { depth: 10 }), /canary/)
})

test('a secret in the path of a request is not in its error', async () => {
  await using upstream = await startUpstream(reply(404))
  await using http = serviceHttp({ baseUrl: upstream.url, redactor: createRedactor(['12345:bot-token']) })
  const error = await refusal(http.json('/bot12345:bot-token/getMe'), 'NOT_FOUND')
  assert.equal(error.message, 'github: GET /bot[redacted]/getMe answered 404')
})

test('a secret that the end of the quotation cuts in two is redacted whole', async () => {
  await using upstream = await startUpstream(reply(500, `${'x'.repeat(285)} canary-horse-battery`))
  await using http = serviceHttp({ baseUrl: upstream.url, redactor: createRedactor(['canary-horse-battery']) })
  const error = await refusal(http.json('/a', { method: 'POST' }), 'UPSTREAM_FAILED')
  assert.match(error.message, /x \[redacted\]\. The change may or may not have been made$/)
})

const headersOnly = { method: '', path: '', headers: {}, body: '', httpVersion: '1.1', abandoned: Promise.resolve() }
