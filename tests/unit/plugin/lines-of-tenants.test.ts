// Which way to the service a call takes, by its tenant, and which client of a plugin it has.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { normalizeEntry } from '../../../host/src/config/schema/schema.ts'
import { hostError } from '../../../host/src/errors.ts'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import type { ActivationDeps } from '../../../host/src/plugin/activation.ts'
import { createClientPool } from '../../../host/src/plugin/run/held/clients.ts'
import { inCall } from '../../../host/src/plugin/run/inline-call-scope.ts'
import type { ServiceLine } from '../../../host/src/plugin/run/service-line.ts'
import type { Settings } from '../../../host/src/plugin/settings/config-scopes.ts'
import { openTenantHttp } from '../../../host/src/plugin/tenant-http.ts'
import { callScope } from '../../fixtures/http/service-http.ts'
import { activeRecord, emptyPlugin } from '../../fixtures/projects/snapshots.ts'

const settings = (prefix: string, isConfigured = true): Settings => ({
  config: {},
  secrets: new Map(),
  sources: {},
  isConfigured,
  prefix,
})

/** Lines to a service, each of which says which one it is. */
function opened({ base, tenants = [] }: { base?: Settings; tenants?: readonly (readonly [string, Settings])[] }) {
  const made: (readonly [prefix: string, isNeeded: boolean, allows: boolean])[] = []
  const closed: string[] = []
  const createHttp: ActivationDeps['createHttp'] = ({ prefix, policy }) => {
    if (prefix === 'broken') throw hostError('PLUGIN_UNCONFIGURED', { plugin: 'desk', problems: ['bad address'], fixes: [] })
    if (prefix === 'fault') throw new TypeError('a fault of the host')
    made.push([prefix, policy.isNeeded, policy.allowRequestCredentials])
    const name = `${prefix} ${made.length}`
    const say = async () => name
    return {
      http: {
        text: say,
        json: say,
        request: say,
        stream: say,
        [Symbol.asyncDispose]: async () => void closed.push(name),
      } as object as ServiceLine['http'],
      credentialUse: () => ({ by: 'server', line: name }) as never,
    }
  }
  const credentialsOf: ActivationDeps['credentialsOf'] = () =>
    ({ areCallers: true, allowRequestCredentials: true, isRaw: false }) as Partial<
      ReturnType<ActivationDeps['credentialsOf']>
    > as never
  const { surface } = activeRecord(emptyPlugin('desk', []))
  assert.ok(surface)
  const { line, broken } = openTenantHttp(
    {
      base,
      tenants: new Map(tenants),
      instance: 'desk',
      version: '1',
      surface,
      entry: normalizeEntry({ use: './desk' }),
      log: silentLogger,
    },
    { credentialsOf, createHttp },
  )
  const scopeOf = (tenant: string | undefined) =>
    callScope({ principal: { id: 'ann', tenant, permissions: ['*'], kind: 'apiKey' } })
  const as = (tenant: string | undefined) => inCall(scopeOf(tenant), () => line.http.text('/x'))
  const use = (tenant: string | undefined) =>
    line.credentialUse(scopeOf(tenant)) as { readonly line?: string; readonly by: string }
  return { line, broken, made, closed, as, use }
}

test('callers of no tenant have the line of the entry, a tenant with settings its own, and each other tenant one more', async () => {
  const { line, made, closed, as, use } = opened({ base: settings('desk'), tenants: [['acme', settings('acme_desk', false)]] })
  assert.deepEqual(made, [
    ['desk', false, true],
    ['acme_desk', true, true],
  ])
  assert.equal(await line.http.text('/x'), 'desk 1', 'background work')
  assert.deepEqual(
    [await as(undefined), await as('acme'), await as('beta'), await as('gamma'), await as('beta'), await as('')],
    ['desk 1', 'acme_desk 2', 'desk 3', 'desk 4', 'desk 3', 'desk 5'],
  )
  assert.deepEqual([use(undefined).line, use('acme').line, use('beta').line], ['desk 1', 'acme_desk 2', 'desk 1'])
  const all = [line.http.json('/x'), line.http.request('/x'), line.http.stream('https://a.example', {})]
  assert.deepEqual(await Promise.all(all), ['desk 1', 'desk 1', 'desk 1'])
  await line.http[Symbol.asyncDispose]()
  assert.deepEqual(closed.toSorted(), ['acme_desk 2', 'desk 1', 'desk 3', 'desk 4', 'desk 5'])
})

test('a plugin that is configured for some tenants only serves no other', async () => {
  const { line, as, use, closed } = opened({ tenants: [['acme', settings('acme_desk')]] })
  assert.equal(await as('acme'), 'acme_desk 1')
  for (const tenant of ['beta', undefined]) {
    await assert.rejects(as(tenant), /configured for other tenants only/)
    assert.deepEqual(use(tenant), { by: 'none' })
  }
  await line.http[Symbol.asyncDispose]()
  assert.deepEqual(closed, ['acme_desk 1'])
})

test('what is wrong with the address of a tenant is the tenant’s alone, and a fault of the host is no such thing', async () => {
  const { broken, as } = opened({
    base: settings('desk'),
    tenants: [
      ['acme', settings('broken')],
      ['beta', settings('beta_desk')],
    ],
  })
  assert.deepEqual(
    [...broken].map(([tenant, { code }]) => [tenant, code]),
    [['acme', 'PLUGIN_UNCONFIGURED']],
  )
  assert.equal(await as('beta'), 'beta_desk 2')
  assert.throws(() => opened({ base: settings('desk'), tenants: [['acme', settings('fault')]] }), /a fault of the host/)
  assert.throws(() => opened({ base: settings('broken') }), { code: 'PLUGIN_UNCONFIGURED' })
})

/** A pool whose clients are numbered, and those that it disposed. */
function pooled(maxIdle: number, create?: (key: string, number: number) => unknown) {
  let made = 0
  const disposed: string[] = []
  const failed: unknown[] = []
  const pool = createClientPool<unknown>(
    (key) => {
      made += 1
      const name = `${key}${made}`
      return create ? create(key, made) : { name, [Symbol.asyncDispose]: async () => void disposed.push(name) }
    },
    { maxIdle, onDisposeFailed: (error) => void failed.push((error as Error).message) },
  )
  const use = async (key: string) => {
    const lease = pool.take(key)
    const client = (await lease.client) as { readonly name: string }
    return { name: client.name, release: () => lease.release() }
  }
  return { pool, use, disposed, failed }
}
const turn = () => new Promise((resolve) => setImmediate(resolve))

test('callers with one key share a client, also while it is made, and another key has another', async () => {
  const { use } = pooled(2)
  const [one, two, other] = await Promise.all([use('a'), use('a'), use('b')])
  assert.deepEqual([one.name, two.name, other.name], ['a1', 'a1', 'b2'])
})

test('of the clients that nothing uses, the one that was released first goes when there are too many; one in use stays', async () => {
  const { use, disposed } = pooled(2)
  const [a, b, c, d] = [await use('a'), await use('b'), await use('c'), await use('d')]
  const again = await use('a')
  b.release()
  a.release()
  c.release()
  await turn()
  assert.deepEqual(disposed, [], 'a is used once more, and two may be idle')
  d.release()
  await turn()
  assert.deepEqual(disposed, ['b2'])
  again.release()
  await turn()
  assert.deepEqual(disposed, ['b2', 'c3'])
  assert.equal((await use('d')).name, 'd4', 'which is still there')
  assert.equal((await use('b')).name, 'b5', 'which is made again')
})

test('a client that is taken out of idleness counts no longer as idle', async () => {
  const { use, disposed } = pooled(1)
  const a = await use('a')
  a.release()
  const again = await use('a')
  const b = await use('b')
  b.release()
  await turn()
  assert.deepEqual([again.name, disposed], ['a1', []])
  again.release()
  await turn()
  assert.deepEqual(disposed, ['b2'])
})

test('a client that could not be made is made again for the next caller', async () => {
  const { pool } = pooled(1, (_key, number) => (number === 1 ? Promise.reject(new Error('no')) : { name: 'made' }))
  const first = pool.take('a')
  const second = pool.take('a')
  for (const lease of [first, second]) await assert.rejects(Promise.resolve(lease.client), /no/)
  const third = pool.take('a')
  assert.deepEqual(await third.client, { name: 'made' })
  for (const lease of [first, second, third]) lease.release()
  await pool[Symbol.asyncDispose]()
})

test('the end of a pool ends every client in its own way, and tells of those that would not', async () => {
  const ended: string[] = []
  const clients: Readonly<Record<string, unknown>> = {
    a: { [Symbol.asyncDispose]: async () => void ended.push('asyncDispose'), close: () => void ended.push('both') },
    b: { [Symbol.dispose]: () => void ended.push('dispose') },
    c: { dispose: () => void ended.push('method') },
    d: { close: () => void ended.push('close') },
    e: {},
    f: 'text',
    g: null,
  }
  const { pool } = pooled(9, (key) => clients[key])
  for (const key of Object.keys(clients)) await pool.take(key).client
  await pool[Symbol.asyncDispose]()
  assert.deepEqual(ended, ['asyncDispose', 'dispose', 'method', 'close'])

  const failing = async (count: number) => {
    const { pool: broken } = pooled(9, (key) => ({ close: () => Promise.reject(new Error(key)) }))
    for (const key of ['a', 'b'].slice(0, count)) broken.take(key)
    await broken[Symbol.asyncDispose]()
  }
  await assert.rejects(failing(1), { message: 'a' })
  await assert.rejects(failing(2), (error: AggregateError) => error.errors.length === 2)
  const idle = pooled(0, () => ({ close: () => Promise.reject(new Error('while idle')) }))
  ;(await idle.use('a')).release()
  await turn()
  assert.deepEqual(idle.failed, ['while idle'])
})
