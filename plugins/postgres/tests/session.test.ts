// One transaction on one connection: what is sent and in which order, when it is cut, and in what state the connection goes back. The
// server is played: what a real one makes of it is in tests/postgres/.
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { suite, test, type TestContext } from 'node:test'
import { ServiceError } from '@mcp-patchbay/plugin-api'
import { DatabaseError, type PoolClient } from 'pg'
import { guardRead, guardWrite } from '../guard.ts'
import { Session, timedOut, watchConnection } from '../session.ts'

type Answer = {
  readonly rows?: readonly (readonly (string | null)[])[]
  readonly command?: string
  readonly rowCount?: number | null
}
type Server = (text: string) => Answer | Promise<Answer>

/** What nothing here looks at. */
const FIELD = { tableID: 0, columnID: 0, dataTypeSize: 4, dataTypeModifier: -1, format: 'text' }

const backend = { pid: 7, since: '2026-11-01' }

/** A session on a connection whose server answers as `answer` says, and all that happens to the connection. */
function sessionOn(
  t: TestContext,
  answer: Server,
  { access = 'read', timeoutMs = 10_000 }: { readonly access?: 'read' | 'write'; readonly timeoutMs?: number } = {},
) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const sent: string[] = []
  const released: (boolean | Error | undefined)[] = []
  const cancelled: unknown[] = []
  const stop = new AbortController()
  let status: 'I' | 'T' = 'I'
  const stream = Object.assign(new EventEmitter(), { isDestroyed: false, destroy: () => void (stream.isDestroyed = true) })
  async function query(asked: string | { readonly text: string; readonly rowMode?: string; readonly queryMode?: string }) {
    const text = typeof asked === 'string' ? asked : asked.text
    sent.push(text)
    if (typeof asked !== 'string') assert.deepEqual([asked.rowMode, asked.queryMode], ['array', 'extended'])
    const { rows = [], command = 'SELECT', rowCount = null } = await answer(text)
    if (text.startsWith('BEGIN')) status = 'T'
    if (text === 'COMMIT' || text === 'ROLLBACK') status = 'I'
    return {
      rows: rows.map((row) => [...row]),
      command,
      rowCount,
      oid: 0,
      fields: (rows[0] ?? ['']).map((_, index) => ({ name: `c${index}`, dataTypeID: 23, ...FIELD })),
    }
  }
  const played = {
    query,
    getTransactionStatus: () => status,
    release: (broken?: boolean | Error) => void released.push(broken),
    connection: { stream } as object as PoolClient['connection'],
  }
  const client = played as Partial<PoolClient> as PoolClient
  const connection = watchConnection(client, backend)
  const cancel = (of: unknown) => void cancelled.push(of)
  const begin = () => new Session(client, connection, { access, timeoutMs, signal: stop.signal, cancel })
  return { session: begin(), begin, sent, released, cancelled, stop, stream, connection }
}

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, index) => [String(from + index)])
/** A server whose query has so many rows, and gives as many at once as it is asked for. */
function tableOf(count: number, width = 0): Server {
  let given = 0
  return (text) => {
    const size = Number(/^FETCH FORWARD (\d+) FROM mcp_patchbay$/.exec(text)?.[1] ?? 0)
    const rows = numbers(Math.min(size, count - given), given).map(([number = '']) =>
      width ? [number, 'x'.repeat(width)] : [number],
    )
    given += rows.length
    return { rows }
  }
}

const rejected = (work: Promise<unknown>) =>
  work.then(
    () => assert.fail('it was let through'),
    (error: unknown) => error,
  )

test('a transaction begins with its access, its limits and the forms of values, and a query that gives it its snapshot', async (t) => {
  for (const [access, first] of [
    ['read', 'BEGIN TRANSACTION READ ONLY'],
    ['write', 'BEGIN'],
  ] as const) {
    const { session, sent, connection } = sessionOn(t, () => ({}), { access, timeoutMs: 5_000 })
    assert.equal(connection.used, false)
    await session.begin()
    assert.equal(connection.used, true)
    assert.deepEqual(sent[0]?.split('; '), [
      first,
      'SET LOCAL statement_timeout = 5000',
      'SET LOCAL idle_in_transaction_session_timeout = 15000',
      'SET LOCAL standard_conforming_strings = on',
      "SET LOCAL DateStyle = 'ISO, YMD'",
      "SET LOCAL IntervalStyle = 'postgres'",
      "SET LOCAL bytea_output = 'hex'",
      'SET LOCAL extra_float_digits = 1',
      'SELECT 1',
    ])
    await session.end()
    t.mock.timers.reset()
  }
})

test('a connection that did not begin is not one that was used', async (t) => {
  const { session, connection } = sessionOn(t, () => Promise.reject(new Error('gone')))
  await assert.rejects(session.begin(), /gone/)
  assert.equal(connection.used, false)
  await session.end()
})

suite('rows of a cursor', () => {
  for (const [count, maxRows, shown, truncated, fetches] of [
    [0, 10, 0, false, [11]],
    [9, 10, 9, false, [11]],
    [10, 10, 10, false, [11]],
    [11, 10, 10, true, [11]],
    [19, 1_000, 19, false, [20]],
    [20, 1_000, 20, false, [20, 981]],
    [500, 1_000, 500, false, [20, 981]],
    [5_000, 2_000, 2_000, true, [20, 1_000, 981]],
    [1, 1, 1, false, [2]],
    [2, 1, 1, true, [2]],
  ] as const)
    test(`${count} of which ${maxRows} may be shown`, async (t) => {
      const { session, sent } = sessionOn(t, tableOf(count))
      const rows = await session.read(guardRead('SELECT 1'), [], maxRows)
      assert.deepEqual(
        [rows.rows.length, rows.truncated, rows.changes, rows.columns],
        [shown, truncated, 0, [{ name: 'c0', type: 23 }]],
      )
      assert.deepEqual(
        rows.rows,
        Array.from({ length: shown }, (_, index) => [index]),
      )
      assert.deepEqual(sent, [
        'DECLARE mcp_patchbay NO SCROLL CURSOR FOR SELECT  1',
        ...fetches.map((size) => `FETCH FORWARD ${size} FROM mcp_patchbay`),
      ])
      await session.end()
    })

  test('are collected up to a size, and fewer of wide ones are asked for', async (t) => {
    const { session, sent } = sessionOn(t, tableOf(10_000, 10_000))
    const { rows, truncated } = await session.read(guardRead('SELECT 1'), [], 1_000)
    assert.equal(truncated, true)
    // A row is 10,005 bytes of JSON or one more: 26 of them fit into 262,144 bytes.
    assert.equal(rows.length, 26)
    assert.deepEqual(sent.slice(1), ['FETCH FORWARD 20 FROM mcp_patchbay', 'FETCH FORWARD 8 FROM mcp_patchbay'])
    await session.end()
  })

  test('are one at least, however wide', async (t) => {
    const { session } = sessionOn(t, () => ({ rows: numbers(2).map(([one = '']) => Array<string>(100_000).fill(one)) }))
    const { rows, truncated } = await session.read(guardRead('SELECT 1'), [], 1_000)
    assert.deepEqual([rows.length, truncated], [1, true])
    await session.end()
  })
})

test('what is explained is first declared as a query, and runs only when that is one', async (t) => {
  const isQuery = 'DECLARE mcp_patchbay NO SCROLL CURSOR FOR select 1'
  const { session, sent } = sessionOn(t, (text) =>
    text === isQuery ? {} : { rows: numbers(3), command: 'EXPLAIN', rowCount: 3 },
  )
  const { rows, changes } = await session.read(guardRead('explain select 1'), [], 2)
  assert.deepEqual(sent, [isQuery, 'EXPLAIN  select 1'])
  assert.deepEqual([rows, changes], [[[0], [1]], 0])
  await session.end()
  t.mock.timers.reset()
  const other = sessionOn(t, (text) => (text === isQuery ? Promise.reject(new Error('no query')) : {}))
  await assert.rejects(other.session.read(guardRead('explain select 1'), [], 2), /no query/)
  assert.deepEqual(other.sent, [isQuery])
  await other.session.end()
})

test('a change is committed, and its rows counted whole though fewer are shown', async (t) => {
  for (const [command, rowCount, changes] of [
    ['INSERT', 3, 3],
    ['UPDATE', 3, 3],
    ['DELETE', 3, 3],
    ['MERGE', 3, 3],
    ['SELECT', 3, 0],
    ['CREATE', null, 0],
    ['UPDATE', null, 0],
  ] as const) {
    const { session, sent, released } = sessionOn(
      t,
      (text) => (text === 'COMMIT' ? {} : { rows: numbers(3), command, rowCount }),
      {
        access: 'write',
      },
    )
    await session.begin()
    const rows = await session.write(guardWrite('INSERT INTO a VALUES (1)'), [], 2)
    assert.deepEqual([rows.rows.length, rows.truncated, rows.changes], [2, true, changes], command)
    await session.end()
    assert.deepEqual(sent.slice(1), ['INSERT  INTO a VALUES (1)', 'COMMIT', 'DISCARD ALL'])
    assert.deepEqual(released, [false])
    t.mock.timers.reset()
  }
})

test('a change whose commit fails is not reported as made', async (t) => {
  const refused = Object.assign(new DatabaseError('deferred constraint', 1, 'error'), { code: '23503' })
  const { session } = sessionOn(t, (text) => (text === 'COMMIT' ? Promise.reject(refused) : {}), { access: 'write' })
  assert.equal(await rejected(session.write(guardWrite('DELETE FROM a'), [], 2)), refused)
  await session.end()
})

test('a connection that is lost is in doubt while it commits, and only then', async (t) => {
  const lost = () => Promise.reject(Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' }))
  const inDoubt = /may or may not have been made/
  for (const [at, isInDoubt] of [
    ['DELETE  FROM a', false],
    ['COMMIT', true],
  ] as const) {
    const { session } = sessionOn(t, (text) => (text === at ? lost() : {}), { access: 'write' })
    const error = await rejected(session.write(guardWrite('DELETE FROM a'), [], 2))
    assert.equal(inDoubt.test((error as Error).message), isInDoubt, at)
    await session.end()
    t.mock.timers.reset()
  }
  // The next statement after a commit is in no doubt.
  let deletes = 0
  const { session } = sessionOn(t, (text) => (text.startsWith('DELETE') && ++deletes === 2 ? lost() : {}), { access: 'write' })
  await session.write(guardWrite('DELETE FROM a'), [], 2)
  const error = await rejected(session.write(guardWrite('DELETE FROM a'), [], 2))
  assert.doesNotMatch((error as Error).message, inDoubt)
  await session.end()
})

suite('a connection is cut, and the server told to stop', () => {
  const hangs = () => new Promise<Answer>(() => {})
  /** A statement that the stream ends when it is destroyed, as a socket does. */
  function hanging(stream: () => { isDestroyed: boolean }) {
    return new Promise<Answer>((_, reject) => {
      const look = () => (stream().isDestroyed ? reject(new Error('Connection terminated')) : setImmediate(look))
      setImmediate(look)
    })
  }

  test('a second after the server’s own limit, and not before', async (t) => {
    const on = sessionOn(t, () => hanging(() => on.stream), { timeoutMs: 5_000 })
    const failed = rejected(on.session.read(guardRead('SELECT 1'), [], 1))
    t.mock.timers.tick(5_999)
    assert.deepEqual([on.stream.isDestroyed, on.cancelled], [false, []])
    t.mock.timers.tick(1)
    assert.deepEqual([on.stream.isDestroyed, on.cancelled], [true, [backend]])
    const error = await failed
    assert.ok(error instanceof ServiceError)
    assert.deepEqual([error.code, error.message], ['TIMEOUT', 'The statement ran longer than 5000 ms and was stopped'])
    await on.session.end()
    assert.deepEqual(on.released, [true], 'it does not go back to the pool')
    assert.deepEqual(on.sent.length, 1, 'nothing is sent over it any more')
  })

  test('when the call is cancelled, with the reason of the call, and once', async (t) => {
    const on = sessionOn(t, () => hanging(() => on.stream))
    const failed = rejected(on.session.read(guardRead('SELECT 1'), [], 1))
    const reason = new Error('the client went away')
    on.stop.abort(reason)
    assert.equal(await failed, reason)
    t.mock.timers.tick(1_000_000)
    assert.deepEqual(on.cancelled, [backend])
    assert.equal(await rejected(on.session.begin()), reason, 'no statement after it')
    await on.session.end()
    assert.deepEqual([on.sent.length, on.released], [1, [true]])
  })

  test('when one statement sends more than 16 MB; each has its own count', async (t) => {
    const on = sessionOn(t, () => hanging(() => on.stream))
    const failed = rejected(on.session.read(guardRead('SELECT 1'), [], 1))
    on.stream.emit('data', new Uint8Array(16_777_215))
    on.stream.emit('data', new Uint8Array(1))
    assert.deepEqual(on.cancelled, [])
    on.stream.emit('data', new Uint8Array(1))
    assert.deepEqual(on.cancelled, [backend])
    const error = await failed
    assert.ok(error instanceof ServiceError)
    assert.deepEqual([error.code, /more than 16 MB/.test(error.message)], ['INVALID_INPUT', true])
    await on.session.end()
  })

  test('while it commits, which leaves the change in doubt', async (t) => {
    const on = sessionOn(t, (text) => (text === 'COMMIT' ? hanging(() => on.stream) : {}), { access: 'write' })
    const failed = rejected(on.session.write(guardWrite('DELETE FROM a'), [], 1))
    while (!on.sent.includes('COMMIT')) await new Promise((resolve) => setImmediate(resolve))
    on.stop.abort(new Error('the client went away'))
    assert.match(String(await failed), /may or may not have been made/)
    await on.session.end()
  })

  test('but not after it was given back', async (t) => {
    const on = sessionOn(t, (text) => (text.startsWith('SELECT') ? hangs() : {}), { timeoutMs: 5_000 })
    await on.session.begin()
    await on.session.end()
    t.mock.timers.tick(1_000_000)
    on.stop.abort()
    on.stream.emit('data', new Uint8Array(20_000_000))
    assert.deepEqual([on.stream.isDestroyed, on.cancelled, on.released], [false, [], [false]])
  })
})

test('what a connection received before a session, or for its end, is not counted in it', async (t) => {
  const on = sessionOn(t, () => ({}))
  on.stream.emit('data', new Uint8Array(16_777_216))
  await on.session.end()
  assert.equal(on.connection.received, 0)
  on.stream.emit('data', new Uint8Array(16_777_216))
  const next = on.begin()
  assert.equal(on.connection.received, 0)
  await next.end()
})

test('a transaction that is open is rolled back before the connection is cleared; one whose end fails is closed', async (t) => {
  const open = sessionOn(t, () => ({}))
  await open.session.begin()
  await open.session.end()
  assert.deepEqual(open.sent.slice(1), ['ROLLBACK', 'DISCARD ALL'])
  assert.deepEqual(open.released, [false])
  t.mock.timers.reset()

  const idle = sessionOn(t, () => ({}))
  await idle.session.end()
  assert.deepEqual(idle.sent, ['DISCARD ALL'])
  t.mock.timers.reset()

  for (const failing of ['ROLLBACK', 'DISCARD ALL']) {
    const broken = sessionOn(t, (text) => (text === failing ? Promise.reject(new Error('x')) : {}))
    await broken.session.begin()
    await broken.session.end()
    assert.deepEqual(broken.released, [true], failing)
    t.mock.timers.reset()
  }
})

test('the server’s words for its time limits are told as such, and no other', () => {
  for (const [code, isTimeout] of [
    ['57014', true],
    ['25P03', true],
    ['57P01', false],
    [undefined, false],
  ] as const) {
    const error = Object.assign(new Error('x'), { code })
    const told = timedOut(error, 5)
    assert.equal(told instanceof ServiceError && told.code === 'TIMEOUT', isTimeout, code ?? 'none')
    if (!isTimeout) assert.equal(told, error)
  }
  assert.equal(timedOut(undefined, 5), undefined)
})
