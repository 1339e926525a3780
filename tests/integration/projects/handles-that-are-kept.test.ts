import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reloading, revisionPlugin } from '../../fixtures/plugins/reloading.ts'

const isReplaced = ({ outcome }: { readonly outcome: string }) => outcome === 'replaced'

/** Listens on a port that its config names, and says its revision there. */
const portOwner = (revision: number, start = '') =>
  revisionPlugin('a', revision, {
    head: `import { createServer } from 'node:http'
import { once } from 'node:events'`,
    rest: `start: async ({ keep, config }) => {
    ${
      start ||
      `const server = await keep('port ' + config.port, async () => {
      globalThis.handles.push('listen')
      const server = createServer().listen(config.port, '127.0.0.1')
      server.on('close', () => globalThis.handles.push('close'))
      await once(server, 'listening')
      return server
    })
    globalThis.handles.port = server.address().port
    server.removeAllListeners('request').on('request', (_, res) => res.setHeader('connection', 'close').end('${revision}'))`
    }
  },`,
  }).replace('config: Type.Object({})', 'config: Type.Object({ port: Type.Integer({ default: 0 }) })')

test('a plugin that owns a port is reloaded: the port is handed over, and closed when no version asks for it', async (t) => {
  const handles = Object.assign([] as string[], { port: 0 })
  Object.assign(globalThis, { handles })
  const at = await reloading(t, { 'plugins/a/index.ts': portOwner(1) })
  const answer = async () => (await fetch(`http://127.0.0.1:${handles.port}`)).text()
  assert.equal(await answer(), '1')
  for (const revision of [2, 3]) {
    at.write('plugins/a/index.ts', portOwner(revision))
    await at.reloads.next(isReplaced)
    await at.drains.next()
    assert.deepEqual([await answer(), await at.call('a_rev')], [String(revision), String(revision)])
  }
  at.write('plugins/a/index.ts', portOwner(4, `throw new Error('not now')`))
  await at.reloads.next(({ outcome }) => outcome === 'kept')
  assert.deepEqual([await answer(), [...handles]], ['3', ['listen']])

  at.write('plugins/a/index.ts', portOwner(5, '/* no port any more */'))
  await at.reloads.next(isReplaced)
  while (at.drains.all.length < 3) await at.drains.next()
  assert.deepEqual([...handles], ['listen', 'close'])
  assert.deepEqual(
    at.lines.all.filter(({ event }) => event === 'plugin_version_leaked' || event === 'handle_dispose_failed'),
    [],
  )
})

test('clients keep handles for their own tenant and credential, with a way to dispose them', async (t) => {
  const handles: string[] = []
  Object.assign(globalThis, { handles })
  const source = (revision: number) =>
    revisionPlugin('a', revision)
      .replace(
        'createClient: () => ({})',
        `createClient: ({ keep }) => keep('pool', () => (globalThis.handles.push('made'), { id: ${revision} }), { dispose: ({ id }) => void globalThis.handles.push('disposed ' + id) })`,
      )
      .replace(`run: () => "${revision}"`, 'run: (_, { client }) => String(client.id)')
  const at = await reloading(t, { 'plugins/a/index.ts': source(1) })
  assert.equal(await at.call('a_rev'), '1')
  // A version that does not ask for it lets it go.
  at.write('plugins/a/index.ts', source(2))
  await at.reloads.next(isReplaced)
  await at.drains.next()
  assert.deepEqual(handles, ['made', 'disposed 1'])
  assert.equal(await at.call('a_rev'), '2')
})

test('a handle that cannot be made fails that version and is tried again by the next', async (t) => {
  const keeping = (revision: number, make: string) =>
    revisionPlugin('a', revision, { rest: `start: async ({ keep }) => { await keep('x', ${make}) },` })
  const at = await reloading(t, { 'plugins/a/index.ts': keeping(1, `async () => { throw new Error('no port is free') }`) })
  assert.match(at.host.list().plugins[0]?.reason?.message ?? '', /no port is free/)
  at.write('plugins/a/index.ts', keeping(2, `() => ({})`))
  await at.reloads.next(({ after }) => after?.state === 'active')
  assert.equal(await at.call('a_rev'), '2')
})

test('in a process of its own a handle is made once for each process', async (t) => {
  const source = revisionPlugin('a', 1, {
    head: 'let made = 0',
    rest: `start: async ({ keep }) => { await Promise.all([keep('x', () => ({ n: ++made })), keep('x', () => ({ n: ++made }))]) },`,
  }).replace('run: () => "1"', 'run: () => String(made)')
  const at = await reloading(
    t,
    { 'plugins/a/index.ts': source },
    { config: { plugins: [{ use: './plugins/a', isolation: 'process' }] }, watch: false },
  )
  assert.equal(await at.call('a_rev'), '1')
})
