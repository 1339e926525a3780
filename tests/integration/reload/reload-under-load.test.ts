import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test, type TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { TestClient } from '../../fixtures/http/mcp-clients.ts'
import { openHandles } from '../../fixtures/projects/open-handles.ts'
import { reloading, type Reloading } from '../../fixtures/plugins/reloading.ts'

/** What the plugin tells the test; it is in this process. */
const seen = Object.assign(new EventEmitter().setMaxListeners(0), { disposed: [] as number[] })
Object.assign(globalThis, { reloadUnderLoad: seen })

/** The revision is in the entry, in a helper and in the client: an answer that mixes versions would show it. */
const entry = (revision: number): string => `
import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
import { helper } from './helper.ts'
const seen = globalThis.reloadUnderLoad
const answer = (client: { revision: number; disposed: boolean }) => JSON.stringify([${revision}, helper, client.revision, client.disposed])
export default definePlugin({
  name: 'load',
  config: Type.Object({}),
  isAuthConfigured: () => true,
  createClient: () => ({
    revision: ${revision},
    disposed: false,
    [Symbol.dispose]() {
      this.disposed = true
      seen.disposed.push(${revision})
    },
  }),
  tools: [
    defineTool({ name: 'quick', description: 'At once.', access: 'read', input: Type.Object({}), run: (_, { client }) => answer(client) }),
    defineTool({
      name: 'slow',
      description: 'When it is let.',
      access: 'read',
      input: Type.Object({ key: Type.String() }),
      async run({ key }, { client }) {
        const released = new Promise<void>((resolve) => seen.once('release ' + key, () => resolve()))
        seen.emit('started ' + key, ${revision})
        await released
        // A lazy import belongs to the version that asks for it, however late.
        const { lazy } = await import('./lazy.ts')
        return JSON.stringify([...JSON.parse(answer(client)), lazy])
      },
    }),
  ],
})
`
const files = (revision: number): Record<string, string> => ({
  'plugins/load/index.ts': entry(revision),
  'plugins/load/helper.ts': `export const helper = ${revision}\n`,
})

async function reload(at: Reloading, revision: number): Promise<void> {
  const changed = Object.entries(files(revision)).map(([path, content]) => at.write(path, content))
  await at.host.apply({ changed: new Set(changed) })
}

const start = (t: TestContext): Promise<Reloading> =>
  reloading(t, { ...files(0), 'plugins/load/lazy.ts': `export const lazy = 'lazy'\n` }, { watch: false })

test('loses and fails no call and drops no session in 200 reloads under load, in every era, and never mixes versions', async (t) => {
  const at = await start(t)
  const clients = await at.connectAll()
  await reload(at, 0)
  const before = openHandles()
  const load = { published: 0, over: false, calls: 0 }
  // A load that goes on behind a failure would keep the file from ending.
  t.after(() => void (load.over = true))
  const quickly = async (client: TestClient) => {
    while (!load.over) {
      const oldest = load.published
      const [revision, helper, made, disposed] = JSON.parse(await client.call('load_quick')) as [number, number, number, boolean]
      assert.deepEqual([helper, made, disposed], [revision, revision, false])
      assert.ok(revision >= oldest, `answered by ${revision} after ${oldest} was published`)
      load.calls++
    }
  }
  const slowly = async (client: TestClient, index: number) => {
    for (let turn = 0; !load.over; turn++) {
      const key = `${index}.${turn}`
      const started = new Promise<number>((resolve) => seen.once(`started ${key}`, resolve))
      const answer = client.call('load_slow', { key })
      const revision = await started
      // Held over at least two reloads, so that two later versions serve beside it.
      while (load.published < revision + 2 && !load.over) await setImmediate()
      assert.ok(!seen.disposed.includes(revision), `the client of ${revision} was disposed under a call`)
      seen.emit(`release ${key}`)
      assert.deepEqual(JSON.parse(await answer), [revision, revision, revision, false, 'lazy'])
      load.calls++
    }
  }
  const calling = Promise.all(clients.flatMap((client, index) => [quickly(client), slowly(client, index)]))
  for (let revision = 1; revision <= 200; revision++) {
    const reports = at.reloads.all.length
    await Promise.race([reload(at, revision), calling])
    // A version that takes longer than a second to build is published after its set.
    while (at.reloads.all.length === reports) await Promise.race([setImmediate(), calling])
    load.published = revision
    // Calls have to come through between two reloads; all of them are under way when the next one begins.
    const { calls } = load
    while (load.calls < calls + 3) await Promise.race([setImmediate(), calling])
  }
  load.over = true
  await calling
  assert.ok(load.calls > 400, `${load.calls} calls`)
  assert.deepEqual(at.reloads.all.filter(({ outcome }) => outcome !== 'replaced').length, 0)
  // Everything but the version that serves was disposed, once, and no call of any was cut off.
  while (at.drains.all.length < 200) await at.drains.next()
  assert.deepEqual(
    seen.disposed.toSorted((a, b) => a - b),
    [...new Set(seen.disposed)].toSorted((a, b) => a - b),
  )
  assert.deepEqual(
    at.drains.all.filter(({ cancelled }) => cancelled > 0),
    [],
  )
  // no file, pipe or child of any version is left.
  assert.deepEqual(openHandles(), before)
  assert.ok(at.drains.all.some(({ finished }) => finished > 0))
  // The sessions are the ones that were opened.
  for (const client of clients) assert.equal(JSON.parse(await client.call('load_quick'))[0], 200)
})

test('finishes a call on the version that it began with, and disposes the client of that version after it', async (t) => {
  const at = await start(t)
  seen.disposed.length = 0
  const started = new Promise((resolve) => seen.once('started held', resolve))
  const held = at.call('load_slow', { key: 'held' })
  await started
  await reload(at, 1)
  assert.deepEqual([JSON.parse(await at.call('load_quick'))[0], seen.disposed, at.drains.all], [1, [], []])
  seen.emit('release held')
  assert.deepEqual(JSON.parse(await held), [0, 0, 0, false, 'lazy'])
  assert.deepEqual(await at.drains.next(), { instance: 'load', generation: 1, finished: 1, cancelled: 0 })
  assert.deepEqual(seen.disposed, [0])
})

test('cancels a call that does not finish within drainMs, and says so', async (t) => {
  const at = await reloading(
    t,
    { ...files(0), 'plugins/load/lazy.ts': 'export const lazy = 1' },
    { watch: false, config: { limits: { drainMs: 1 } } },
  )
  const [client] = await at.connectAll()
  const started = new Promise((resolve) => seen.once('started never', resolve))
  const held = client?.callWhole('load_slow', { key: 'never' })
  await started
  await reload(at, 1)
  const answer = await held
  assert.equal(answer?.isError, true)
  assert.match(answer.content[0]?.text ?? '', /cancelled: plugin "load" was reloaded .* within 1 ms[^]*Call again/)
  assert.deepEqual(await at.drains.next(), { instance: 'load', generation: 1, finished: 0, cancelled: 1 })
  assert.equal(JSON.parse((await client?.call('load_quick')) ?? '')[0], 1)
})
