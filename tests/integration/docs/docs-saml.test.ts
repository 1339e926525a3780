import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { blocksOf } from '../../fixtures/markdown-blocks.ts'
import { createPageProject } from '../../fixtures/http/page-project.ts'
import { testIdentityProvider } from '../../fixtures/auth/saml-identity-provider.ts'
import { COOKIE_SECRET, signingKey } from '../../fixtures/auth/saml-login.ts'

test('the SAML login server of docs/advanced/saml.md runs as it stands there', async (t) => {
  const page = join(import.meta.dirname, '../../../docs/advanced/saml.md')
  const block = blocksOf(page).find(({ text }) => text.startsWith('// saml/login.ts'))
  assert.ok(block)
  using project = createPageProject([block])
  writeFileSync(join(project.folder, 'idp-metadata.xml'), testIdentityProvider().metadata)
  writeFileSync(join(project.folder, 'signing-keys.json'), JSON.stringify({ keys: [signingKey('one')] }))
  const child = spawn(process.execPath, ['--conditions=@mcp-patchbay/source', 'saml/login.ts'], {
    cwd: project.folder,
    env: { SAML_SIGNING_KEYS_FILE: 'signing-keys.json', SAML_COOKIE_SECRETS: COOKIE_SECRET, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(async () => {
    const exited = once(child, 'exit')
    if (child.kill()) await exited
  })
  const written: string[] = []
  let url = ''
  for await (const line of createInterface(child.stderr)) {
    written.push(line)
    if (!line.includes('"saml_listening"')) continue
    url = (JSON.parse(line) as { url: string }).url
    break
  }
  assert.notEqual(url, '', written.join('\n'))

  const metadata = (await (await fetch(`${url}/.well-known/oauth-authorization-server`)).json()) as Record<string, string>
  assert.equal(metadata['issuer'], 'https://login.acme.com')
  assert.equal(metadata['token_endpoint'], 'https://login.acme.com/token', 'whatever Host the request named')
  const parameters = new URLSearchParams({
    client_id: 'assistant',
    redirect_uri: 'https://assistant.acme.com/callback',
    response_type: 'code',
    code_challenge: 'x'.repeat(43),
    code_challenge_method: 'S256',
  })
  const { status, headers } = await fetch(`${url}/auth?${parameters.toString()}`, { redirect: 'manual' })
  assert.equal(status, 303)
  assert.match(headers.get('location') ?? '', /^\/interaction\/|^https:\/\/login\.acme\.com\/interaction\//)
  const cookies = headers.getSetCookie()
  assert.equal(cookies.length, 4)
  for (const cookie of cookies)
    assert.match(cookie, /^__Secure-[^;]+;.*\bsecure\b.*\bhttponly\b|^__Secure-[^;]+;.*\bhttponly\b.*\bsecure\b/i)
})
