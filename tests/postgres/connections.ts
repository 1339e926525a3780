import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test, type TestContext } from 'node:test'
import { createHost } from 'mcp-patchbay'
import pg from 'pg'
import { createCaller } from '../../host/src/server/catalog/caller.ts'
import { reloading, textOf, type Reloading } from '../fixtures/plugins/reloading.ts'
import { databaseAt, PASSWORD, startPostgres, withoutPostgres, type TestPostgres } from '../fixtures/postgres.ts'

const root = join(import.meta.dirname, '../..')
const ca = join(root, 'tests/fixtures/tls/ca.pem')
const LIMIT = { timeout: 60_000 }
const grant = { use: './plugins/postgres', capabilities: { credentials: 'raw' } }

suite('connections to a PostgreSQL', { skip: withoutPostgres }, () => {
  const opened = new AsyncDisposableStack()
  let server: TestPostgres
  before(async () => {
    server = await startPostgres({ after: (release) => opened.defer(release) })
    await server.admin('GRANT SELECT ON people TO reader', 'shop')
    await server.admin(
      "CREATE TABLE people (name text); INSERT INTO people VALUES ('Other'); GRANT SELECT ON people TO reader",
      'other',
    )
  })
  after(() => opened.disposeAsync())

  test('are encrypted, and known by an authority of their own', LIMIT, async (t) => {
    const encrypted = 'SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()'
    for (const query of ['?sslmode=verify-full', '?sslmode=require', '?sslmode=verify-ca&channel_binding=disable']) {
      const { rows } = await databaseAt(t, server.url('reader', { query }), { caFile: ca }).query(encrypted)
      assert.deepEqual(rows, [[true, 'TLSv1.3']])
    }
    const plain = databaseAt(t, server.url('reader', { query: '?sslmode=disable' }))
    assert.deepEqual((await plain.query(encrypted)).rows, [[false, null]])
  })

  test('to a server that cannot prove who it is are refused, with the setting that helps', LIMIT, async (t) => {
    const unknown = databaseAt(t, server.url('reader', { query: '?sslmode=require' }))
    await refused(unknown.query('SELECT 1'), 'UPSTREAM_FAILED', /certificate is not accepted \(\w+\)/, /caFile/)
    const renamed = databaseAt(t, server.url('reader', { host: '127.0.0.2', query: '?sslmode=require' }), { caFile: ca })
    await refused(
      renamed.query('SELECT 1'),
      'UPSTREAM_FAILED',
      /not accepted \(ERR_TLS_CERT_ALTNAME_INVALID\)/,
      /a name that is in/,
    )
    const plain = await startPostgres(t, { ssl: 'off' })
    const bare = databaseAt(t, plain.url('reader', { query: '?sslmode=require' }), { caFile: ca })
    await refused(bare.query('SELECT 1'), 'UPSTREAM_FAILED', /does not speak TLS/, /sslmode=disable/)
  })

  test('that fail say what is wrong, and neither password nor address', LIMIT, async (t) => {
    const wrong = (url: string) => databaseAt(t, url).query('SELECT 1')
    await refused(wrong(server.url('nobody_there')), 'AUTHENTICATION_FAILED', /refused the user or the password/)
    await refused(wrong(server.url('reader').replace(PASSWORD, 'canary-wrong')), 'AUTHENTICATION_FAILED', /the password/)
    await refused(wrong(server.url('reader').replace(`:${PASSWORD}`, '')), 'AUTHENTICATION_FAILED', /the password/)
    await refused(wrong(server.url('reader', { database: 'missing' })), 'UPSTREAM_FAILED', /has no such database/)
    await refused(wrong(`postgres://reader:${PASSWORD}@127.0.0.1:1/shop`), 'UPSTREAM_FAILED', /ECONNREFUSED/)
    await refused(wrong(server.url('reader', { host: join(server.folder, 'nothing') })), 'UPSTREAM_FAILED', /ENOENT/)
  })

  test('are as many as allowed, and who finds all in use is told so', LIMIT, async (t) => {
    const two = databaseAt(t, server.url('reader'), { maxConnections: 2 })
    await using lock = await lockOn(t, server)
    const waiting = [1, 2].map(() => two.query('SELECT count(*) FROM people'))
    await lock.waiters(2)
    await assert.rejects(two.query('SELECT 1'), { code: 'RATE_LIMITED', message: 'All 2 connections to the database are in use' })
    await lock.release()
    for (const { rows } of await Promise.all(waiting)) assert.deepEqual(rows, [[3]])
    const pids = await Promise.all(Array.from({ length: 40 }, () => two.query('SELECT pg_backend_pid()')))
    assert.ok(new Set(pids.map(({ rows }) => rows[0]?.[0])).size <= 2)
  })

  test('heal when the server was restarted, with no call lost that comes after', LIMIT, async (t) => {
    const own = await startPostgres(t)
    const reader = databaseAt(t, own.url('reader'))
    const all = () => Promise.all(Array.from({ length: 5 }, () => reader.query('SELECT count(*) FROM people')))
    await all()
    for (const how of ['SIGINT', 'SIGQUIT'] as const) {
      await own.stop(how)
      await refused(reader.query('SELECT 1'), 'UPSTREAM_FAILED', /cannot be reached/)
      await own.start()
      for (const { rows } of await all()) assert.deepEqual(rows, [[3]])
    }
    // Each connection is ended by the server while it is idle, and the next calls come at once.
    await own.admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader'")
    for (const { rows } of await all()) assert.deepEqual(rows, [[3]])
  })

  test('that are lost during a change say whether it was made', LIMIT, async (t) => {
    const writer = databaseAt(t, server.url('writer'))
    await using lock = await lockOn(t, server)
    const outcome = assert.rejects(writer.execute("INSERT INTO people VALUES (77, 'Lost', 1)"), {
      code: 'UPSTREAM_FAILED',
      message: 'The connection to the database was lost, and nothing was changed',
    })
    await lock.waiters(1)
    await server.admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'writer'")
    await outcome
    await lock.release()
    assert.deepEqual(await server.admin('SELECT id FROM people WHERE id = 77'), [])
  })

  test('of two tenants are never one, with the same credential or with their own', LIMIT, async (t) => {
    const place = await hostWith(t, server, {
      tenants: {
        acme: { plugins: { postgres: { config: { connectionString: server.url('reader', { database: 'other' }) } } } },
        ours: {},
        theirs: {},
      },
    })
    const seen = new Map<string, Set<string>>()
    const ask = async (tenant: string) => {
      const caller = createCaller({ id: tenant, tenant, permissions: ['*'], kind: 'local' })
      const sql = 'SELECT pg_backend_pid(), current_database(), (SELECT count(*) FROM people)'
      const answer = await place.host.call('postgres_query_run', { sql }, { caller })
      const [, pid = '', rest = ''] = /\| (\d+) \| (\w+ \| \d)/.exec(textOf(answer)) ?? assert.fail(textOf(answer))
      assert.equal(rest, tenant === 'acme' ? 'other | 1' : 'shop | 3')
      seen.set(tenant, (seen.get(tenant) ?? new Set()).add(pid))
    }
    await Promise.all(Array.from({ length: 60 }, (_, index) => ask(['acme', 'ours', 'theirs'][index % 3] ?? '')))
    const pids = [...seen.values()].flatMap((one) => [...one])
    assert.equal(seen.size, 3)
    assert.equal(new Set(pids).size, pids.length)
  })

  test('end with their version of the plugin, and no call is lost in a swap', LIMIT, async (t) => {
    const place = await hostWith(t, server)
    const source = readFileSync(join(root, 'plugins/postgres/index.ts'), 'utf8')
    const connections = async () => {
      const rows = await server.admin<{ pid: number }>("SELECT pid FROM pg_stat_activity WHERE usename = 'reader' ORDER BY pid")
      return rows.map(({ pid }) => pid)
    }
    await using lock = await lockOn(t, server)
    const count = { sql: 'SELECT count(*) FROM people' }
    const before = place.call('postgres_query_run', count)
    await lock.waiters(1)
    const old = await connections()
    await place.edit('plugins/postgres/index.ts', source.replace('Reads and,', 'Edited: reads and,'))
    assert.match(await place.call('postgres_query_run', { sql: 'SELECT 40 + 2' }), /\| 42 \|/)
    assert.ok((await connections()).length > old.length)
    await lock.release()
    assert.match(await before, /\| 3 \|/)
    await place.drains.next()
    await eventually(t, async () => assert.ok((await connections()).every((pid) => !old.includes(pid))))

    const lost: string[] = []
    const over = new AbortController()
    const load = Array.from({ length: 4 }, async () => {
      while (!over.signal.aborted) {
        const text = await place.call('postgres_query_run', count)
        if (!text.includes('| 3 |')) lost.push(text)
      }
    })
    for (let round = 0; round < 20; round += 1)
      await place.edit('plugins/postgres/index.ts', source.replace('Reads and,', `Edit ${round}: reads and,`))
    over.abort()
    await Promise.all(load)
    assert.deepEqual(lost, [])
    await place.host.close({ graceMs: 5_000 })
    await eventually(t, async () => assert.deepEqual(await connections(), []))
  })

  const HELPLESS: readonly (readonly [string, object, RegExp])[] = [
    ['from a process of its own', { ...grant, isolation: 'process' }, /which opens no sockets[^]*isolation: 'inline'/],
    ['with a credential that was not granted', { use: grant.use }, /not granted its connectionString[^]*credentials: 'raw'/],
  ]
  for (const [how, entry, says] of HELPLESS)
    test(`are not opened ${how}, and the call says which setting is wrong`, LIMIT, async (t) => {
      const config = { connectionString: server.url('reader') }
      const host = await createHost({ plugins: [{ ...entry, config }] } as never, { file: join(root, 'mcp.config.ts'), env: {} })
      t.after(() => host.close())
      assert.match(textOf(await host.call('postgres_tables_list')), says)
    })
})

/** The plugin in a host of its own, from a copy of its files that a test may edit. */
async function hostWith(
  t: TestContext,
  server: TestPostgres,
  config: { plugins?: readonly object[]; tenants?: object } = {},
): Promise<Reloading> {
  const files = globSync('plugins/postgres/{*.ts,tools/*.ts,package.json}', { cwd: root })
  const connectionString = server.url('reader')
  const sources = Object.fromEntries(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]))
  const driver = JSON.stringify(join(root, 'node_modules/pg/esm/index.mjs'))
  const installed = {
    'node_modules/pg/package.json': '{ "name": "pg", "type": "module", "exports": "./index.js" }',
    'node_modules/pg/index.js': `export * from ${driver}\nexport { default } from ${driver}\n`,
  }
  const place = await reloading(
    t,
    { ...sources, ...installed },
    {
      watch: false,
      config: {
        pluginDirs: [],
        ...config,
        plugins: (config.plugins ?? [grant]).map((entry) => ({ ...entry, config: { connectionString, maxConnections: 3 } })),
      },
    },
  )
  return place
}

async function refused(work: Promise<unknown>, code: string, message: RegExp, fix = /./): Promise<void> {
  await assert.rejects(work, (error: Error & { code?: string; fix?: string }) => {
    assert.equal(error.code, code, error.message)
    assert.match(error.message, message)
    assert.match(error.fix ?? '', fix)
    assert.doesNotMatch(`${error.message} ${error.fix}`, new RegExp(`canary|127\\.0|postgres://|patchbay-pg`))
    return true
  })
}

interface Lock extends AsyncDisposable {
  /** Resolves when so many statements wait for it. */
  waiters(count: number): Promise<void>
  release(): Promise<void>
}

/** Holds every statement that reads or changes `people`. */
async function lockOn(t: TestContext, server: TestPostgres): Promise<Lock> {
  const client = new pg.Client({ host: server.folder, port: server.port, user: 'root', database: 'shop' })
  await client.connect()
  await client.query('BEGIN; LOCK TABLE people IN ACCESS EXCLUSIVE MODE')
  let isHeld = true
  const release = async () => {
    if (isHeld) await client.end()
    isHeld = false
  }
  return {
    waiters: (count) =>
      eventually(t, async () => {
        const [row] = await server.admin<{ n: number }>(
          "SELECT count(*)::int AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
        )
        assert.equal(row?.n, count)
      }),
    release,
    [Symbol.asyncDispose]: release,
  }
}

/** Waits for what the server does in its own time, for as long as the test may take. */
async function eventually(t: TestContext, check: () => Promise<void>): Promise<void> {
  for (;;)
    try {
      return await check()
    } catch (error) {
      if (t.signal.aborted || !(error instanceof assert.AssertionError)) throw error
    }
}
