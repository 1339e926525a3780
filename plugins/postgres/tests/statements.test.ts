// Which statements are sent and how, and what a caller is told of an error of the server: tables with an answer for each input.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceError } from '@mcp-patchbay/plugin-api'
import { DatabaseError } from 'pg'
import { guardRead, guardWrite } from '../guard.ts'
import { isConnectionError, serviceError } from '../server-error.ts'

function outcome(guard: typeof guardRead, sql: string): string {
  try {
    const { isCursor, isQuery, text } = guard(sql)
    return isQuery === undefined ? (isCursor ? 'cursor' : 'at once') : text.startsWith('EXPLAIN ') ? 'explained' : 'unknown'
  } catch (error) {
    assert.ok(error instanceof ServiceError)
    return error.code
  }
}

/** By the first word: what a read makes of it, and what a change does. */
const FIRST_WORDS: readonly (readonly [string, read: string, write: string])[] = [
  ['SELECT', 'cursor', 'at once'],
  ['WITH', 'cursor', 'at once'],
  ['VALUES', 'cursor', 'PERMISSION_DENIED'],
  ['TABLE', 'cursor', 'PERMISSION_DENIED'],
  ...[
    'INSERT',
    'UPDATE',
    'DELETE',
    'MERGE',
    'CREATE',
    'ALTER',
    'DROP',
    'TRUNCATE',
    'COMMENT',
    'REFRESH',
    'REINDEX',
    'ANALYZE',
    'CALL',
  ].map((word) => [word, 'PERMISSION_DENIED', 'at once'] as const),
  ...[
    'COPY',
    'DO',
    'GRANT',
    'REVOKE',
    'LOAD',
    'SET',
    'RESET',
    'SHOW',
    'BEGIN',
    'START',
    'COMMIT',
    'END',
    'ROLLBACK',
    'ABORT',
    'SAVEPOINT',
    'PREPARE',
    'EXECUTE',
    'DEALLOCATE',
    'DECLARE',
    'FETCH',
    'MOVE',
    'CLOSE',
    'LISTEN',
    'UNLISTEN',
    'NOTIFY',
    'LOCK',
    'DISCARD',
    'VACUUM',
    'CLUSTER',
    'CHECKPOINT',
    'IMPORT',
    'SECURITY',
    'REASSIGN',
    'SELECTED',
    'SELECT_',
  ].map((word) => [word, 'PERMISSION_DENIED', 'PERMISSION_DENIED'] as const),
]

test('a statement is sent or refused by its first word, in any case and behind any comment', () => {
  for (const [word, read, write] of FIRST_WORDS)
    for (const before of ['', ' \n\t', '-- SELECT\n', '/* SELECT /* */ */', '--a\r\n--b\n/**/'])
      for (const spelled of [word, word.toLowerCase(), `${word.slice(0, 1)}${word.slice(1).toLowerCase()}`]) {
        const sql = `${before}${spelled} a`
        assert.deepEqual([outcome(guardRead, sql), outcome(guardWrite, sql)], [read, write], sql)
      }
})

test('a query in brackets is read, and is none to change with', () => {
  assert.deepEqual(guardRead('(SELECT 1) UNION (SELECT 2)'), {
    text: 'DECLARE mcp_patchbay NO SCROLL CURSOR FOR (SELECT 1) UNION (SELECT 2)',
    isCursor: true,
  })
  assert.equal(outcome(guardWrite, '(SELECT 1)'), 'PERMISSION_DENIED')
})

test('text without a statement is refused as invalid input', () => {
  for (const sql of [
    '',
    ' ',
    '-- select 1',
    '/* select 1',
    '/* /* */ select 1',
    ';',
    '1',
    '"select" 1',
    "'select'",
    '$1',
    '*/ select 1',
  ])
    for (const guard of [guardRead, guardWrite]) assert.equal(outcome(guard, sql), 'INVALID_INPUT', sql)
})

test('EXPLAIN takes a query and its options, and nothing that a comment may hide', () => {
  for (const [sql, expected] of [
    ['EXPLAIN SELECT 1', 'explained'],
    ['explain values (1)', 'explained'],
    ['EXPLAIN TABLE a', 'explained'],
    ['EXPLAIN WITH a AS (SELECT 1) SELECT * FROM a', 'explained'],
    ['EXPLAIN ANALYZE SELECT 1', 'explained'],
    ['EXPLAIN ANALYSE VERBOSE SELECT 1', 'explained'],
    ["EXPLAIN (ANALYZE, FORMAT 'json', BUFFERS off) SELECT 1", 'explained'],
    ['EXPLAIN', 'PERMISSION_DENIED'],
    ['EXPLAIN (SELECT 1)', 'PERMISSION_DENIED'],
    ['EXPLAIN EXPLAIN SELECT 1', 'PERMISSION_DENIED'],
    ['EXPLAIN /* */ SELECT 1', 'PERMISSION_DENIED'],
    ['EXPLAIN -- x\n SELECT 1', 'PERMISSION_DENIED'],
    ['EXPLAIN EXECUTE a', 'PERMISSION_DENIED'],
    ['EXPLAIN DELETE FROM a', 'PERMISSION_DENIED'],
    ['EXPLAIN INSERT INTO a VALUES (1)', 'PERMISSION_DENIED'],
    ['EXPLAIN CREATE TABLE a AS SELECT 1', 'PERMISSION_DENIED'],
    ['EXPLAIN DECLARE a CURSOR FOR SELECT 1', 'PERMISSION_DENIED'],
    ['EXPLAIN REFRESH MATERIALIZED VIEW a', 'PERMISSION_DENIED'],
  ] as const)
    assert.equal(outcome(guardRead, sql), expected, sql)
  assert.equal(outcome(guardWrite, 'EXPLAIN SELECT 1'), 'PERMISSION_DENIED')
  assert.equal(
    guardRead('EXPLAIN (ANALYZE) VERBOSE SELECT 1').isQuery,
    'DECLARE mcp_patchbay NO SCROLL CURSOR FOR SELECT 1',
    'without the options, which DECLARE does not take',
  )
})

/** Whatever no transaction undoes, no time limit ends, or that runs SQL from a text. */
const OUTSIDE: readonly string[] = [
  'pg_cancel_backend',
  'pg_terminate_backend',
  'pg_reload_conf',
  'pg_promote',
  'pg_rotate_logfile',
  'pg_rotate_logfile_old',
  'pg_switch_wal',
  'pg_switch_xlog',
  'pg_create_restore_point',
  'pg_log_backend_memory_contexts',
  'pg_start_backup',
  'pg_stop_backup',
  'pg_backup_start',
  'pg_backup_stop',
  'pg_wal_replay_pause',
  'pg_wal_replay_resume',
  'pg_stat_reset',
  'pg_stat_reset_shared',
  'pg_stat_statements_reset',
  'pg_stat_force_next_flush',
  'pg_prewarm',
  'pg_advisory_lock',
  'pg_advisory_unlock_all',
  'pg_try_advisory_lock',
  'set_config',
  'pg_notify',
  'pg_read_file',
  'pg_read_binary_file',
  'pg_stat_file',
  'pg_ls_dir',
  'pg_ls_waldir',
  'pg_file_write',
  'pg_logdir_ls',
  'pg_current_logfile',
  'lo_import',
  'lo_export',
  'dblink',
  'dblink_exec',
  'pg_logical_slot_get_changes',
  'pg_replication_origin_create',
  'pg_drop_replication_slot',
  'pg_create_physical_replication_slot',
  'pg_create_logical_replication_slot',
  'pg_copy_logical_replication_slot',
  'query_to_xml',
  'cursor_to_xml',
  'table_to_xmlschema',
  'schema_to_xml_and_xmlschema',
  'database_to_xml',
  'ts_stat',
  'ts_rewrite',
  'crosstab',
  'crosstab4',
  'connectby',
]

test('a function whose effects outlive a statement is refused wherever its whole name is', () => {
  for (const name of OUTSIDE)
    for (const guard of [guardRead, guardWrite]) {
      for (const sql of [
        `SELECT ${name}(1)`,
        `SELECT ${name.toUpperCase()}(1)`,
        `SELECT pg_catalog."${name}"(1)`,
        `SELECT 1 -- ${name}`,
        `WITH a AS (SELECT '${name}') SELECT 1`,
      ])
        assert.throws(() => guard(sql), { code: 'PERMISSION_DENIED', message: `Not allowed here: ${name}` }, sql)
      for (const part of [`x${name}`, `1${name}`, `_${name}`, `$${name}`])
        assert.doesNotThrow(() => guard(`SELECT ${part}(1)`), part)
    }
  for (const name of ['set_config2', 'pg_notify_', 'lo_import$', 'set_configs'])
    assert.doesNotThrow(() => guardRead(`SELECT ${name}(1)`), name)
})

function server(code: string, more: Partial<DatabaseError> = {}): DatabaseError {
  return Object.assign(new DatabaseError('it failed', 9, 'error'), { code, ...more })
}

test('an error of the server is told by its code, and one of the connection says nothing of it', () => {
  const table: readonly (readonly [unknown, code: string, message: string, isConnection: boolean])[] = [
    [server('42P01'), 'INVALID_INPUT', 'it failed', false],
    [server('42703', { detail: 'Of a column.' }), 'INVALID_INPUT', 'it failed. Of a column.', false],
    [server('22P02'), 'INVALID_INPUT', 'it failed', false],
    [server('23505'), 'INVALID_INPUT', 'it failed', false],
    [server('08P01'), 'INVALID_INPUT', 'it failed', false],
    [server('25006'), 'PERMISSION_DENIED', 'Not allowed here: it failed', false],
    [server('42501'), 'PERMISSION_DENIED', 'The role of the database may not do this: it failed', false],
    [
      server('42601', { message: 'cannot insert multiple commands' }),
      'INVALID_INPUT',
      'Only one statement can be run at a time',
      false,
    ],
    [server('42601'), 'INVALID_INPUT', 'it failed', false],
    ...['40001', '53100', '54000', '55P03', '57000', '58030', 'F0000', 'XX000'].map(
      (code) => [server(code), 'UPSTREAM_FAILED', 'The database failed: it failed', false] as const,
    ),
    ...[server('08006'), server('57P01'), server('57P03'), new Error('read ECONNRESET'), undefined, 'text'].map(
      (error) => [error, 'UPSTREAM_FAILED', 'The connection to the database was lost, and nothing was changed', true] as const,
    ),
  ]
  for (const access of ['read', 'write'] as const)
    for (const [error, code, message, isConnection] of table) {
      const told = serviceError(error, access)
      assert.ok(told instanceof ServiceError)
      assert.deepEqual([told.code, told.message, isConnectionError(error)], [code, message, isConnection])
    }
  const own = new ServiceError('TIMEOUT', 'x')
  assert.equal(serviceError(own, 'read'), own)
  assert.equal(isConnectionError(own), false)
})

test('the fix is the server’s hint, else that of the code, else that of its class', () => {
  const fix = (error: DatabaseError, access: 'read' | 'write' = 'read') => (serviceError(error, access) as ServiceError).fix ?? ''
  assert.equal(fix(server('42703', { hint: 'Perhaps you meant a.id' })), 'Perhaps you meant a.id')
  assert.match(fix(server('23505')), /tables_describe/)
  assert.match(fix(server('42P99')), /this is PostgreSQL, not another dialect/)
  assert.match(fix(server('25006')), /use statement_execute/)
  assert.match(fix(server('25006'), 'write'), /only reads/)
  assert.match(fix(server('42501')), /GRANT/)
})
