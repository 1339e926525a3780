import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { callTool, startAccountWorld, type WorldHost } from '../../fixtures/auth/account-world.ts'
import { textsInMemory } from '../../fixtures/plugins/process-memory.ts'
import { WebBrowser, type Shown } from '../../fixtures/auth/web-browser.ts'

/** Calls its service, and looks for whatever it can find about itself. */
const PLUGIN = `
import { definePlugin, defineTool, hasCredential, Secret, Type } from '@mcp-patchbay/plugin-api'
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
const input = Type.Object({ note: Type.String({ default: '' }) })
const read = (file) => { try { return readFileSync(file, 'utf8') } catch (error) { return String(error) } }
export default definePlugin({
  name: 'hub',
  config: Type.Object({ apiUrl: Type.String(), personalToken: Type.Optional(Secret()) }),
  isAuthConfigured: hasCredential,
  createClient: ({ http }) => http,
  tools: [
    defineTool({ name: 'who_am_i', description: 'Whose account the service sees.', access: 'read', input,
      run: ({ note }, { client }) => client.text('/me?note=' + encodeURIComponent(note)) }),
    defineTool({ name: 'look', description: 'What this process knows.', access: 'read', input,
      run: async ({ note }, ctx) => {
        const me = await ctx.client.request('/me?note=' + note)
        return JSON.stringify({ pid: process.pid, note, env: process.env, argv: process.argv, exec: process.execArgv,
          files: ['environ', 'cmdline', 'status'].map((name) => read('/proc/self/' + name)),
          ctx: inspect(ctx, { depth: 10, showHidden: true, getters: true }), me: inspect(me, { depth: 10, showHidden: true }) })
      } }),
  ],
})
`

/** What a token endpoint gives, as it leaves. */
function recordAnswers(into: string[]): (req: unknown, res: ServerResponse) => boolean {
  return (_req, res) => {
    const end = res.end.bind(res) as (body?: unknown) => ServerResponse
    res.end = ((body?: unknown) => {
      if (typeof body === 'string' || Buffer.isBuffer(body)) into.push(body.toString())
      return end(body)
    }) as ServerResponse['end']
    return false
  }
}

test('no token, secret, key, code or ticket is in a log, a page, an error, a metric, a file or a process of a plugin', async (t) => {
  const world = await startAccountWorld(t, {
    files: { 'hub/index.js': PLUGIN, 'hub/package.json': '{"type":"module"}' },
    entry: { use: './hub', isolation: 'process' },
    configOfPlugin: {},
  })
  const one: WorldHost = world.hosts[0] ?? assert.fail()
  const given: string[] = []
  world.company.intercept = recordAnswers(given)
  world.service.intercept = recordAnswers(given)
  const seen: [where: string, text: string][] = []
  const keep = (shown: Shown) => {
    seen.push([shown.url.pathname, shown.html + JSON.stringify([...shown.headers].filter(([name]) => name !== 'set-cookie'))])
    return shown
  }

  const asked = await one.call('ann')
  const [address = '', ticket = ''] = /http\S+ticket=([0-9a-f]{48})/.exec(asked.text) ?? assert.fail(asked.text)
  const browser = new WebBrowser('ann')
  const consent = await browser.open(address)
  const callback = (await browser.press(consent, 'Go on to', { stopAt: `${one.base}/accounts/callback/` })).url
  const session = [...browser.cookies(one.base).values()]
  keep(await browser.open(callback))
  keep(await browser.open(`${one.base}/accounts`))
  // Errors of every kind, for the same person and for another.
  keep(await browser.open(address))
  keep(await browser.open(callback))
  keep(await new WebBrowser('bob').open(`${one.base}/accounts/callback/hub?code=x&state=y`))
  for (const path of ['/accounts/other', '/accounts/onward?way=0123456789abcdef', '/accounts/failed?why=service', '/mcp'])
    keep(await browser.open(one.base + path))
  for (const note of ['', 'tell']) seen.push([`call ${note}`, (await one.call('ann', note)).text])
  const looked = JSON.stringify(await one.call('ann'))
  seen.push(['call', looked])
  const look = await callTool({
    base: one.base,
    headers: await one.headers('ann'),
    name: 'hub_look',
    arguments: { note: 'planted-note-5c1f' },
  })
  seen.push(['the plugin looks', look.text])
  assert.match(look.text, /planted-note-5c1f/)
  const pid = Number(/"pid":(\d+)/.exec(look.text)?.[1])
  assert.notEqual(pid, process.pid)

  const answers = given.flatMap((body) =>
    body.startsWith('{') && body.includes('access_token') ? [JSON.parse(body) as Record<string, string>] : [],
  )
  const [login, linked = assert.fail()] = answers
  assert.equal(answers.length, 2)
  const inbound = (await one.headers('ann'))['authorization']?.slice('Bearer '.length)
  const canaries: Readonly<Record<string, string | undefined>> = {
    'the access token of the service': linked['access_token'],
    'its refresh token': linked['refresh_token'],
    'its ID token': linked['id_token'],
    'the access token of the log-in': login?.['access_token'],
    'the ID token of the log-in': login?.['id_token'],
    "the caller's own token": inbound,
    'the client secret': world.secrets.service,
    'the secret of the log-in': world.secrets.company,
    'the key of the store': world.secrets.key,
    'the code': callback.searchParams.get('code') ?? undefined,
    'the state': callback.searchParams.get('state') ?? undefined,
    ...Object.fromEntries(session.map((value, index) => [`cookie ${index}`, value])),
  }

  keep(await browser.press(await browser.open(`${one.base}/accounts`), 'Unlink hub'))
  seen.push(
    ['the log and the audit', one.lines.join('')],
    ['metrics', await (await fetch(`${one.management}/metrics`)).text()],
    ['readiness', await (await fetch(`${one.management}/readyz`)).text()],
    ['health', await (await fetch(`${one.management}/healthz`)).text()],
    ['the listing', JSON.stringify([one.host.list(), one.host.explain('hub_who_am_i')])],
  )
  for (const name of readdirSync(world.folder, { recursive: true, encoding: 'utf8' }))
    if (statSync(join(world.folder, name)).isFile())
      seen.push([`file ${name}`, name + readFileSync(join(world.folder, name), 'latin1')])
  assert.ok(
    one.lines.some((line) => line.includes('"event":"unlink"')) && one.lines.some((line) => line.includes('caller:stored')),
  )

  for (const [what, canary = ''] of Object.entries(canaries)) {
    assert.ok(canary.length > 15, `${what} was planted`)
    for (const [where, text] of seen) {
      for (const spelling of [canary, encodeURIComponent(canary), Buffer.from(canary).toString('base64url').slice(0, -2)])
        assert.ok(!text.includes(spelling), `${what} is in ${where}`)
    }
  }
  if (process.platform === 'linux') {
    const planted = 'planted-note-5c1f'
    const texts = [planted, ...Object.values(canaries).flatMap((text) => text ?? [])]
    assert.deepEqual(textsInMemory(pid, texts), [planted], 'in the memory of the plugin')
  }
  // The ticket is for its caller alone, and is in the log nowhere.
  for (const line of one.lines) assert.ok(!line.includes(ticket), line)
})
