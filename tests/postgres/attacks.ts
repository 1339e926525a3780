import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { databaseAt, startPostgres, withoutPostgres, type TestDatabase, type TestPostgres } from '../fixtures/postgres.ts'

suite('a query that attacks', { skip: withoutPostgres }, () => {
  const opened = new AsyncDisposableStack()
  const t = { after: (release: () => Promise<void>) => opened.defer(release) }
  let server: TestPostgres
  /** May write, so that nothing but the plugin holds a query back. */
  let writer: TestDatabase
  /** One connection, so that what a statement leaves on it meets the next. */
  let single: TestDatabase
  /** A superuser, where the operator allowed it. */
  let superuser: TestDatabase
  before(async () => {
    server = await startPostgres(t)
    await server.admin(`
      CREATE FUNCTION writes() RETURNS int LANGUAGE plpgsql AS 'BEGIN DELETE FROM people; RETURN 1; END';
      CREATE FUNCTION unlocks() RETURNS int LANGUAGE plpgsql AS 'BEGIN SET LOCAL transaction_read_only = off; DELETE FROM people; RETURN 1; END';
      CREATE FUNCTION runs(sql text) RETURNS int LANGUAGE plpgsql AS 'BEGIN EXECUTE sql; RETURN 1; END';
      CREATE SEQUENCE numbers; GRANT ALL ON SEQUENCE numbers TO writer;
      GRANT ALL ON ALL TABLES IN SCHEMA public TO writer`)
    writer = databaseAt(t, server.url('writer'))
    single = databaseAt(t, server.url('writer'), { maxConnections: 1 })
    superuser = databaseAt(t, server.url('root', { host: server.folder }), { allowPrivilegedRole: true })
  })
  after(() => opened.disposeAsync())

  const unchanged = async () => {
    const [state] = await server.admin(`
      SELECT (SELECT count(*)::int FROM people) AS people,
        (SELECT is_called FROM numbers) AS counted,
        (SELECT count(*)::int FROM pg_class WHERE relname IN ('stolen', 'x')) AS made,
        (SELECT count(*)::int FROM pg_prepared_xacts) AS prepared,
        (SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory') AS locks`)
    assert.deepEqual(state, { people: 3, counted: false, made: 0, prepared: 0, locks: 0 })
  }

  const REFUSED = [
    'DELETE FROM people',
    'INSERT INTO people VALUES (9, $$x$$, 1)',
    'WITH gone AS (DELETE FROM people RETURNING *) SELECT * FROM gone',
    'EXPLAIN ANALYZE DELETE FROM people',
    'EXPLAIN (ANALYZE) WITH gone AS (DELETE FROM people RETURNING *) SELECT * FROM gone',
    'EXPLAIN ANALYZE CREATE TABLE stolen AS SELECT * FROM people',
    'EXPLAIN (ANALYZE) CREATE TABLE stolen AS SELECT * FROM people',
    'EXPLAIN /* */ ANALYZE CREATE MATERIALIZED VIEW stolen AS SELECT 1',
    'EXPLAIN (/*)SELECT*/ ANALYZE) CREATE TABLE stolen AS SELECT * FROM people',
    'EXPLAIN (--)SELECT\nANALYZE) CREATE TABLE stolen AS SELECT * FROM people',
    'EXPLAIN ("a)SELECT", ANALYZE) CREATE TABLE stolen AS SELECT * FROM people',
    'EXPLAIN ANALYZE SELECT * INTO stolen FROM people',
    'SELECT * INTO stolen FROM people',
    'SELECT * FROM people FOR UPDATE',
    'TRUNCATE people',
    'CREATE TABLE x (a int)',
    'CREATE TEMP TABLE x (a int)',
    // out of the transaction
    'COMMIT',
    'ROLLBACK',
    'END',
    'ABORT',
    'SET TRANSACTION READ WRITE',
    'SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE',
    'SET default_transaction_read_only = off',
    "PREPARE TRANSACTION 'x'",
    'SELECT 1; COMMIT; DROP TABLE people',
    'SELECT 1; DELETE FROM people',
    'EXPLAIN SELECT 1; COMMIT',
    'SELECT 1) ; COMMIT; --',
    '/* /* */ SELECT 1 */ COMMIT',
    '/* EXPLAIN */ COMMIT; SELECT 1',
    '-- SELECT\rCOMMIT',
    '-- SELECT\nCOMMIT',
    'EXPLAIN */ COMMIT',
    // past the time limit
    'SET statement_timeout = 0',
    "SELECT set_config('statement_timeout', '0', false)",
    "SELECT pg_catalog.\"set_config\"('statement_timeout', '0', true)",
    "SELECT U&\"set\\005fconfig\"('statement_timeout', '0', true)",
    // by a function
    'SELECT writes()',
    'SELECT unlocks()',
    "SELECT runs('COMMIT')",
    "SELECT runs('DELETE FROM people')",
    "SELECT runs('SET TRANSACTION READ WRITE')",
    "SELECT runs('CREATE TABLE x (a int)')",
    "SELECT nextval('numbers')",
    "SELECT setval('numbers', 7)",
    "SELECT query_to_xml('DELETE FROM people', true, true, '')",
    'DO $$ BEGIN DELETE FROM people; END $$',
    'CALL anything()',
    // to the server, its files and other sessions
    "COPY (SELECT 1) TO PROGRAM 'id'",
    "COPY people TO '/tmp/people'",
    'COPY people TO STDOUT',
    'COPY people FROM STDIN',
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT PG_READ_FILE/**/('/etc/passwd')",
    "SELECT * FROM pg_ls_dir('/')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_export(1, '/tmp/x')",
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity',
    'SELECT pg_cancel_backend(pid) FROM pg_stat_activity',
    'SELECT pg_advisory_lock(1)',
    'SELECT pg_try_advisory_lock(1)',
    "SELECT dblink('dbname=shop', 'DELETE FROM people')",
    "NOTIFY x, 'y'",
    'LISTEN x',
    'LOCK TABLE people',
    'DISCARD ALL',
    'VACUUM',
    'CHECKPOINT',
    "LOAD 'auto_explain'",
    "ALTER SYSTEM SET work_mem = '1GB'",
    'RESET ROLE',
    'PREPARE p AS DELETE FROM people',
    'DECLARE c CURSOR WITH HOLD FOR SELECT 1',
    'FETCH 1 FROM mcp_patchbay',
    'CLOSE mcp_patchbay',
    '',
    ' ; ',
    '--',
    '/* never ends',
  ]
  for (const sql of REFUSED)
    test(`is refused and changes nothing: ${JSON.stringify(sql)}`, async () => {
      const refusal = /PERMISSION_DENIED|INVALID_INPUT/
      await assert.rejects(writer.query(sql === '' ? ' ' : sql), { code: refusal })
      await assert.rejects(superuser.query(sql === '' ? ' ' : sql), { code: refusal })
      await unchanged()
    })

  test('leaves no setting, lock or table for the next call on its connection', async () => {
    const settings =
      "SELECT current_setting('statement_timeout'), current_setting('search_path'), current_setting('transaction_read_only')"
    const first = (await single.query(settings)).rows
    await single.query("SELECT runs('SET search_path = stock')")
    await single.query("SELECT runs('SET statement_timeout = 1')")
    await assert.rejects(single.query("SELECT runs('CREATE TEMP TABLE people (id int)')"))
    await single.execute(
      "SELECT runs('CREATE TEMP TABLE people (id int); SET search_path = stock; SELECT pg_adv' || 'isory_lock(7)')",
    )
    assert.deepEqual((await single.query(settings)).rows, first)
    assert.deepEqual((await single.query('SELECT count(*) FROM people')).rows, [[3]])
    await unchanged()
  })

  test('ends by the time limit, and the server goes on with nothing', async () => {
    const short = databaseAt(t, server.url('writer'), { queryTimeoutMs: 200 })
    const stopped = { code: 'TIMEOUT', message: 'The statement ran longer than 200 ms and was stopped' }
    await assert.rejects(short.query('SELECT pg_sleep(600)'), stopped)
    await assert.rejects(short.query('SELECT count(*) FROM generate_series(1, 1000000000000)'), stopped)
    await assert.rejects(short.query("SELECT runs('SET statement_timeout = 0'), pg_sleep(600)"), stopped)
    await assert.rejects(short.execute('SELECT pg_sleep(600)'), stopped)
    // The first FETCH takes the server's limit away from the second: the limit of the whole cuts the connection.
    const slow =
      "SELECT runs('SET statement_timeout = 0'), CASE WHEN i > 20 THEN pg_sleep(600)::text END FROM generate_series(1, 1000) i"
    await assert.rejects(short.query(slow, { limit: 10_000 }), stopped)
    await quiet(server)
    assert.deepEqual((await short.query('SELECT 1')).rows, [[1]])
  })

  test('of a caller that goes away is ended on the server', async () => {
    const leaving = new AbortController()
    const running = writer.client.read('SELECT pg_sleep(600)', [], { signal: leaving.signal })
    await until(server, "query LIKE 'FETCH%'", true)
    leaving.abort(new Error('gone'))
    await assert.rejects(running, /gone/)
    await quiet(server)
  })

  test('is refused for a role that can do more than read and change data', async () => {
    await server.admin(`
      CREATE ROLE files LOGIN; GRANT pg_read_server_files TO files;
      CREATE ROLE nested LOGIN; GRANT files TO nested;
      CREATE ROLE maker LOGIN CREATEROLE;
      CREATE ROLE granted LOGIN; GRANT EXECUTE ON FUNCTION pg_read_file(text) TO granted`)
    for (const [role, right] of [
      ['root', 'superuser'],
      ['files', 'pg_read_server_files'],
      ['nested', 'pg_read_server_files'],
      ['maker', 'CREATEROLE'],
      ['granted', 'pg_read_file()'],
    ] as const) {
      const privileged = databaseAt(t, server.url(role, { host: server.folder }))
      for (const run of [privileged.query, privileged.execute])
        await assert.rejects(run('SELECT 1'), (error: Error & { code?: string; fix?: string }) => {
          assert.equal(error.code, 'PERMISSION_DENIED')
          assert.ok(error.message.includes(right), error.message)
          assert.match(error.fix ?? '', /CREATE ROLE mcp LOGIN/)
          return true
        })
    }
  })

  const NOT_EXECUTED = [
    'BEGIN',
    'COMMIT',
    'DO $$ BEGIN DELETE FROM people; END $$',
    `COPY people TO '/tmp/never'`,
    "COPY people FROM PROGRAM 'id'",
    'GRANT ALL ON people TO PUBLIC',
    'SET ROLE root',
    'SELECT pg_terminate_backend(1)',
    'DELETE FROM people; COMMIT',
    'DELETE FROM people; DROP TABLE people',
    'VACUUM',
    "ALTER SYSTEM SET work_mem = '1GB'",
    'CREATE DATABASE x',
  ]
  for (const sql of NOT_EXECUTED)
    test(`is not executed as a change either: ${sql}`, async () => {
      for (const database of [writer, superuser])
        await assert.rejects(database.execute(sql), { code: /PERMISSION_DENIED|INVALID_INPUT/ })
      await unchanged()
    })

  test('wrote no file', () => {
    for (const file of ['/tmp/people', '/tmp/never', '/tmp/x']) assert.ok(!existsSync(file), file)
    assert.ok(existsSync(join(server.folder, 'data')))
  })
})

/** Waits until the server runs a statement that fits, or none. */
async function until(server: TestPostgres, condition: string, isRunning: boolean): Promise<void> {
  const sql = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE usename = 'writer' AND state = 'active' AND ${condition}`
  for (;;) if (((await server.admin<{ n: number }>(sql))[0]?.n !== 0) === isRunning) return
}

function quiet(server: TestPostgres): Promise<void> {
  return until(server, 'true', false)
}
