import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, suite, test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { callTool, checkPlugin, fakeLog, getPrompt, toolSnapshot } from '@mcp-patchbay/plugin-api/testing'
import { Database } from '../database.ts'
import sqlite from '../index.ts'

checkPlugin(sqlite)

/** A database file of its own for a test, filled by `script`. */
function databaseWith(t: TestContext, script: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'sqlite-test-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'test.db')
  using database = new DatabaseSync(file)
  database.exec(script)
  return file
}

const query = (sql: string, { database, ...input }: { database?: string; parameters?: unknown[]; limit?: number } = {}) =>
  callTool(sqlite, 'query_run', { sql, ...input }, { config: database === undefined ? {} : { database } })
const execute = (sql: string, database: string, parameters: unknown[] = []) =>
  callTool(sqlite, 'statement_execute', { sql, parameters }, { config: { database } })

const people = `
  CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INTEGER);
  CREATE TABLE order_items (id INTEGER PRIMARY KEY, person INTEGER REFERENCES people (id), what TEXT DEFAULT 'a | b');
  CREATE UNIQUE INDEX items_once ON order_items (person, what);
  CREATE VIEW adults AS SELECT * FROM people WHERE age >= 18;
  INSERT INTO people VALUES (1, 'Ada', 36), (2, 'Grace', 41), (3, 'Alan', NULL);
`

suite('without a database', () => {
  test('lists the tables of the sample as a Markdown table', async () => {
    assert.equal(
      await callTool(sqlite, 'tables_list'),
      [
        '5 tables',
        '',
        '| table | kind | columns |',
        '| --- | --- | --- |',
        '| albums | table | id, artist_id, title, year, price_cents, stock |',
        '| artists | table | id, name, country |',
        '| bestsellers | view | title, artist, sold |',
        '| sales | table | id, album_id, sold_on, quantity, city |',
        '| tracks | table | id, album_id, position, title, seconds |',
      ].join('\n'),
    )
  })

  test('makes the same sample every time and removes it', async () => {
    const digest =
      'SELECT (SELECT count(*) FROM sales), (SELECT sum(quantity) FROM sales), (SELECT group_concat(title) FROM tracks)'
    const log = fakeLog()
    const first = await callTool(sqlite, 'query_run', { sql: digest }, { log })
    assert.equal(await query(digest), first)
    const [line] = log.lines
    assert.equal(line?.event, 'sqlite_sample_created')
    assert.ok(!existsSync(path.dirname(String(line?.fields['file']))))
  })

  test('has something worth asking for', async () => {
    assert.match(await query('SELECT * FROM bestsellers LIMIT 3'), /^3 rows\n\n\| title \| artist \| sold \|\n.*\n\| [A-Z]/)
  })
})

suite('reading', () => {
  test('describes columns, keys, references and indexes', async (t) => {
    const database = databaseWith(t, people)
    assert.equal(
      await callTool(sqlite, 'tables_describe', { table: 'Order_Items' }, { config: { database } }),
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
    const database = databaseWith(t, people)
    const sql = 'SELECT name, ? AS given FROM people WHERE age > ? ORDER BY id'
    assert.equal(
      await query(sql, { database, parameters: ["'; DROP TABLE people; --", 36.5] }),
      "1 row\n\n| name | given |\n| --- | --- |\n| Grace | '; DROP TABLE people; -- |",
    )
    assert.match(await query('SELECT ? AS a, ? AS b', { database, parameters: [true, null] }), /\| 1 \|  \|$/)
  })

  test('keeps columns of one name apart, large integers exact and bytes out', async (t) => {
    const database = databaseWith(t, people)
    assert.match(
      await query("SELECT 1 AS a, 2 AS a, 9007199254740993 AS big, x'00ff' AS bytes, 1.5 AS real", { database }),
      /\| 1 \| 2 \| 9007199254740993 \| \\\[2 bytes\\\] \| 1\.5 \|$/,
    )
  })

  test('says that nothing was found', async (t) => {
    assert.equal(await query('SELECT * FROM people WHERE id > 99', { database: databaseWith(t, people) }), 'No rows found.')
  })

  test('stops at the limit, at the most rows the config allows and at 256 KB, and says so', async (t) => {
    const database = databaseWith(t, people)
    const numbers = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) '
    const more = /There are more rows\. Narrow/
    assert.match(await query(`${numbers} SELECT i FROM n`, { database, limit: 2 }), /^2 rows\n[^]*\| 2 \|\n\nThere are more rows/)
    assert.doesNotMatch(await query(`${numbers} SELECT i FROM n LIMIT 2`, { database, limit: 2 }), more)
    assert.match(await query(`${numbers} SELECT i FROM n`, { database, limit: 4_000 }), /^1000 rows/)
    const wide = await query(`${numbers} SELECT i, hex(zeroblob(20000)) FROM n`, { database, limit: 100 })
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
    await using client = new Database({ file: databaseWith(t, people), config, log: fakeLog() })
    const endless = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n'
    const call = (sql: string) => callTool(sqlite, 'query_run', { sql }, { client })
    const [stopped, next] = [call(endless), call('SELECT 7 AS seven')]
    await assert.rejects(stopped, { code: 'TIMEOUT', message: /longer than 200 ms and was stopped/ })
    assert.match(await next, /\| 7 \|/)
  })

  test('stops a query whose caller has gone, and does not begin one whose caller went before', async (t) => {
    const config = { database: databaseWith(t, people), maxRows: 10, queryTimeoutMs: 60_000 }
    await using client = new Database({ file: config.database, config, log: fakeLog() })
    const caller = new AbortController()
    const endless = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n'
    const calls = [endless, endless].map((sql) => callTool(sqlite, 'query_run', { sql }, { client, signal: caller.signal }))
    caller.abort(new Error('the caller went'))
    for (const call of calls) await assert.rejects(call, /the caller went/)
    assert.match(await callTool(sqlite, 'query_run', { sql: 'SELECT 1' }, { client }), /\| 1 \|/)
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
  const folder = mkdtempSync(path.join(tmpdir(), 'sqlite-test-'))
  const database = path.join(folder, 'test.db')
  let client: Database
  before(async () => {
    using made = new DatabaseSync(database)
    made.exec(people)
    client = new Database({ file: database, config: { maxRows: 10, queryTimeoutMs: 60_000 }, log: fakeLog() })
  })
  after(async () => {
    await client[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })

  for (const [what, sql, answer] of attempts)
    test(what, async () => {
      await assert.rejects(
        callTool(sqlite, 'query_run', { sql }, { client }),
        (error: Error & { code?: string; fix?: string }) => {
          assert.match(error.message, answer)
          assert.match(error.code ?? '', /^(PERMISSION_DENIED|INVALID_INPUT)$/)
          assert.ok(error.fix)
          return true
        },
      )
      using file = new DatabaseSync(database)
      assert.equal(file.prepare('SELECT count(*) AS n FROM people').get()?.['n'], 3)
    })

  test('but may end in a comment, and explain itself', async () => {
    assert.match(await query('SELECT 1 AS one; -- done\n /* really */ ; ', { database }), /\| 1 \|/)
    assert.match(await query('EXPLAIN QUERY PLAN SELECT * FROM people', { database }), /SCAN people/)
    assert.match(await query("SELECT name FROM pragma_table_info('people')", { database }), /\| age \|/)
  })
})

suite('changing', () => {
  test('tells how many rows changed, and the rows it returns', async (t) => {
    const database = databaseWith(t, people)
    assert.equal(await execute('UPDATE people SET age = age + ? WHERE age IS NOT NULL', database, [1]), '2 rows changed.')
    assert.equal(
      await execute('INSERT INTO people (name) VALUES (?) RETURNING id, name', database, ['Hedy']),
      '1 row changed.\n\n1 row\n\n| id | name |\n| --- | --- |\n| 4 | Hedy |',
    )
    for (const sql of [
      'ALTER TABLE people RENAME COLUMN age TO years',
      'DROP VIEW adults',
      'ALTER TABLE people DROP COLUMN years',
      'CREATE TABLE x (a)',
    ])
      assert.equal(await execute(sql, database), '0 rows changed.')
  })

  test('commits every row though it shows only some of them', async (t) => {
    const config = { database: databaseWith(t, people), maxRows: 5 }
    const sql =
      'WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 59) INSERT INTO people SELECT i, i, i FROM n RETURNING id'
    const answer = await callTool(sqlite, 'statement_execute', { sql }, { config })
    assert.match(answer, /^50 rows changed\.\n\n5 rows\n/)
    assert.match(await query('SELECT count(*) FROM people', { database: config.database }), /\| 53 \|/)
  })

  test('leaves nothing behind when it fails', async (t) => {
    const database = databaseWith(t, people)
    await assert.rejects(execute("INSERT INTO people VALUES (8, 'New', 1), (1, 'Twice', 2)", database), {
      code: 'INVALID_INPUT',
      message: /UNIQUE constraint failed: people\.id/,
    })
    await assert.rejects(execute('INSERT INTO order_items (person) VALUES (99)', database), /FOREIGN KEY constraint failed/)
    assert.match(await query('SELECT count(*) FROM people', { database }), /\| 3 \|/)
  })

  for (const sql of [
    "ATTACH 'x.db' AS x",
    "VACUUM INTO 'x.db'",
    'PRAGMA journal_mode = MEMORY',
    'BEGIN',
    "SELECT load_extension('x')",
  ])
    test(`refuses ${sql}`, async (t) => {
      await assert.rejects(execute(sql, databaseWith(t, people)), { code: 'PERMISSION_DENIED', message: /^Not allowed here/ })
    })
})

suite('mistakes', () => {
  test('suggests the table that was meant', async (t) => {
    const database = databaseWith(t, people)
    const meant = {
      code: 'NOT_FOUND',
      message: 'There is no table "poeple"',
      fix: 'Did you mean "people"? There are: adults, order_items, people',
    }
    await assert.rejects(query('SELECT * FROM poeple', { database }), meant)
    await assert.rejects(execute('DELETE FROM main.poeple', database), meant)
    await assert.rejects(callTool(sqlite, 'tables_describe', { table: 'poeple' }, { config: { database } }), meant)
    await assert.rejects(query('SELECT * FROM invoices', { database }), { fix: 'There are: adults, order_items, people' })
  })

  test('says what is wrong with the file and not where it is', async (t) => {
    const database = databaseWith(t, people)
    writeFileSync(database, 'no database at all, just text that is long enough to be read as a header. '.repeat(20))
    await assert.rejects(query('SELECT 1 FROM x', { database }), { code: 'UPSTREAM_FAILED', message: /file is not a database/ })
    await assert.rejects(
      query('SELECT 1', { database: `${database}.missing` }),
      (error: Error & { code?: string; fix?: string }) => {
        assert.equal(error.code, 'UPSTREAM_FAILED')
        assert.match(error.fix ?? '', /`database` setting/)
        assert.doesNotMatch(`${error.message} ${error.fix}`, /sqlite-test-/)
        return true
      },
    )
    assert.ok(!existsSync(`${database}.missing`))
  })

  test('takes no file from a caller', async () => {
    await assert.rejects(callTool(sqlite, 'query_run', { sql: 'SELECT 1', database: '/etc/passwd' }), { code: 'INVALID_INPUT' })
  })

  test('waits for the statement before, so that each has its own time', async (t) => {
    const database = databaseWith(t, people)
    await using client = await sqlite.createClient({
      config: { database, maxRows: 10, queryTimeoutMs: 60_000 },
      log: fakeLog(),
    } as never)
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        callTool(sqlite, 'query_run', { sql: 'SELECT ? AS n', parameters: [index] }, { client }),
      ),
    )
    assert.deepEqual(
      answers.map((answer) => /\| (\d+) \|$/.exec(answer)?.[1]),
      Array.from({ length: 20 }, (_, index) => String(index)),
    )
  })
})

test('a program that makes one call gets its answer and ends by itself', async () => {
  const program = `
    import { callTool } from '@mcp-patchbay/plugin-api/testing'
    import sqlite from ${JSON.stringify(new URL('../index.ts', import.meta.url).href)}
    process.stdout.write(await callTool(sqlite, 'query_run', { sql: 'SELECT 6 * 7 AS answer' }))`
  const options = ['--conditions=@mcp-patchbay/source', '--input-type=module', '--eval', program]
  const { stdout } = await promisify(execFile)(process.execPath, options, { cwd: import.meta.dirname })
  assert.match(stdout, /\| 42 \|$/)
})

test('the prompt asks the question that was given', async () => {
  assert.match(
    await getPrompt(sqlite, 'data_explore', { question: 'Which album sells best?' }),
    /\n\nWhich album sells best\?\n\n/,
  )
})

test('clients see what they saw before', (t) => t.assert.snapshot(toolSnapshot(sqlite), { serializers: [String] }))
