import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'
import { httpClients } from '../../fixtures/http/mcp-clients.ts'
import { outcomeOf } from '../../fixtures/plugins/counting-plugin.ts'
import { listeningHosts, startRedis, withoutRedis, type TestRedis } from '../../fixtures/redis.ts'
import { reloading, type Reloading } from '../../fixtures/plugins/reloading.ts'

suite('two hosts with one Redis', { skip: withoutRedis }, () => {
  test('what one was answered the other answers, until either writes', async (t) => {
    const [one, two] = await replicas(t, await startRedis(t))
    const input = await sharedQuestion(one, two)
    await one.call('notes_set')
    assert.equal((await outcomeOf(two.host.call('notes_get', input))).hit, false)
  })

  test('other code on one of them is asked itself', async (t) => {
    const [one, two] = await replicas(t, await startRedis(t))
    const input = await sharedQuestion(one, two)
    await two.edit('plugins/notes/index.ts', `${notes()}\n// other code`)
    assert.equal((await outcomeOf(two.host.call('notes_get', input))).hit, false)
  })

  test('a plugin that is reloaded on one is announced on both, to clients of every kind', async (t) => {
    const redis = await startRedis(t)
    const [one, two] = await replicas(t, redis)
    const followers = await Promise.all(
      [one, two].flatMap(({ url }) => Object.values(httpClients).map(async (connect) => (await connect(t, url)).changes())),
    )
    await one.edit('plugins/notes/index.ts', notes('Another description.'))
    await Promise.all(followers.map((follower) => follower.until('tools')))
    assert.deepEqual(new Set(followers.flatMap(({ all }) => all)), new Set(['tools']))
  })

  test('replicas that come to the same lists announce them once, and code that changes no list not at all', async (t) => {
    const redis = await startRedis(t)
    const [one, two] = await replicas(t, redis)
    const [connect] = Object.values(httpClients)
    assert.ok(connect)
    const follower = await (await connect(t, two.url)).changes()
    const third = await replica(t, redis)
    await listeningHosts(redis, 3)
    await third.edit('plugins/notes/index.ts', `${notes()}\n// other code`)
    await one.edit('plugins/notes/index.ts', notes('Another description.'))
    await follower.until('tools')
    await third.edit('plugins/notes/index.ts', notes('Another description.'))
    // The resources come after what the third said of its tools, if it said anything.
    await third.edit(
      'plugins/notes/index.ts',
      notes('Another description.', "resources: [{ name: 'all', uri: 'notes://all', read: () => '' }],"),
    )
    await follower.until('resources')
    assert.deepEqual(follower.all, ['tools', 'resources'])
  })

  test('every call is answered while Redis dies, and it is shared again when it is back', async (t) => {
    const redis = await startRedis(t)
    const [one, two] = await replicas(t, redis)
    await one.call('notes_get')
    const calls = [one, two].flatMap(({ host }) =>
      Array.from({ length: 50 }, (_, index) => outcomeOf(host.call('notes_get', { text: String(index) }))),
    )
    await redis.kill()
    const more = [one, two].flatMap(({ host }) =>
      Array.from({ length: 50 }, (_, index) => outcomeOf(host.call('notes_get', { text: String(index) }))),
    )
    for (const { text } of await Promise.all([...calls, ...more])) assert.match(text, /^[0-9a-f-]{36}$/)
    await redis.restart()
    let last = await outcomeOf(one.host.call('notes_get'))
    while (!last.hit) last = await outcomeOf(one.host.call('notes_get'))
    while (!(last = await outcomeOf(two.host.call('notes_get'))).hit);
  })
})

/** A question that the second answers with what the first was answered: a store that takes long, as on a busy machine, costs a miss. */
async function sharedQuestion(one: Reloading, two: Reloading): Promise<object> {
  for (let number = 0; ; number += 1) {
    const input = { text: `question ${number}` }
    const { text } = await outcomeOf(one.host.call('notes_get', input))
    const second = await outcomeOf(two.host.call('notes_get', input))
    if (!second.hit) continue
    assert.equal(second.text, text)
    return input
  }
}

async function replicas(t: TestContext, redis: TestRedis): Promise<readonly [Reloading, Reloading]> {
  const both = [await replica(t, redis), await replica(t, redis)] as const
  await listeningHosts(redis, 2)
  return both
}

/** Each has its own folder, as in two containers of one image. */
function replica(t: TestContext, { url }: TestRedis): Promise<Reloading> {
  return reloading(t, { 'plugins/notes/index.ts': notes() }, { config: { cache: { store: url } }, watch: false })
}

/** Answers with another text each time that it runs. */
function notes(description = 'Gets.', rest = ''): string {
  return `import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
const input = Type.Object({ text: Type.Optional(Type.String()) })
export default definePlugin({
  name: 'notes',
  config: Type.Object({}),
  isAuthConfigured: () => true,
  createClient: () => ({}),
  ${rest}
  tools: [
    defineTool({
      name: 'get', description: '${description}', access: 'read', input,
      cache: { ttlMs: 60_000, scope: 'caller' },
      run: () => crypto.randomUUID(),
    }),
    defineTool({ name: 'set', description: 'Sets.', access: 'write', input, run: () => 'done' }),
  ],
})
`
}
