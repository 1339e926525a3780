import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client'
import { Client as OlderClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as OlderHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ElicitationCompleteNotificationSchema, ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { startAccountWorld, type AccountWorld, type WorldHost } from '../fixtures/auth/account-world.ts'
import { WebBrowser } from '../fixtures/auth/web-browser.ts'

let world: AccountWorld
let one: WorldHost
const ends: (() => unknown)[] = []
before(async () => {
  const t = { after: (end: () => unknown) => void ends.push(end) }
  world = await startAccountWorld(t, { sessions: 'stateful' })
  one = world.hosts[0] ?? assert.fail()
})
after(async () => {
  for (const end of ends.toReversed()) await end()
})

const info = { name: 'test', version: '1' }
const capabilities = { elicitation: { form: {}, url: {} } }
interface Asked {
  readonly mode?: string | undefined
  readonly url?: string | undefined
  readonly elicitationId?: string | undefined
  readonly message: string
}
type Answer = (asked: Asked) => 'accept' | 'decline' | 'cancel'
interface Talking {
  call(): Promise<string>
  /** Ids of questions that are done, as the server said. */
  readonly completed: readonly string[]
}
const textOf = (result: unknown) => (result as { content: { text?: string }[] }).content.map(({ text }) => text ?? '').join('')
const call = { name: 'hub_who_am_i', arguments: {} }

const eras: Readonly<Record<string, (person: string, answer: Answer) => Promise<Talking>>> = {
  async '2025-11-25'(person, answer) {
    const client = new OlderClient(info, { capabilities })
    const completed: string[] = []
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => ({ action: answer(params as Asked) }))
    client.setNotificationHandler(
      ElicitationCompleteNotificationSchema,
      ({ params }) => void completed.push(params.elicitationId),
    )
    await client.connect(new OlderHttp(new URL(`${one.base}/mcp`), { requestInit: { headers: await one.headers(person) } }))
    ends.push(() => client.close())
    return { call: async () => textOf(await client.callTool(call)), completed }
  },
  async '2026-07-28'(person, answer) {
    const client = new ModernClient(info, { versionNegotiation: { mode: 'auto' }, capabilities })
    client.setRequestHandler('elicitation/create', ({ params }) => ({ action: answer(params as Asked) }))
    await client.connect(new ModernHttp(new URL(`${one.base}/mcp`), { requestInit: { headers: await one.headers(person) } }))
    assert.equal(client.getProtocolEra(), 'modern')
    ends.push(() => client.close())
    return { call: async () => textOf(await client.callTool(call)), completed: [] }
  },
}

for (const [era, connect] of Object.entries(eras)) {
  const person = `ada-${era.slice(0, 4)}`

  test(`a client of ${era} opens the address, and its call goes on by itself when the account is linked`, async () => {
    const asked: Asked[] = []
    let linking: Promise<unknown> = Promise.resolve()
    const client = await connect(person, (question) => {
      asked.push(question)
      const browser = new WebBrowser(person)
      // The answer comes before the person is done in the browser.
      linking = browser.open(question.url ?? '').then((consent) => browser.press(consent, 'Go on to'))
      return 'accept'
    })
    assert.equal(await client.call(), person)
    await linking
    const [question = assert.fail()] = asked
    assert.equal(asked.length, 1)
    assert.equal(question.mode, 'url')
    assert.match(
      question.message,
      /^hub needs an account of yours for this call, and none is linked\. Open the page to link it\.$/,
    )
    assert.equal(question.elicitationId === undefined, era === '2026-07-28')
    if (question.elicitationId !== undefined) assert.deepEqual(client.completed, [question.elicitationId])
    // Once it is linked nothing is asked any more.
    assert.equal(await client.call(), person)
    assert.equal(asked.length, 1)
  })

  test(`a client of ${era} whose user declines is told the address, and nothing was sent`, async () => {
    for (const action of ['decline', 'cancel'] as const) {
      const client = await connect(`bob-${era.slice(0, 4)}`, () => action)
      assert.match(await client.call(), /Open http:\/\/127\.0\.0\.1:\d+\/accounts\/link\?ticket=[0-9a-f]{48} in a browser/)
    }
  })
}

test('a client that knows forms only is told the address', async () => {
  const client = new ModernClient(info, { versionNegotiation: { mode: 'auto' }, capabilities: { elicitation: { form: {} } } })
  client.setRequestHandler('elicitation/create', () => assert.fail('it was asked'))
  await client.connect(new ModernHttp(new URL(`${one.base}/mcp`), { requestInit: { headers: await one.headers('eve') } }))
  ends.push(() => client.close())
  assert.match(textOf(await client.callTool(call)), /Open http:\/\/127\.0\.0\.1/)
})
