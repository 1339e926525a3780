import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { databaseAt, startPostgres, withoutPostgres, type TestDatabase, type TestPostgres } from '../fixtures/postgres.ts'

suite('what a PostgreSQL answers', { skip: withoutPostgres }, () => {
  const opened = new AsyncDisposableStack()
  const t = { after: (release: () => Promise<void>) => opened.defer(release) }
  let server: TestPostgres
  let reader: TestDatabase
  let writer: TestDatabase
  before(async () => {
    server = await startPostgres(t)
    reader = databaseAt(t, server.url('reader'))
    writer = databaseAt(t, server.url('writer'))
  })
  after(() => opened.disposeAsync())

  test('lists the tables that the role may read, with names as a statement writes them', async () => {
    assert.equal(
      await reader.call('tables_list'),
      [
        '4 tables',
        '',
        '| table | kind | columns |',
        '| --- | --- | --- |',
        '| adults | view | id, name, age |',
        '| order_items | table | id, person, what |',
        '| people | table | id, name, age |',
        '| stock."Boxes" | table | id |',
      ].join('\n'),
    )
    assert.match(await reader.call('tables_list', { schema: 'stock' }), /^1 tables\n\n[^]*\n\| stock\."Boxes" \| table \| id \|$/)
  })

  test('describes columns, keys, references, comments and indexes', async () => {
    const items = await reader.call('tables_describe', { table: 'order_items' })
    assert.match(items, /\| id \| integer \| yes \| {2}\| primary \| {2}\| {2}\|/)
    assert.match(items, /\| person \| integer \| {2}\| {2}\| {2}\| people\.id \| {2}\|/)
    assert.match(items, /\| items_once \| btree \(person, what\) \| yes \|/)
    assert.match(await reader.call('tables_describe', { table: 'public.people' }), /\| age \| integer \|.*\| in years \|/)
    for (const table of ['stock."Boxes"', 'stock.Boxes', 'Boxes'])
      assert.match(await reader.call('tables_describe', { table }), /\| id \| integer \|/)
  })

  test('suggests the tables there are, and names none that may not be read', async () => {
    const none = { code: 'NOT_FOUND', fix: 'There are: adults, order_items, people, stock."Boxes"' }
    await assert.rejects(reader.query('SELECT * FROM poeple'), {
      ...none,
      message: 'There is no table "poeple" that may be read',
    })
    await assert.rejects(reader.call('tables_describe', { table: 'hidden' }), none)
    await assert.rejects(reader.query('SELECT secret FROM hidden'), { code: 'PERMISSION_DENIED' })
    await assert.rejects(reader.query('SELECT nme FROM people'), { code: 'INVALID_INPUT', fix: /"people\.name"/ })
    await assert.rejects(reader.query('SELEKT 1'), { code: 'PERMISSION_DENIED' })
    await assert.rejects(reader.query('SELECT FROM WHERE'), { code: 'INVALID_INPUT', message: /syntax error/ })
  })

  const TYPES: readonly (readonly [string, unknown])[] = [
    ['123456789012345678901234567890.10::numeric', '123456789012345678901234567890.10'],
    ['9007199254740991::bigint', 9007199254740991],
    ['9007199254740993::bigint', '9007199254740993'],
    ["'NaN'::float8", 'NaN'],
    ['0.1::float8', 0.1],
    ["'\\x0001ff'::bytea", '[3 bytes]'],
    ['\'{"a": [1, null, "x"]}\'::jsonb', { a: [1, null, 'x'] }],
    ['\'{"big": 12345678901234567890}\'::jsonb', '{"big": 12345678901234567890}'],
    ["timestamptz '2026-02-03 04:05:06.123456+00' AT TIME ZONE 'UTC'", '2026-02-03 04:05:06.123456'],
    ["date '2026-02-03'", '2026-02-03'],
    ["interval '1 day 2 hours'", '1 day 02:00:00'],
    [
      'ARRAY[[1, 2], [3, NULL]]',
      [
        [1, 2],
        [3, null],
      ],
    ],
    ["ARRAY['a,b', '\"', NULL]", ['a,b', '"', null]],
    ['ARRAY[\'{"a": 1}\'::jsonb]', [{ a: 1 }]],
    ["ARRAY[timestamp '2026-02-03']", ['2026-02-03 00:00:00']],
    ["uuid 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
    ['true', true],
    ['NULL::int', null],
    ["''", ''],
    ['point(1, 2)', '(1,2)'],
  ]
  for (const [expression, value] of TYPES)
    test(`gives ${expression} as ${JSON.stringify(value)}`, async () => {
      assert.deepEqual((await reader.query(`SELECT ${expression} AS it`)).rows, [[value]])
    })

  test('takes parameters, and says how many are missing', async () => {
    const sql = 'SELECT name FROM people WHERE age > $1 AND name <> $2 AND $3 IS NULL ORDER BY id'
    const { text } = await reader.query(sql.replace('$3', '$3::text'), {
      parameters: [30, "Grace'; DROP TABLE people; --", null],
    })
    assert.equal(text, '2 rows\n\n| name |\n| --- |\n| Ada |\n| Grace |')
    await assert.rejects(reader.query('SELECT $1::int + $2::int', { parameters: [1] }), {
      code: 'INVALID_INPUT',
      fix: /Number the parameters/,
    })
    await assert.rejects(reader.query('SELECT $1::int', { parameters: ['x'] }), { code: 'INVALID_INPUT' })
  })

  test('reads every form of a query', async () => {
    for (const sql of [
      'TABLE people',
      'VALUES (1), (2)',
      'WITH a AS (SELECT 1 AS x) SELECT * FROM a',
      '(SELECT 1) UNION (SELECT 2);',
      ' -- a comment\n/* and /* another */ */ select 1 -- the end',
      'EXPLAIN SELECT * FROM people',
      'EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM people',
    ])
      assert.notEqual((await reader.query(sql)).rows.length, 0, sql)
    assert.equal((await reader.query('SELECT 1 WHERE false')).text, 'No rows found.')
    assert.deepEqual((await reader.query('SELECT 1 AS a, 2 AS a')).value['columns'], ['a', 'a'])
  })

  test('stops at the limit and says so', async () => {
    for (const [count, limit, shown] of [
      [20, 20, 20],
      [21, 20, 20],
      [19, 20, 19],
      [5_000, 1_000, 1_000],
      [5_000, 10_000, 1_000],
      [3, 1, 1],
    ] as const) {
      const { rows, value } = await reader.query(`SELECT generate_series(1, ${count})`, { limit })
      assert.deepEqual([rows.length, value['truncated']], [shown, count > shown])
      assert.deepEqual(rows.at(-1), [shown])
    }
    assert.match((await reader.query('SELECT generate_series(1, 9)', { limit: 2 })).text, /There are more rows/)
  })

  test('stops at what a model can read, and at what a host should hold', async () => {
    const { rows, value } = await reader.query("SELECT repeat('x', 3000) FROM generate_series(1, 100000)", { limit: 1_000 })
    assert.equal(value['truncated'], true)
    assert.ok(rows.length > 80 && rows.length < 90, `${rows.length} rows`)
    const [[long] = []] = (await reader.query("SELECT repeat('é', 1000000)")).rows
    assert.match(String(long), /^é{32768}… \[1000000 characters\]$/)
    await assert.rejects(reader.query("SELECT repeat('x', 300000000)"), { code: 'INVALID_INPUT', message: /more than 16 MB/ })
    assert.deepEqual((await reader.query('SELECT 1')).rows, [[1]])
  })

  test('tells how many rows changed, and the rows it returns', async () => {
    const { text, value } = await writer.execute(
      "INSERT INTO people VALUES ($1, 'Hedy', 50), (5, 'Mary', 60) RETURNING id, name",
      [4],
    )
    assert.equal(text, '2 rows changed.\n\n2 rows\n\n| id | name |\n| --- | --- |\n| 4 | Hedy |\n| 5 | Mary |')
    assert.equal(value['changed'], 2)
    assert.equal((await writer.execute('DELETE FROM people WHERE id > 3')).text, '2 rows changed.')
    for (const sql of ['CREATE TABLE x (a int)', 'ALTER TABLE x ADD b text', 'DROP TABLE x'])
      assert.equal((await writer.execute(sql)).text, '0 rows changed.')
  })

  test('commits every row though it shows only some of them', async () => {
    await writer.execute('CREATE TABLE many (i int)')
    const { text } = await writer.execute('INSERT INTO many SELECT generate_series(1, 3000) RETURNING i')
    assert.match(text, /^3000 rows changed\.\n\n1000 rows\n/)
    assert.deepEqual((await writer.query('SELECT count(*) FROM many')).rows, [[3000]])
    await writer.execute('DROP TABLE many')
  })

  test('leaves nothing behind when it fails', async () => {
    await assert.rejects(writer.execute("INSERT INTO people VALUES (8, 'New', 1), (1, 'Twice', 2)"), {
      code: 'INVALID_INPUT',
      message: /people_pkey.*Key \(id\)=\(1\) already exists/s,
    })
    await assert.rejects(writer.execute('INSERT INTO order_items (person) VALUES (99)'), { message: /foreign key/ })
    await assert.rejects(reader.execute('DELETE FROM people'), { code: 'PERMISSION_DENIED' })
    assert.deepEqual((await reader.query('SELECT count(*) FROM people')).rows, [[3]])
  })
})
