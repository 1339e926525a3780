// What every real client does on every transport that it speaks: list, call, a call over a reload, a long call, a cancelled call, and a
// host that is started again. Run by run.ts, which installs the clients.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { startPatchbay } from '../fixtures/projects/patchbay-process.ts'
import { DRIVERS, type Driver, type RealClient, type Target } from './drivers.ts'

const PATCHBAY = join(import.meta.dirname, '../../host/bin/patchbay.mjs')
/** Longer than the host waits before it begins an answer, and than clients of 2025 get theirs as JSON. */
const LONG_MS = 5_000

test('over HTTP', { concurrency: true }, async (t) => {
  const project = createProject(t)
  const options = { cwd: project.folder, env: { HOME: project.folder } }
  let host = await startPatchbay(['--watch'], options)
  t.after(() => host.stop())
  const { port } = host.url
  const target: Target = { http: host.url, sse: new URL('/sse', host.url) }
  const drivers = DRIVERS.filter(({ over }) => over !== 'stdio')
  const connected = await Promise.all(
    drivers.map(async (driver) => {
      const changes = createChanges()
      const client = await driver.connect(target, changes.happened)
      t.after(() => client.close().catch(() => undefined))
      return { driver, client, changes }
    }),
  )
  const each = (what: string, run: (one: (typeof connected)[number]) => Promise<void>) =>
    Promise.all(connected.map((one) => t.test(`${one.driver.name} ${what}`, () => run(one))))

  await each('lists and calls', ({ client }) => listsAndCalls(client))

  // One edit for all of them, while each has a long call.
  const calls = connected.map(({ client }, index) => client.call('trial_call_wait', { key: `long ${index}`, ms: LONG_MS }))
  for (const promise of calls) promise.catch(() => undefined)
  await Promise.all(connected.map((_, index) => project.until(`started long ${index}`)))
  project.edit('first')
  await host.logged('plugin_reloaded').catch(() => undefined)
  await each('keeps its long call over a reload, and lists what is new', async ({ client, driver, changes }) => {
    const index = drivers.indexOf(driver)
    assert.equal(await calls[index], `waited for long ${index}`)
    if (driver.hears) await changes.heard
    assert.ok((await client.tools()).includes('trial_first_get'))
  })

  await each('cancels a call', (one) => cancels(one.client, one.driver, project))

  await host.stop()
  host = await startPatchbay(['--watch', '--port', port], options)
  await each('goes on when the host was started again', async ({ client, driver }) => {
    if (driver.survives) return answersAgain(client)
    // Its session is gone with the host: what it makes of that is its own matter, but it must get in again.
    await client.call('trial_text_echo', { text: 'again' }).catch(() => undefined)
    const anew = await driver.connect(target, () => {})
    await listsAndCalls(anew)
    await anew.close()
  })
})

test('over stdio', { concurrency: 3 }, async (t) => {
  await Promise.all(
    DRIVERS.filter(({ over }) => over === 'stdio').map((driver) =>
      t.test(driver.name, async (one) => {
        const project = createProject(one)
        const changes = createChanges()
        // Each has a host of its own, which ends with it.
        const stdio = { command: process.execPath, args: [PATCHBAY, 'start', '--stdio', '--watch', '--config', project.config] }
        const client = await driver.connect({ stdio }, changes.happened)
        one.after(() => client.close().catch(() => undefined))
        await listsAndCalls(client)
        const call = client.call('trial_call_wait', { key: 'long', ms: LONG_MS })
        await project.until('started long')
        project.edit('first')
        assert.equal(await call, 'waited for long')
        if (driver.hears) await changes.heard
        assert.ok((await client.tools()).includes('trial_first_get'), 'lists what is new')
        await cancels(client, driver, project)
      }),
    ),
  )
})

async function listsAndCalls(client: RealClient): Promise<void> {
  const tools = await client.tools()
  for (const name of ['trial_text_echo', 'trial_call_wait', 'trial_row_get'])
    assert.ok(tools.includes(name), `${name} in ${tools.join()}`)
  // A client whose revision has no links gets the link as text.
  assert.match(
    await client.call('trial_text_echo', { text: 'grüße' }),
    /^grüße(?:\n\[report\]\(https:\/\/example\.com\/report\))?$/,
  )
  assert.match(await client.call('trial_row_get', {}), /"id":\s*7/)
}

async function cancels(client: RealClient, driver: Driver, { until }: Project): Promise<void> {
  if (!driver.cancels) return
  const key = `cancelled ${driver.name}`
  const cancel = new AbortController()
  const call = client.call('trial_call_wait', { key, ms: 120_000 }, { signal: cancel.signal })
  call.catch(() => undefined)
  await until(`started ${key}`)
  cancel.abort(new Error('not wanted any more'))
  await call.catch(() => undefined)
  await until(`aborted ${key}`)
  assert.match(await client.call('trial_text_echo', { text: 'after' }), /^after/)
}

/** The first tries may find the connection that died: each is answered once the client knows that. Ends by the time limit of the suite. */
async function answersAgain(client: RealClient): Promise<void> {
  const attempt = () => client.call('trial_text_echo', { text: 'again' }).catch(() => undefined)
  let text = await attempt()
  for (; text === undefined; text = await attempt()) await setImmediate()
  assert.match(text, /^again/)
}

interface Project {
  readonly folder: string
  readonly config: string
  /** Saves the plugin with one tool more. */
  readonly edit: (tool: string) => void
  /** Resolves when the plugin told this event. */
  readonly until: (event: string) => Promise<void>
}

function createProject(t: TestContext): Project {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-clients-'))
  cpSync(join(import.meta.dirname, 'project'), folder, { recursive: true })
  const events = join(folder, 'events.txt')
  writeFileSync(events, '')
  const watcher = watch(events)
  watcher.setMaxListeners(0)
  t.after(() => {
    watcher.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const has = (event: string) => existsSync(events) && readFileSync(events, 'utf8').split('\n').includes(event)
  return {
    folder,
    config: join(folder, 'mcp.config.json'),
    edit(tool) {
      const file = join(folder, 'plugins/trial/index.ts')
      const added = `defineTool({ name: '${tool}_get', description: 'New.', access: 'read', input: Type.Object({}), run: () => 'new' })`
      writeFileSync(file, readFileSync(file, 'utf8').replace('[wait, echo, row]', `[wait, echo, row, ${added}]`))
    },
    async until(event) {
      while (!has(event)) await once(watcher, 'change')
    },
  }
}

function createChanges() {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { heard: promise, happened: () => resolve() }
}
