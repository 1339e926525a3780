import assert from 'node:assert/strict'
import { test } from 'node:test'
import { databaseWith, people } from './databases.ts'

test('tells how many rows changed, and the rows it returns', async (t) => {
  const { execute } = databaseWith(t, people)
  assert.equal(await execute('UPDATE people SET age = age + ? WHERE age IS NOT NULL', [1]), '2 rows changed.')
  assert.equal(
    await execute('INSERT INTO people (name) VALUES (?) RETURNING id, name', ['Hedy']),
    '1 row changed.\n\n1 row\n\n| id | name |\n| --- | --- |\n| 4 | Hedy |',
  )
  for (const sql of [
    'ALTER TABLE people RENAME COLUMN age TO years',
    'DROP VIEW adults',
    'ALTER TABLE people DROP COLUMN years',
    'CREATE TABLE x (a)',
  ])
    assert.equal(await execute(sql), '0 rows changed.')
})

test('commits every row though it shows only some of them', async (t) => {
  const { query, execute } = databaseWith(t, people, { maxRows: 5 })
  const sql =
    'WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 59) INSERT INTO people SELECT i, i, i FROM n RETURNING id'
  const answer = await execute(sql)
  assert.match(answer, /^50 rows changed\.\n\n5 rows\n/)
  assert.match(await query('SELECT count(*) FROM people'), /\| 53 \|/)
})

test('leaves nothing behind when it fails', async (t) => {
  const { query, execute } = databaseWith(t, people)
  await assert.rejects(execute("INSERT INTO people VALUES (8, 'New', 1), (1, 'Twice', 2)"), {
    code: 'INVALID_INPUT',
    message: /UNIQUE constraint failed: people\.id/,
  })
  await assert.rejects(execute('INSERT INTO order_items (person) VALUES (99)'), /FOREIGN KEY constraint failed/)
  assert.match(await query('SELECT count(*) FROM people'), /\| 3 \|/)
})

test('refuses what reaches beyond the tables', async (t) => {
  const { execute } = databaseWith(t, people)
  for (const sql of [
    "ATTACH 'x.db' AS x",
    "VACUUM INTO 'x.db'",
    'PRAGMA journal_mode = MEMORY',
    'BEGIN',
    "SELECT load_extension('x')",
  ])
    await assert.rejects(execute(sql), { code: 'PERMISSION_DENIED', message: /^Not allowed here/ }, sql)
})
