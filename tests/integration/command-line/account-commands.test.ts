import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { newKey } from '../../fixtures/auth/accounts.ts'
import { startAuthorizationServer, type AuthorizationServer } from '../../fixtures/auth/authorization-server.ts'
import { WebBrowser } from '../../fixtures/auth/web-browser.ts'
import { sourceTree } from '../../fixtures/plugins/source-tree.ts'
import { runPatchbay, spawnPatchbay } from '../../fixtures/projects/patchbay-process.ts'

const CLIENT = { client_id: 'desk', client_secret: 'the secret of the desk' }

const PLUGIN = `
import { definePlugin, defineTool, hasCredential, Secret, Type } from '@mcp-patchbay/plugin-api'
export default definePlugin({
  name: 'hub',
  config: Type.Object({ apiUrl: Type.String(), personalToken: Type.Optional(Secret()) }),
  isAuthConfigured: hasCredential,
  createClient: ({ http }) => http,
  tools: [
    defineTool({ name: 'who_am_i', description: 'Says who.', access: 'read', input: Type.Object({}),
      run: (_, { client }) => client.text('/me') }),
  ],
})
`

async function project(
  t: TestContext,
): Promise<{ service: AuthorizationServer; options: { cwd: string; env: Record<string, string> } }> {
  const service = await startAuthorizationServer(t, { client: CLIENT })
  const api = createServer((req, res) => {
    const [, token = ''] = /^Bearer (.+)$/.exec(req.headers.authorization ?? '') ?? []
    service.whose(token).then(
      (who) => res.writeHead(who === undefined ? 401 : 200).end(who),
      (error: unknown) => res.destroy(error as Error),
    )
  }).listen(0, '127.0.0.1')
  await once(api, 'listening')
  t.after(() => api.close().closeAllConnections())
  const config = {
    auth: { accounts: { store: './accounts', keyVariable: 'ACCOUNTS_KEY' } },
    plugins: [
      {
        use: './hub',
        config: { apiUrl: `http://127.0.0.1:${(api.address() as AddressInfo).port}` },
        oauth: {
          issuer: service.issuer,
          clientId: CLIENT.client_id,
          clientSecretVariable: 'HUB_SECRET',
          scopes: ['openid', 'read'],
        },
      },
    ],
  }
  const tree = sourceTree({
    'mcp.config.json': JSON.stringify(config),
    'hub/index.js': PLUGIN,
    'package.json': '{"type":"module"}',
  })
  t.after(() => tree[Symbol.dispose]())
  return { service, options: { cwd: tree.path('.'), env: { ACCOUNTS_KEY: newKey(), HUB_SECRET: CLIENT.client_secret } } }
}

test('login links an account of the operator, whose calls then go with it until logout', async (t) => {
  const { service, options } = await project(t)
  const before = await runPatchbay(['call', 'hub_who_am_i'], options)
  assert.equal(before.code, 1)
  assert.match(before.stdout, /Run: npx mcp-patchbay login hub/)

  const child = spawnPatchbay(['login', 'hub'], options)
  const ended = once(child, 'exit')
  const stdout = text(child.stdout)
  child.stdin.end()
  const said: string[] = []
  for await (const line of createInterface({ input: child.stderr })) {
    said.push(line)
    const [address] = /http:\/\/127\.0\.0\.1:\d+\/auth\?\S+/.exec(line) ?? []
    if (address === undefined) continue
    const redirectUri = new URL(address).searchParams.get('redirect_uri') ?? ''
    // Whoever else finds the port changes nothing.
    assert.equal((await fetch(`${redirectUri}?code=forged&state=forged`)).status, 400)
    assert.equal((await fetch(new URL('/other', redirectUri))).status, 400)
    const done = await new WebBrowser('ada').open(address)
    assert.match(done.html, /Your account is linked/)
  }
  assert.deepEqual(await ended, [0, null], said.join('\n'))
  assert.match(await stdout, /^Your account at hub is linked\.$/m)

  assert.deepEqual(await runPatchbay(['call', 'hub_who_am_i'], options), { code: 0, stdout: 'ada\n', stderr: '' })
  const listed = await runPatchbay(['accounts', '--json'], options)
  const { accounts } = JSON.parse(listed.stdout) as { accounts: Record<string, unknown>[] }
  assert.deepEqual(
    accounts.map(({ instance, state, isRenewed, scopes }) => ({ instance, state, isRenewed, scopes })),
    [{ instance: 'hub', state: 'linked', isRenewed: true, scopes: ['openid', 'read'] }],
  )
  const gone = await runPatchbay(['logout', 'hub'], options)
  assert.deepEqual([gone.code, gone.stdout], [0, 'Your account at hub is unlinked.\n'])
  assert.equal((await runPatchbay(['logout', 'hub'], options)).code, 1)
  assert.equal((await runPatchbay(['call', 'hub_who_am_i'], options)).code, 1)
  assert.match((await runPatchbay(['accounts'], options)).stdout, /No account is linked/)
  assert.ok(service.issuer)
})

test('login --device links by a code that is typed in elsewhere', async (t) => {
  const { options } = await project(t)
  const child = spawnPatchbay(['login', 'hub', '--device'], options)
  const ended = once(child, 'exit')
  child.stdin.end()
  const said: string[] = []
  for await (const line of createInterface({ input: child.stderr })) {
    said.push(line)
    const [, address = '', code = ''] = /^Open (\S+) in a browser, on any machine, and enter the code (\S+)$/.exec(line) ?? []
    if (code !== '') await enterCode(address, code)
  }
  assert.deepEqual(await ended, [0, null], said.join('\n'))
  assert.equal((await runPatchbay(['call', 'hub_who_am_i'], options)).stdout, 'bob\n')
})

test('login says what is missing in the config', async (t) => {
  const { options } = await project(t)
  const unknown = await runPatchbay(['login', 'other'], options)
  assert.equal(unknown.code, 1)
  assert.match(unknown.stderr, /No account can be linked for "other": there is no such plugin/)
  const keyless = await runPatchbay(['login', 'hub'], { ...options, env: { ...options.env, ACCOUNTS_KEY: 'short' } })
  assert.match(keyless.stderr, /ACCOUNTS_KEY, which is not 32 bytes in Base64/)
})

/** At the service, as bob. */
async function enterCode(address: string, code: string): Promise<void> {
  const browser = new WebBrowser('bob')
  const first = await browser.open(address)
  const xsrf = (html: string) => /name="xsrf" value="([^"]+)"/.exec(html)?.[1] ?? assert.fail(html)
  const url = new URL('/device', address)
  const confirm = first.html.includes('name="confirm"')
    ? first
    : await browser.post(url, { xsrf: xsrf(first.html), user_code: code }, { origin: url.origin })
  await browser.post(url, { xsrf: xsrf(confirm.html), user_code: code, confirm: 'yes' }, { origin: url.origin })
}
