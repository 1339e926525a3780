import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { callTool, checkPlugin, getPrompt, toolSnapshot } from '@mcp-patchbay/plugin-api/testing'
import { connectionOptions, readAddress } from '../address.ts'
import { cell } from '../cells.ts'
import { guardRead, guardWrite } from '../guard.ts'
import postgres from '../index.ts'
import { connectError } from '../server-error.ts'

checkPlugin(postgres)

test('clients see what they saw before', (t) => {
  t.assert.snapshot(toolSnapshot(postgres))
})

test('asks for a database in words', async () => {
  assert.match(await getPrompt(postgres, 'data_explore', { question: 'How many?' }, { client: {} }), /How many\?/)
})

suite('the connection string', () => {
  const ADDRESSES: readonly (readonly [string, object])[] = [
    [
      'postgres://ada:pw@db.example.com/shop',
      { host: 'db.example.com', port: 5432, user: 'ada', password: 'pw', database: 'shop', tls: true },
    ],
    ['postgresql://ada@db.example.com:6543', { port: 6543, password: '', database: 'ada' }],
    ['postgres://a%40b:p%2Fw%25@db.example.com/my%20shop', { user: 'a@b', password: 'p/w%', database: 'my shop' }],
    ['postgres://ada@localhost/shop', { tls: false }],
    ['postgres://ada@127.0.0.1/shop', { tls: false }],
    ['postgres://ada@[::1]:5433/shop', { host: '::1', port: 5433, tls: false }],
    ['postgres://ada@127.0.0.1/shop?sslmode=require', { tls: true }],
    ['postgres://ada@localhost.example.com/shop', { tls: true }],
    ['postgres://ada@10.0.0.7/shop?sslmode=disable', { tls: false }],
    ['postgres://ada@10.0.0.7/shop?sslmode=verify-ca&channel_binding=disable', { tls: true, channelBinding: false }],
    ['postgres:///shop?host=/run/postgresql&user=ada', { host: '/run/postgresql', user: 'ada', tls: false }],
    ['postgres://ada@/shop?host=/run/postgresql&port=6543', { host: '/run/postgresql', port: 6543 }],
    ['postgres://ada@%2Frun%2Fpostgresql/shop', { host: '/run/postgresql', database: 'shop' }],
  ]
  for (const [text, expected] of ADDRESSES)
    test(`is read: ${text}`, () => {
      const address = readAddress(text)
      assert.deepEqual({ ...address, ...expected }, address)
    })

  const UNUSABLE: readonly (readonly [string, RegExp])[] = [
    ['', /does not begin with postgres:/],
    ['mysql://canary:canary@h/d', /does not begin with postgres:/],
    ['postgres://canary:can#ary@h/d', /canary|is not a URL|names no user/],
    ['postgres://u:can%ary@h/d', /has a % that begins no escape/],
    ['postgres://u:canary@h:99999/d', /is not a URL/],
    ['postgres://u:canary@h1,h2/d', /names several hosts/],
    ['postgres://h/d', /names no user/],
    ['postgres://u:canary@h/d?sslmode=prefer', /has an sslmode under which/],
    ['postgres://u:canary@h/d?sslmode=no-verify', /has an sslmode under which/],
    ['postgres://u:canary@h/d?sslrootcert=/etc/canary', /has the parameter "sslrootcert"/],
    ['postgres://u:canary@h/d?options=-c%20canary', /has the parameter "options"/],
    ['postgres://u:canary@h/d?port=canary', /has a port that is not one/],
    ['postgres://u:12?canary@h/d', /has a parameter that is not known/],
    ['postgres://u:12?canary&x=@h/d', /has a parameter that is not known/],
    ['postgres://u:1/?ssl_canary@h/d', /has a parameter that is not known/],
  ]
  for (const [text, message] of UNUSABLE)
    test(`is refused and not quoted: ${text}`, async () => {
      const error = await callTool(postgres, 'tables_list', {}, { config: { connectionString: text } }).then(
        () => assert.fail('was taken'),
        (reason: Error & { fix?: string }) => reason,
      )
      assert.match(error.message, message)
      assert.doesNotMatch(`${error.message} ${error.fix} ${String(error.cause)}`, /can.?ary/)
    })

  test('leaves nothing to be read from the environment, and checks certificates', () => {
    const options = connectionOptions(readAddress('postgres://ada@db.example.com/shop'), undefined)
    assert.deepEqual(options.ssl, { rejectUnauthorized: true, minVersion: 'TLSv1.2', servername: 'db.example.com' })
    assert.equal(typeof options.password, 'function')
    assert.throws(() => connectionOptions(readAddress('postgres://ada@h/d'), '/no/such/ca.pem'), {
      code: 'UPSTREAM_FAILED',
      message: 'The certificate file of the database cannot be read (ENOENT)',
    })
  })
})

suite('a statement', () => {
  test('that reads is a cursor, whatever comes before its first word', () => {
    for (const sql of ['select 1', '\n-- x\n/* a /* b */ c */ select 1'])
      assert.deepEqual(guardRead(sql), { text: 'DECLARE mcp_patchbay NO SCROLL CURSOR FOR SELECT  1', isCursor: true })
    assert.deepEqual(guardRead('explain (analyze) select 1'), {
      text: 'EXPLAIN  (analyze) select 1',
      isCursor: false,
      isQuery: 'DECLARE mcp_patchbay NO SCROLL CURSOR FOR select 1',
    })
    assert.deepEqual(guardWrite('/* x */ insert into a values (1)').text, 'INSERT  into a values (1)')
  })

  test('is refused where its first word is another', () => {
    for (const sql of ['COMMIT', 'DO $$ $$', 'COPY a TO PROGRAM $$id$$', '/* /* */ SELECT 1 */ COMMIT'])
      for (const guard of [guardRead, guardWrite]) assert.throws(() => guard(sql), { code: 'PERMISSION_DENIED' }, sql)
    for (const sql of [
      'DELETE FROM a',
      'EXPLAIN ANALYZE CREATE TABLE a AS SELECT 1',
      'EXPLAIN (ANALYZE) DELETE FROM a',
      'EXPLAIN (/*)SELECT*/ ANALYZE) CREATE TABLE a AS SELECT 1',
    ])
      assert.throws(() => guardRead(sql), { code: 'PERMISSION_DENIED', message: /^Not allowed here: / }, sql)
  })

  test('is refused for a function whose effects outlive it, however it is written', () => {
    for (const name of [
      'pg_terminate_backend',
      'PG_Cancel_Backend',
      '"set_config"',
      'pg_advisory_lock',
      'pg_try_advisory_xact_lock',
      'dblink_exec',
      'lo_export',
      'pg_read_binary_file',
      'pg_catalog.pg_ls_dir',
      'query_to_xml',
      'pg_logical_emit_message',
      'pg_stat_reset',
      'pg_notify',
    ])
      for (const guard of [guardRead, guardWrite])
        assert.throws(
          () => guard(`SELECT ${name}/**/ ('x')`),
          { code: 'PERMISSION_DENIED', message: /^Not allowed here: / },
          name,
        )
    for (const sql of ['SELECT U&"pg\\005fnotify"(1)', "SELECT u&'x'"])
      assert.throws(() => guardRead(sql), { code: 'PERMISSION_DENIED' })
  })

  test('is not refused for a word that only looks like one', () => {
    for (const sql of [
      'SELECT my_set_config FROM a',
      'SELECT dblink$ FROM xdblink',
      'SELECT pg_size_pretty(1)',
      "SELECT 'menu&more'",
    ])
      assert.doesNotThrow(() => guardRead(sql), sql)
  })
})

test('shows values by their type', () => {
  assert.equal(cell('\\x00ff', 17), '[2 bytes]')
  assert.equal(cell(`\\x${'00'.repeat(100_000)}`, 17), '[100000 bytes]')
  assert.equal(cell('9007199254740993', 20), '9007199254740993')
  assert.equal(cell('Infinity', 701), 'Infinity')
  assert.deepEqual(cell('{t,NULL}', 1000), [true, null])
  assert.equal(cell('{"a":1e999}', 114), '{"a":1e999}')
  assert.deepEqual(cell('{"a":1.5e3,"b":0.1}', 114), { a: 1500, b: 0.1 })
})

test('says of a connection what is wrong and not where it goes', () => {
  const ERRORS: readonly (readonly [object, string, string])[] = [
    [{ code: 'ECONNREFUSED', message: 'connect ECONNREFUSED 10.9.8.7:5432' }, 'UPSTREAM_FAILED', 'ECONNREFUSED'],
    [
      { code: '28P01', message: 'password authentication failed for user "canary"' },
      'AUTHENTICATION_FAILED',
      'the server refused the user or the password',
    ],
    [
      { message: 'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a non-empty string' },
      'AUTHENTICATION_FAILED',
      'the server refused the user or the password',
    ],
    [{ code: '3D000', message: 'database "canary" does not exist' }, 'UPSTREAM_FAILED', 'the server has no such database'],
    [
      { code: 'ERR_ACCESS_DENIED', message: '' },
      'UPSTREAM_FAILED',
      'the plugin runs in a process of its own, which opens no sockets',
    ],
    [{ message: 'The server does not support SSL connections' }, 'UPSTREAM_FAILED', 'the server does not speak TLS'],
    [
      { code: 'SELF_SIGNED_CERT_IN_CHAIN', message: '' },
      'UPSTREAM_FAILED',
      'its certificate is not accepted (SELF_SIGNED_CERT_IN_CHAIN)',
    ],
    [{ message: 'Connection terminated unexpectedly' }, 'UPSTREAM_FAILED', 'the connection ended'],
  ]
  for (const [thrown, code, problem] of ERRORS) {
    const error = connectError(thrown)
    assert.deepEqual([error.code, error.message], [code, `The database cannot be reached: ${problem}`])
    assert.doesNotMatch(`${error.message} ${error.fix}`, /canary|10\.9/)
  }
})
