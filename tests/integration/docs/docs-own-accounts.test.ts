import assert from 'node:assert/strict'
import { once } from 'node:events'
import { symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { addressIn, callTool, COMPANY_CLIENT, freePort, SERVICE_CLIENT } from '../../fixtures/auth/account-world.ts'
import { newKey } from '../../fixtures/auth/accounts.ts'
import { startAuthorizationServer } from '../../fixtures/auth/authorization-server.ts'
import { WebBrowser } from '../../fixtures/auth/web-browser.ts'
import { createPageProject } from '../../fixtures/http/page-project.ts'
import { blocksOf, type MarkdownBlock } from '../../fixtures/markdown-blocks.ts'
import { startPatchbay } from '../../fixtures/projects/patchbay-process.ts'

const root = join(import.meta.dirname, '../../..')

test('the config of docs/advanced/own-accounts.md lets everybody use the GitHub plugin with an account of their own', async (t) => {
  const [company, github] = await Promise.all([
    startAuthorizationServer(t, { client: COMPANY_CLIENT }),
    startAuthorizationServer(t, { client: SERVICE_CLIENT, scopes: ['repo'] }),
  ])
  const api = createServer((req, res) => {
    github.whose(/^Bearer (.+)$/.exec(req.headers.authorization ?? '')?.[1] ?? '').then(
      (login) =>
        res
          .writeHead(login === undefined ? 401 : 200, { 'content-type': 'application/json' })
          .end(
            JSON.stringify(
              login === undefined ? { message: 'Bad credentials' } : { login, id: 1, html_url: 'https://github.com/x' },
            ),
          ),
      (error: unknown) => res.destroy(error as Error),
    )
  }).listen(0, '127.0.0.1')
  await once(api, 'listening')
  t.after(() => api.close().closeAllConnections())
  const port = await freePort()
  const base = `http://127.0.0.1:${port}`

  // As it stands there, but for whom it names.
  const page = blocksOf(join(root, 'docs/advanced/own-accounts.md'))
  const block = page.find(({ text }) => text.startsWith('// own-accounts/mcp.config.ts')) ?? assert.fail()
  const renamed = [
    ['https://mcp.example.com', base],
    ['https://id.example.com', company.issuer],
    ["'patchbay-pages'", `'${COMPANY_CLIENT.client_id}'`],
    ["'Iv1.0123456789abcdef'", `'${SERVICE_CLIENT.client_id}', issuer: '${github.issuer}'`],
  ].reduce((text, [from = '', to = '']) => {
    assert.ok(text.includes(from), from)
    return text.replaceAll(from, to)
  }, block.text)
  const named: MarkdownBlock = { ...block, text: renamed }
  using project = createPageProject([named])
  const cwd = join(project.folder, 'own-accounts')
  symlinkSync(join(root, 'plugins'), join(cwd, 'plugins'))
  writeFileSync(
    join(cwd, '.env'),
    [
      `ACCOUNTS_KEY=${newKey()}`,
      `LOGIN_CLIENT_SECRET=${COMPANY_CLIENT.client_secret}`,
      `GITHUB_OAUTH_SECRET=${SERVICE_CLIENT.client_secret}`,
      `GITHUB_API_URL=http://127.0.0.1:${(api.address() as AddressInfo).port}`,
    ].join('\n'),
  )
  await using host = await startPatchbay(['--port', String(port)], { cwd })
  const headers = async (person: string) => ({ authorization: `Bearer ${await company.accessToken(person, `${base}/mcp`)}` })
  for (const person of ['ada', 'bob']) {
    const call = { base, headers: await headers(person), name: 'github_users_me', arguments: {} }
    const refused = await callTool(call)
    assert.match(refused.text, /github needs an account of yours for this call, and none is linked/)
    const browser = new WebBrowser(person)
    const consent = await browser.open(addressIn(refused.text))
    assert.match(consent.html, /<li>repo<\/li>/)
    assert.match((await browser.press(consent, 'Go on to')).html, /Your account is linked/)
    const answered = await callTool(call)
    assert.equal(answered.isError, false, answered.text)
    assert.match(answered.text, new RegExp(`\\b${person}\\b`))
  }
  assert.equal(host.log.filter(({ event }) => event === 'account_ticket_refused').length, 0)
})
