import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { suite, test } from 'node:test'
import { promisify } from 'node:util'
import { callTool, checkPlugin, fakeLog, getPrompt, toolSnapshot } from '@mcp-patchbay/plugin-api/testing'
import sqlite from '../index.ts'
import { databaseWith, people } from './databases.ts'

checkPlugin(sqlite)

const query = (sql: string, config: Readonly<Record<string, unknown>> = {}) =>
  callTool(sqlite, 'query_run', { sql }, { config: { queryTimeoutMs: 60_000, ...config } })

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

suite('mistakes', () => {
  test('suggests the table that was meant', async (t) => {
    const { call, query: ask, execute } = databaseWith(t, people)
    const meant = {
      code: 'NOT_FOUND',
      message: 'There is no table "poeple"',
      fix: 'Did you mean "people"? There are: adults, order_items, people',
    }
    await assert.rejects(ask('SELECT * FROM poeple'), meant)
    await assert.rejects(execute('DELETE FROM main.poeple'), meant)
    await assert.rejects(call('tables_describe', { table: 'poeple' }), meant)
    await assert.rejects(ask('SELECT * FROM invoices'), { fix: 'There are: adults, order_items, people' })
  })

  test('says what is wrong with the file and not where it is', async (t) => {
    const { file: database } = databaseWith(t, people)
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
    const { client } = databaseWith(t, people)
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
