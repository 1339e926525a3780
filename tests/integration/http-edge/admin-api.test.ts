import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { definePlugin, definePrompt, defineResource, defineTool, elicit, inputRequired, Type } from '@mcp-patchbay/plugin-api'
import { createHost } from '../../../host/src/host.ts'
import { createLogger } from '../../../host/src/observability/logger.ts'
import { createRedactor } from '../../../host/src/observability/redact.ts'
import type { AdminProject } from '../../../host/src/transport/admin/types.ts'
import type { Listening } from '../../../host/src/transport/listen.ts'
import type { Host } from '../../../host/src/types.ts'
import { createFeed } from '../../fixtures/http/feed.ts'
import { rawRequest } from '../../fixtures/http/raw-http.ts'

const TOKEN = 'a-token-that-nothing-else-contains-0123456789'
const running = createFeed<AbortSignal>()

const tea = definePlugin({
  name: 'tea',
  config: Type.Object({}),
  isAuthConfigured: () => true,
  createClient: () => ({}),
  tools: [
    defineTool({
      name: 'menu_get',
      description: 'Reads the menu.',
      access: 'read',
      input: Type.Object({ season: Type.Optional(Type.String()) }),
      run: ({ season }, { progress, principal }) => {
        progress(1, { total: 2, message: 'half' })
        return `${season ?? 'any'} for ${principal.id}`
      },
    }),
    defineTool({
      name: 'cup_order',
      description: 'Orders a cup.',
      access: 'write',
      permissions: ['tea:order'],
      interactive: true,
      input: Type.Object({ cups: Type.Integer({ minimum: 1, default: 1 }) }),
      run: (input, { inputResponses, requestState }) => {
        const { cups } = input
        // What a plugin does to its arguments is over with its round.
        Object.assign(input, { cups: 99 })
        const answer = inputResponses?.['kind']
        if (!answer) {
          const kind = elicit('Which?', { type: 'object', properties: { tea: { type: 'string' } } })
          return inputRequired({ requests: { kind }, state: { asked: cups } })
        }
        return `${cups} × ${String(answer.content?.['tea'])}, ${JSON.stringify(requestState())}`
      },
    }),
    defineTool({
      name: 'water_boil',
      description: 'Never ends by itself.',
      access: 'read',
      input: Type.Object({}),
      run: (_, { signal }) => {
        running.push(signal)
        return new Promise<string>(() => {})
      },
    }),
    defineTool({ name: 'secret_say', description: 'Says the token.', access: 'read', input: Type.Object({}), run: () => TOKEN }),
  ],
  prompts: [
    definePrompt({
      name: 'invite_write',
      permissions: ['tea:invite'],
      arguments: Type.Object({ guest: Type.String() }),
      run: ({ guest }, { principal }) => `Invite ${guest} for ${principal.id}`,
    }),
  ],
  resources: [
    defineResource({ name: 'card', uri: 'tea://card', mimeType: 'text/plain', read: (_uri, _, { principal }) => principal.id }),
    defineResource({ name: 'leaf', uri: 'tea://leaves/{kind}', read: (_uri, { kind }) => `${kind}` }),
  ],
})

const approvals: string[] = []
const project: AdminProject = {
  file: '/project/mcp.config.ts',
  isWatching: true,
  diff: () => Promise.resolve({ deployment: 'default', changes: [] }),
  approve(target, seen) {
    approvals.push(`${target} ${seen}`)
    return Promise.resolve({ approved: null })
  },
  reread: () => Promise.resolve(),
}

const lines: string[] = []
let host: Host
let listening: Listening
let origin = ''

before(async () => {
  const redact = createRedactor()
  const log = createLogger({ level: 'debug', format: 'json', redact, destination: { write: (line) => void lines.push(line) } })
  host = await createHost(
    { plugins: [{ use: tea }], tools: { deny: ['tea_secret_*'] }, tenants: { acme: { tools: { deny: ['tea_water_*'] } } } },
    { log, redact },
  )
  listening = await host.listen({ http: { port: 0 }, management: { port: 0 } }, { admin: { token: TOKEN, project } })
  origin = listening.managementUrl ?? ''
})
after(() => host.close({ graceMs: 0 }))

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: Readonly<Record<string, unknown>>
}

async function ask(
  path: string,
  init: Omit<RequestInit, 'headers'> & { readonly body?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Answer> {
  const headers = { authorization: `Bearer ${TOKEN}`, ...(init.body !== undefined && { 'content-type': 'application/json' }) }
  const response = await fetch(new URL(path, origin), { ...init, headers: { ...headers, ...init.headers } })
  const text = await response.text()
  const json = text.startsWith('{') ? (JSON.parse(text) as Answer['json']) : {}
  return { status: response.status, headers: response.headers, text, json }
}
const post = (path: string, body: object, headers: Record<string, string> = {}) =>
  ask(path, { method: 'POST', body: JSON.stringify(body), headers })

/** The events of a stream that ended, or as many as `most` of one that does not. */
async function events(
  response: Response,
  most = Infinity,
): Promise<readonly { readonly type: string; readonly data: unknown }[]> {
  const found: { type: string; data: unknown }[] = []
  let rest = ''
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const blocks = (rest + chunk).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const data = /^data: (.*)$/m.exec(block)?.[1]
      if (data !== undefined) found.push({ type: /^event: (.*)$/m.exec(block)?.[1] ?? '', data: JSON.parse(data) as unknown })
    }
    if (found.length >= most) break
  }
  return found
}

test('there is no admin API and no page unless it is asked for', async () => {
  await using plain = await createHost({ plugins: [] })
  const { managementUrl, admin } = await plain.listen({ http: { port: 0 }, management: { port: 0 } })
  assert.equal(admin, undefined)
  for (const path of ['/', '/page/app.js', '/admin/status', '/admin/session']) {
    const response = await fetch(`${managementUrl}${path}`, { headers: { authorization: `Bearer ${TOKEN}` } })
    assert.equal(response.status, 404, path)
  }
})

test('needs the token for everything, and says so in the form of every error', async () => {
  const paths = ['status', 'plugins', 'tools', 'tools/tea_menu_get', 'callers', 'events', 'lock', 'nothing']
  for (const authorization of ['', 'Bearer', 'Bearer wrong', `Basic ${TOKEN}`, `Bearer ${TOKEN}x`])
    for (const path of paths) {
      const response = await fetch(`${origin}/admin/${path}`, { headers: { authorization } })
      const isThere = path !== 'nothing'
      assert.equal(response.status, isThere ? 401 : 404, `${path} with ${authorization}`)
      if (isThere) assert.match(await response.text(), /"code":"UNAUTHENTICATED"/)
    }
  const { status, headers, json } = await ask('/admin/status')
  assert.equal(status, 200)
  assert.equal(headers.get('cache-control'), 'no-store')
  assert.partialDeepStrictEqual(json, { generation: 1, config: project.file, watching: true, url: listening.url })
})

test('answers its own page and programs, no page of another origin and no other name', async () => {
  const { port } = new URL(origin)
  const own = { host: `127.0.0.1:${port}`, authorization: `Bearer ${TOKEN}` }
  const statusOf = async (headers: Record<string, string>, path = '/admin/status') => {
    const lines = Object.entries({ ...own, ...headers }).map(([name, value]) => `${name}: ${value}`)
    return (await rawRequest(Number(port), [`GET ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n'))).status
  }
  assert.equal(await statusOf({}), 200)
  assert.equal(await statusOf({ origin }), 200)
  assert.equal(await statusOf({ 'sec-fetch-site': 'same-origin' }), 200)
  for (const foreign of ['http://localhost:9999', 'http://127.0.0.1:1', 'https://evil.example', 'null'])
    assert.equal(await statusOf({ origin: foreign }), 403, foreign)
  for (const site of ['cross-site', 'same-site']) assert.equal(await statusOf({ 'sec-fetch-site': site }), 403, site)
  for (const name of ['evil.example', `evil.example:${port}`]) assert.equal(await statusOf({ host: name }), 403, name)
  assert.equal(await statusOf({ host: 'evil.example' }, '/'), 403)
})

test('takes JSON objects only, and says what is wrong with a body', async () => {
  const form = await ask('/admin/calls', { method: 'POST', body: '{}', headers: { 'content-type': 'text/plain' } })
  assert.equal(form.status, 415)
  assert.equal((await ask('/admin/calls', { method: 'POST', body: '[1]' })).status, 400)
  assert.equal((await ask('/admin/calls', { method: 'POST', body: '{' })).status, 400)
  const { status, json } = await post('/admin/calls', {})
  assert.equal(status, 400)
  assert.partialDeepStrictEqual(json, { error: { code: 'ADMIN_REQUEST' } })
  for (const method of ['DELETE', 'HEAD']) assert.equal((await ask('/admin/status', { method })).status, 405, method)
})

test('serves the page with a policy that lets nothing else run, and no other file', async () => {
  const { status, headers, text } = await ask('/', { headers: { authorization: '' } })
  assert.equal(status, 200)
  const policy = headers.get('content-security-policy') ?? ''
  for (const rule of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "form-action 'none'"])
    assert.ok(policy.split('; ').includes(rule), rule)
  assert.doesNotMatch(policy, /unsafe|https?:|\*/)
  assert.equal(headers.get('x-content-type-options'), 'nosniff')
  assert.equal(headers.get('cache-control'), 'no-store')
  for (const [, address = ''] of text.matchAll(/(?:src|href)="([^"#]+)"/g)) {
    const { status: found, headers: of } = await ask(address)
    assert.equal(found, 200, address)
    assert.equal(of.get('content-security-policy'), policy)
  }
  assert.doesNotMatch(text, /<script(?![^>]*src)|\son[a-z]+=|style=|https?:/)
  for (const path of [
    '/page/',
    '/page/tsconfig.json',
    '/page/types.d.ts',
    '/page/..%2fpackage.json',
    '/page/../package.json',
    '/page/none.js',
  ])
    assert.equal((await ask(path)).status, 404, path)
})

test('the page is small, and takes nothing from outside', () => {
  const folder = join(import.meta.dirname, '../../../host/page')
  const files = readdirSync(folder).filter((name) => /\.(?:html|css|js|svg)$/.test(name))
  const bytes = files.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
  assert.ok(bytes <= 150_000, `${bytes} bytes`)
  for (const name of files) {
    const text = readFileSync(join(folder, name), 'utf8').replaceAll('http://www.w3.org/2000/svg', '')
    assert.doesNotMatch(text, /(?:import|src|href|url\(|fetch\()\s*=?\s*\(?["'`](?:https?:)?\/\//, name)
    assert.doesNotMatch(text, /innerHTML|insertAdjacentHTML|document\.write|\beval\b/, name)
  }
})

test('a ticket opens the page once', async () => {
  const ticket = new URL(listening.admin?.ticketUrl() ?? '').hash.slice('#ticket='.length)
  const redeem = (value: unknown, headers = {}) => post('/admin/session', { ticket: value }, { authorization: '', ...headers })
  assert.equal((await redeem(ticket, { origin: 'http://localhost:1' })).status, 403)
  assert.deepEqual((await redeem(ticket)).json, { token: TOKEN })
  assert.equal((await redeem(ticket)).status, 401)
  assert.equal((await redeem('another')).status, 401)
  assert.equal((await redeem(undefined)).status, 401)
})

test('shows tools as a caller has them, with the chain of rules', async () => {
  const visible = async (as: object | null) => {
    const { json } = await ask(`/admin/tools?as=${encodeURIComponent(JSON.stringify(as))}`)
    const tools = json['tools'] as readonly { name: string; visible: boolean; hiddenBy: string | null }[]
    for (const { name, visible: isVisible, hiddenBy } of tools) assert.equal(isVisible, hiddenBy === null, name)
    return tools.map(({ name, hiddenBy }) => `${name} ${hiddenBy ?? 'visible'}`)
  }
  assert.deepEqual(await visible(null), [
    'tea_menu_get visible',
    'tea_cup_order visible',
    'tea_water_boil visible',
    'tea_secret_say denied_by_host',
  ])
  assert.deepEqual(await visible({ tenant: 'acme', permissions: [] }), [
    'tea_menu_get visible',
    'tea_cup_order permission',
    'tea_water_boil tenant',
    'tea_secret_say denied_by_host',
  ])
  const { json } = await ask('/admin/tools/tea_secret_say')
  assert.partialDeepStrictEqual(json, {
    plugin: { name: 'tea' },
    definition: { name: 'tea_secret_say' },
    explanation: { visible: false, decidedBy: 'denied_by_host' },
  })
  const { status, json: refused } = await ask('/admin/tools?as={"tenannt":"acme"}')
  assert.equal(status, 400)
  assert.match(JSON.stringify(refused), /CALLER_FILE.*tenannt.*tenant/)
  assert.deepEqual((await ask('/admin/callers')).json, {
    callers: [
      { label: 'Operator', as: null },
      { label: 'Tenant acme, every permission', as: { id: 'acme', tenant: 'acme', permissions: ['*'] } },
    ],
  })
})

test('calls a tool as a caller, with progress, and asks and goes on', async () => {
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', accept: 'text/event-stream' }
  const stream = (path: string, body: object) =>
    fetch(new URL(path, origin), { method: 'POST', headers, body: JSON.stringify(body) })
  const as = { id: 'ada', tenant: 'acme', permissions: [] }
  assert.partialDeepStrictEqual(
    await events(await stream('/admin/calls', { tool: 'tea_menu_get', arguments: { season: 'spring' }, as })),
    [
      { type: 'progress', data: { progress: 1, total: 2, message: 'half' } },
      { type: 'result', data: { result: { content: [{ type: 'text', text: 'spring for ada' }] } } },
    ],
  )
  const { json: question } = await post('/admin/calls', { tool: 'tea_cup_order', arguments: { cups: 2 } })
  assert.partialDeepStrictEqual(question, { type: 'question', requests: { kind: { params: { message: 'Which?' } } } })
  assert.doesNotMatch(JSON.stringify(question), /asked/, 'the state stays in the host')
  const answer = { responses: { kind: { action: 'accept', content: { tea: 'green' } } } }
  assert.equal((await post(`/admin/calls/${String(question['call'])}`, { responses: { kind: 'yes' } })).status, 400)
  const [end] = await events(await stream(`/admin/calls/${String(question['call'])}`, answer))
  assert.partialDeepStrictEqual(end, { type: 'result', data: { result: { content: [{ text: '2 × green, {"asked":2}' }] } } })
  const again = await post(`/admin/calls/${String(question['call'])}`, answer)
  assert.equal(again.status, 400)
  assert.match(again.text, /answered already/)
})

test('lists prompts and resources as a caller has them, gets and reads them', async () => {
  const as = { id: 'ada', tenant: 'acme', permissions: [] }
  const listed = async (path: string) => {
    const { json } = await ask(path)
    return ['prompts', 'resources', 'templates'].map((kind) =>
      (json[kind] as readonly { name: string }[]).map(({ name }) => name),
    )
  }
  assert.deepEqual(await listed('/admin/offers'), [['tea_invite_write'], ['tea_card'], ['tea_leaf']])
  assert.deepEqual(await listed(`/admin/offers?as=${JSON.stringify(as)}`), [[], ['tea_card'], ['tea_leaf']])
  const prompt = { prompt: 'tea_invite_write', arguments: { guest: 'Bo' } }
  assert.partialDeepStrictEqual((await post('/admin/calls', { ...prompt, as: { ...as, permissions: ['tea:invite'] } })).json, {
    type: 'result',
    result: { messages: [{ role: 'user', content: { text: 'Invite Bo for ada' } }] },
  })
  assert.partialDeepStrictEqual((await post('/admin/calls', { ...prompt, as })).json, { error: { code: 'PROMPT_UNKNOWN' } })
  assert.equal((await post('/admin/calls', { ...prompt, arguments: { guest: 1 } })).status, 400)
  const read = async (resource: string) => (await post('/admin/calls', { resource, as })).json
  assert.partialDeepStrictEqual(await read('tea://card'), { result: { contents: [{ uri: 'tea://card', text: 'ada' }] } })
  assert.partialDeepStrictEqual(await read('tea://leaves/black'), { result: { contents: [{ text: 'black' }] } })
  assert.partialDeepStrictEqual(await read('tea://cups'), { error: { code: 'RESOURCE_UNKNOWN' } })
})

test('says what is wrong with arguments, and why a caller cannot call', async () => {
  const { json: invalid } = await post('/admin/calls', { tool: 'tea_cup_order', arguments: { cups: 0 } })
  assert.match(JSON.stringify(invalid), /"isError":true.*|Invalid arguments/)
  const { json: hidden } = await post('/admin/calls', { tool: 'tea_secret_say', arguments: {} })
  assert.partialDeepStrictEqual(hidden, { type: 'error', hiddenBy: 'denied_by_host', error: { code: 'TOOL_UNKNOWN' } })
  const { json: denied } = await post('/admin/calls', { tool: 'tea_cup_order', as: { tenant: 'acme' } })
  assert.partialDeepStrictEqual(denied, { type: 'error', hiddenBy: 'permission' })
})

test('a call ends when its client goes', async () => {
  const gone = new AbortController()
  const call = post('/admin/calls', { tool: 'tea_water_boil' }).catch(() => undefined)
  const body = JSON.stringify({ tool: 'tea_water_boil' })
  const other = ask('/admin/calls', { method: 'POST', body, signal: gone.signal }).catch(() => undefined)
  const [first, second] = [await running.next(), await running.next()]
  gone.abort()
  await other
  const ended = await Promise.race(
    [first, second].map(
      (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal), { once: true })),
    ),
  )
  assert.ok(ended === first || ended === second)
  assert.equal([first, second].filter(({ aborted }) => aborted).length, 1)
  void call
})

test('tells what happens as it happens, and again what was missed', async () => {
  await post('/admin/calls', { tool: 'tea_menu_get', as: { id: 'grace', tenant: 'acme' } })
  const headers = { authorization: `Bearer ${TOKEN}` }
  const past = await events(await fetch(`${origin}/admin/events`, { headers }), 1)
  assert.ok(past.length > 0)
  const last = past.at(-1)?.data as { id: number }
  const following = fetch(`${origin}/admin/events?after=${last.id}`, { headers }).then((response) => events(response, 3))
  await post('/admin/calls', { tool: 'tea_secret_say' })
  await post('/admin/reload', { plugin: 'tea' })
  const seen = await following
  assert.partialDeepStrictEqual(seen[0], {
    type: 'call',
    data: { name: 'tea_secret_say', outcome: 'denied', reason: 'denied_by_host' },
  })
  assert.deepEqual(
    seen.slice(1, 3).map(({ type }) => type),
    ['generation', 'reload'],
  )
  assert.partialDeepStrictEqual(seen[2]?.data, {
    plugin: 'tea',
    outcome: 'replaced',
    changes: { added: 0, changed: 0, removed: 0 },
  })
  assert.doesNotMatch(JSON.stringify(past), /spring/, 'no argument of a call is told')
  const ofAnotherRun = await events(await fetch(`${origin}/admin/events?after=1000000`, { headers }), 1)
  assert.deepEqual(ofAnotherRun[0], past[0])
  assert.equal((await post('/admin/reload', { plugin: 'coffee' })).status, 400)
})

test('approves what was seen, and says where there is no project', async () => {
  assert.deepEqual((await ask('/admin/lock')).json, { deployment: 'default', changes: [] })
  assert.equal((await post('/admin/lock/approvals', { target: 'tea' })).status, 400)
  assert.equal((await post('/admin/lock/approvals', { target: 'tea', seen: 'sha256-1' })).status, 200)
  assert.deepEqual(approvals, ['tea sha256-1'])
  await using plain = await createHost({ plugins: [] })
  const { managementUrl } = await plain.listen({ http: { port: 0 }, management: { port: 0 } }, { admin: { token: TOKEN } })
  const response = await fetch(`${managementUrl}/admin/lock`, { headers: { authorization: `Bearer ${TOKEN}` } })
  assert.equal(response.status, 409)
  assert.match(await response.text(), /ADMIN_NO_PROJECT/)
})

test('an answer that holds the token does not show it, and no line of the log does', async () => {
  const { json } = await post('/admin/calls', { tool: 'tea_menu_get', arguments: { season: TOKEN } })
  assert.match(JSON.stringify(json), /\[redacted\]/)
  assert.ok(lines.some((line) => line.includes('"event":"admin_call"')))
  assert.doesNotMatch(lines.join(''), new RegExp(TOKEN))
})

test('is refused beyond loopback, and with a token that could be guessed', async () => {
  const admin = { tokenVariable: 'ADMIN_TOKEN' }
  const opening = async (management: object, env: Record<string, string>) => {
    await using one = await createHost({ plugins: [], listen: { http: { port: 0 }, management } }, { env })
    return await one.listen()
  }
  await assert.rejects(opening({ host: '0.0.0.0', port: 0, admin }, { ADMIN_TOKEN: TOKEN }), { code: 'LISTEN_ADMIN' })
  await assert.rejects(opening({ port: 0, admin }, { ADMIN_TOKEN: 'short' }), { code: 'AUTH_SECRET' })
  await assert.rejects(opening({ port: 0, admin }, {}), { code: 'AUTH_SECRET' })
  assert.ok((await opening({ port: 0, admin }, { ADMIN_TOKEN: TOKEN })).admin?.pageUrl)
  assert.equal((await opening({ port: 0, admin: { ...admin, page: false } }, { ADMIN_TOKEN: TOKEN })).admin?.pageUrl, undefined)
})
