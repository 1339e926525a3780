import { mutantsOf } from './mutant.ts'

const unit = ['plugins/postgres/tests/postgres.test.ts']
const STATEMENTS = 'plugins/postgres/tests/statements.test.ts'

/** What a statement may be, and how the plugin for PostgreSQL connects. `npm run test:postgres` has the attacks on a real server. */
export const postgres = mutantsOf('postgres', [
  {
    file: 'plugins/postgres/guard.ts',
    noticedBy: unit,
    changes: [
      ['a query is sent as it is', '`DECLARE ${CURSOR} NO SCROLL CURSOR FOR ', '`'],
      ['what is explained is not asked to be a query', ', isQuery: declared(rest.slice(options.length))', ''],
      ['a comment hides what is explained', "(?:[\\w\\s,]|'\\w*')*", '[^()]*'],
      ['EXPLAIN runs a change', 'if (!READS.has(word.toUpperCase()))', 'if (!word)'],
      ['any word begins a change', 'if (!WRITES.has(word))', 'if (word === "")'],
      ['a name in Unicode escapes is not seen', 'if (/u&["\']/i.test(sql))', 'if (sql === "")'],
      ['a comment in a comment ends both', 'depth += 1', 'depth = 1'],
      ['VALUES cannot be read', "'VALUES', 'TABLE', 'WITH'])", "'TABLE', 'WITH'])", { noticedBy: [STATEMENTS] }],
      ['a query in brackets cannot be read', "word !== '(' && !READS.has(word)", '!READS.has(word)', { noticedBy: [STATEMENTS] }],
      [
        'a change is sent as a cursor',
        'text: `${word} ${rest}`, isCursor: false',
        'text: `${word} ${rest}`, isCursor: true',
        { noticedBy: [STATEMENTS] },
      ],
      ['a query may wait for a lock that outlives it', 'pg_(?:try_)?advisory_\\\\w+|', '', { noticedBy: [STATEMENTS] }],
      ['functions are known in one spelling only', "  'i',\n)", "  '',\n)"],
      [
        'a change may call what a query may not',
        'guardWrite(sql: string): Guarded {\n  refuseFunctions(sql)\n',
        'guardWrite(sql: string): Guarded {\n',
      ],
    ],
  },
  {
    file: 'plugins/postgres/session.ts',
    noticedBy: ['plugins/postgres/tests/session.test.ts'],
    changes: [
      ['a query may change something', "access === 'read' ? 'BEGIN TRANSACTION READ ONLY' : 'BEGIN'", "'BEGIN'"],
      ['a backslash hides the end of a text from the guard', "'SET LOCAL standard_conforming_strings = on',", ''],
      ['a statement of a call that was cancelled goes on', "signal.addEventListener('abort', this.#onAbort)", ''],
      ['what the server does for a call that is gone goes on', 'this.#options.cancel(this.#connection.backend)', ''],
      [
        'a call is answered before its change is committed',
        "await this.#run(() => this.#client.query('COMMIT'))",
        "void this.#run(() => this.#client.query('COMMIT'))",
      ],
      ['a change that was not made is in doubt', 'this.#isCommitting = false\n    return', 'return'],
      ['a change in doubt is told as not made', 'this.#isCommitting && (this.#cut', 'this.#cut && (this.#cut'],
      [
        'a transaction goes back to the pool open',
        "this.#client.getTransactionStatus() !== 'I'",
        "this.#client.getTransactionStatus() === 'I'",
      ],
      ['what a call set goes to the next caller', "await this.#client.query('DISCARD ALL')", ''],
      [
        'a connection that was cut goes back to the pool',
        'this.#client.release(this.#cut !== undefined)',
        'this.#client.release()',
      ],
      ['a connection in an unknown state goes back to the pool', 'this.#client.release(true)', 'this.#client.release()'],
      ['a statement after the cut is sent', 'if (this.#cut) throw this.#cut.reason\n', ''],
      ['a connection is cut that another call uses', 'clearTimeout(this.#timer)', ''],
      ['one value may fill the memory', 'if (connection.received > MAX_RECEIVED)', 'if (connection.received > Infinity)'],
      ['the bytes of the call before count', 'connection.received = 0\n    connection.onFlood', 'connection.onFlood'],
      ['one row too many is shown', 'this.#rows.length === this.#maxRows ||', 'this.#rows.length > this.#maxRows ||'],
      [
        'a query without a next row is not known to be whole',
        'Math.min(FIRST_ROWS, maxRows + 1)',
        'Math.min(FIRST_ROWS, maxRows)',
      ],
      ['what is explained is run unasked', 'if (isQuery !== undefined) await this.#query(isQuery, parameters)', 'void isQuery'],
      ['deleted rows are not counted', "'UPDATE', 'DELETE', 'MERGE'", "'UPDATE', 'MERGE'"],
      ['the server’s own time limit is an error of the input', "code === '57014' || ", ''],
    ],
  },
  {
    file: 'plugins/postgres/server-error.ts',
    noticedBy: [STATEMENTS],
    changes: [
      ['parameters of the wrong number are a lost connection', '/^(?:08(?!P01)|57P)/', '/^(?:08|57P)/'],
      ['a server that stops is an error of the statement', '/^(?:08(?!P01)|57P)/', '/^(?:08(?!P01))/'],
      ['a query is told to change nothing although it is a change', "access === 'read'", "access === 'write'"],
      [
        'an error of the plugin is told as a lost connection',
        'if (error instanceof ServiceError) return error\n  return error instanceof',
        'return error instanceof',
      ],
    ],
  },
  {
    file: 'plugins/postgres/address.ts',
    noticedBy: unit,
    changes: [
      ['certificates are not checked', 'rejectUnauthorized: true', 'rejectUnauthorized: false'],
      ['a server elsewhere is reached without TLS', 'if (mode === undefined) return !(', 'if (mode === undefined) return ('],
      ['a name that begins like this machine is this machine', "host === 'localhost'", "host.startsWith('localhost')"],
      ['a parameter that is not known is ignored', 'if (!PARAMETERS.has(name))', 'if (name === "")'],
      ['the rest of a password that has a ? is told', 'if (OF_LIBPQ.has(name))', 'if (name)'],
      ['a password is looked for in the environment', 'password: () => password,', 'password,'],
    ],
  },
])
