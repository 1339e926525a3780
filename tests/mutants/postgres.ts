import { mutantsOf } from './mutant.ts'

const unit = ['plugins/postgres/tests/postgres.test.ts']

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
      ['functions are known in one spelling only', "  'i',\n)", "  '',\n)"],
      [
        'a change may call what a query may not',
        'guardWrite(sql: string): Guarded {\n  refuseFunctions(sql)\n',
        'guardWrite(sql: string): Guarded {\n',
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
