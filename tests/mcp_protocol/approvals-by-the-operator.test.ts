import assert from 'node:assert/strict'
import { test } from 'node:test'
import { demoPlugin } from '../fixtures/plugins/demo-plugin.ts'
import { httpClients, stdioClients, type TestClient } from '../fixtures/http/mcp-clients.ts'
import { serveHttp } from '../fixtures/http/serving.ts'

const config = { tools: { approval: ['demo_whoami', 'destructive'] } }

/** Calls what the operator wants a yes for, with and without it, and what needs none. */
async function askFor(client: TestClient, say: (word: string) => void, heard: readonly string[]): Promise<void> {
  say('yes')
  assert.match(await client.call('demo_whoami'), / of /)
  assert.equal(heard.length, 1)
  assert.match(heard[0] ?? '', /demo_whoami/)
  assert.match(heard[0] ?? '', /demo\b/)
  assert.equal(await client.call('demo_delete'), 'gone')
  assert.equal(heard.length, 2, 'a tool that writes is destructive unless it says otherwise')
  say('no')
  assert.match(await client.call('demo_whoami'), /was not approved, so it did not run/)
  assert.equal(heard.length, 3)
  assert.equal(await client.call('demo_echo', { text: 'x' }).then((text) => text.includes('x')), true)
  assert.equal(heard.length, 3, 'a tool that needs no yes asks for none')
}

/** The question cannot be asked: the call is refused, with the reason. */
async function refuse(client: TestClient): Promise<void> {
  const { content, isError } = await client.callWhole('demo_whoami')
  assert.equal(isError, true)
  assert.match(content[0]?.text ?? '', /needs a person's approval, and this client cannot ask for it\. It did not run\./)
}

function answering() {
  const heard: string[] = []
  let word = ''
  return {
    heard,
    say: (next: string) => (word = next),
    answers: (message: string) => {
      heard.push(message)
      return word
    },
  }
}

for (const [name, connect] of Object.entries(httpClients))
  test(`the operator's approvals are asked for by ${name}, and refused where it cannot ask`, async (t) => {
    const { url } = await serveHttp(t, [demoPlugin().plugin], { config })
    const { heard, say, answers } = answering()
    await askFor(await connect(t, url, { answers }), say, heard)
    await refuse(await connect(t, url))
  })

for (const [name, connect] of Object.entries(stdioClients))
  test(`the operator's approvals are asked for by ${name} on stdio, and refused where it cannot ask`, async (t) => {
    const file = new URL('../fixtures/http/stdio-server.ts', import.meta.url).pathname
    const args = ['--conditions=@mcp-patchbay/source', file, JSON.stringify(config)]
    const { heard, say, answers } = answering()
    await askFor(await connect(t, { command: process.execPath, args }, { answers }), say, heard)
    await refuse(await connect(t, { command: process.execPath, args }))
  })

test('without sessions, 2026-07-28 clients are asked, and 2025 clients are refused with the reason', async (t) => {
  const { url } = await serveHttp(t, [demoPlugin().plugin], {
    config,
    options: { sessions: { mode: 'stateless', max: 10, idleMs: 1_000 } },
  })
  const { heard, say, answers } = answering()
  const modern = httpClients['the v2 SDK at 2026-07-28']
  await askFor((await modern?.(t, url, { answers })) ?? assert.fail(), say, heard)
  for (const older of ['the v1 SDK over Streamable HTTP', 'the v2 SDK as a 2025 client'])
    await refuse((await httpClients[older]?.(t, url, { answers })) ?? assert.fail())
})
