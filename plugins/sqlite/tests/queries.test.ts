import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { after, suite, test } from 'node:test'
import { callTool, fakeLog } from '@mcp-patchbay/plugin-api/testing'
import { Database } from '../database.ts'
import sqlite from '../index.ts'
import { databaseWith, people } from './databases.ts'

suite('reading', () => {
  test('describes columns, keys, references and indexes', async (t) => {
    const { call } = databaseWith(t, people)
    assert.equal(
      await call('tables_describe', { table: 'Order_Items' }),
      [
        '## 3 columns in Order_Items',
        '',
        '| column | type | required | default | key | references |',
        '| --- | --- | --- | --- | --- | --- |',
        '| id | INTEGER | yes |  | primary |  |',
        '| person | INTEGER |  |  |  | people.id |',
        "| what | TEXT |  | 'a \\| b' |  |  |",
        '',
        '## 1 index',
        '',
        '| index | columns | unique |',
        '| --- | --- | --- |',
        '| items_once | person, what | yes |',
      ].join('\n'),
    )
  })

  test('binds parameters, so that a value is never SQL', async (t) => {
    const { query } = databaseWith(t, people)
    const sql = 'SELECT name, ? AS given FROM people WHERE age > ? ORDER BY id'
    assert.equal(
      await query(sql, { parameters: ["'; DROP TABLE people; --", 36.5] }),
      "1 row\n\n| name | given |\n| --- | --- |\n| Grace | '; DROP TABLE people; -- |",
    )
    assert.match(await query('SELECT ? AS a, ? AS b', { parameters: [true, null] }), /\| 1 \|  \|$/)
  })

  test('keeps columns of one name apart, large integers exact and bytes out', async (t) => {
    const { query } = databaseWith(t, people)
    assert.match(
      await query("SELECT 1 AS a, 2 AS a, 9007199254740993 AS big, x'00ff' AS bytes, 1.5 AS real"),
      /\| 1 \| 2 \| 9007199254740993 \| \\\[2 bytes\\\] \| 1\.5 \|$/,
    )
  })

  test('says that nothing was found', async (t) => {
    const { query } = databaseWith(t, people)
    assert.equal(await query('SELECT * FROM people WHERE id > 99'), 'No rows found.')
  })

  test('stops at the limit, at the most rows the config allows and at 256 KB, and says so', async (t) => {
    const { query } = databaseWith(t, people)
    const numbers = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) '
    const more = /There are more rows\. Narrow/
    assert.match(await query(`${numbers} SELECT i FROM n`, { limit: 2 }), /^2 rows\n[^]*\| 2 \|\n\nThere are more rows/)
    assert.doesNotMatch(await query(`${numbers} SELECT i FROM n LIMIT 2`, { limit: 2 }), more)
    assert.match(await query(`${numbers} SELECT i FROM n`, { limit: 4_000 }), /^1000 rows/)
    const wide = await query(`${numbers} SELECT i, hex(zeroblob(20000)) FROM n`, { limit: 100 })
    assert.match(wide, /^6 rows\n/)
    assert.match(wide, more)
  })

  test('stops a query that never ends, and answers the next one', async (t) => {
    // The first has little time; the next has plenty, because a busy machine may need it.
    const times = [200, 60_000]
    const config = {
      maxRows: 10,
      get queryTimeoutMs() {
        return times.shift() ?? 0
      },
    }
    await using client = new Database({ file: databaseWith(t, people).file, config, log: fakeLog() })
    const endless = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n'
    const call = (sql: string) => callTool(sqlite, 'query_run', { sql }, { client })
    const [stopped, next] = [call(endless), call('SELECT 7 AS seven')]
    await assert.rejects(stopped, { code: 'TIMEOUT', message: /longer than 200 ms and was stopped/ })
    assert.match(await next, /\| 7 \|/)
  })

  test('stops a query whose caller has gone, and does not begin one whose caller went before', async (t) => {
    const { client, query } = databaseWith(t, people)
    const caller = new AbortController()
    const endless = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n'
    const calls = [endless, endless].map((sql) => callTool(sqlite, 'query_run', { sql }, { client, signal: caller.signal }))
    caller.abort(new Error('the caller went'))
    for (const call of calls) await assert.rejects(call, /the caller went/)
    assert.match(await query('SELECT 1'), /\| 1 \|/)
  })
})

suite('a query cannot', () => {
  const attempts: readonly (readonly [what: string, sql: string, answer: RegExp])[] = [
    ['insert', "INSERT INTO people VALUES (9, 'Eve', 1)", /changing the database/],
    ['insert and return', "INSERT INTO people VALUES (9, 'Eve', 1) RETURNING id", /changing the database/],
    ['hide a change in a CTE', "WITH x AS (SELECT 1) UPDATE people SET name = 'Eve'", /changing the database/],
    ['delete', 'DELETE FROM people', /changing the database/],
    ['drop', 'DROP TABLE people', /changing the database/],
    ['create a temporary table', 'CREATE TEMP TABLE t (a)', /changing the database/],
    ['attach another file', "ATTACH '/tmp/other.db' AS other", /ATTACH or VACUUM/],
    ['write a copy', "VACUUM INTO '/tmp/copy.db'", /no rows to read/],
    ['leave a transaction open', 'BEGIN', /a transaction of its own/],
    ['leave a savepoint open', 'SAVEPOINT s', /a savepoint/],
    ['switch read-only off', 'PRAGMA query_only = 0', /PRAGMA query_only/],
    ['make the schema writable', 'PRAGMA writable_schema = 1', /PRAGMA writable_schema/],
    ['see where the file is', 'SELECT file FROM pragma_database_list', /PRAGMA database_list/],
    ['load native code', "SELECT load_extension('evil')", /load_extension\(\)/],
    ['bring a second statement', 'SELECT 1; DELETE FROM people', /Only one statement/],
    ['bring a second statement behind a comment', 'SELECT 1 /* ; */; -- fine\n DELETE FROM people', /Only one statement/],
    ['bring one behind thousands of comments', `SELECT 1; ${'/**/'.repeat(4_900)} DELETE FROM people`, /Only one statement/],
    ['bring a second statement behind a NUL', 'SELECT 1;\u0000 DELETE FROM people', /Only one statement/],
    ['fill the memory', 'SELECT zeroblob(100000000)', /string or blob too big/],
    ['rebuild indexes', 'REINDEX', /changing the database/],
    ['be empty', '-- nothing', /no statement in it/],
    ['be wrong', 'SELEKT 1', /near "SELEKT": syntax error/],
  ]
  // One database and one process for all of them: what an attempt leaves behind would show in the next.
  const { file, query } = databaseWith({ after }, people)

  for (const [what, sql, answer] of attempts)
    test(what, async () => {
      await assert.rejects(query(sql), (error: Error & { code?: string; fix?: string }) => {
        assert.match(error.message, answer)
        assert.match(error.code ?? '', /^(PERMISSION_DENIED|INVALID_INPUT)$/)
        assert.ok(error.fix)
        return true
      })
      using database = new DatabaseSync(file)
      assert.equal(database.prepare('SELECT count(*) AS n FROM people').get()?.['n'], 3)
    })

  test('but may end in a comment, and explain itself', async () => {
    assert.match(await query('SELECT 1 AS one; -- done\n /* really */ ; '), /\| 1 \|/)
    assert.match(await query('EXPLAIN QUERY PLAN SELECT * FROM people'), /SCAN people/)
    assert.match(await query("SELECT name FROM pragma_table_info('people')"), /\| age \|/)
  })
})
