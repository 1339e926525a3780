import { defineTool, ServiceError, Type, type CallContext, type ResponseFormatter } from '@mcp-patchbay/plugin-api'
import type { Database } from '../database.ts'
import type { Rows } from '../engine.ts'
import { column, unknownTable } from './tables.ts'

const sql = Type.String({
  minLength: 1,
  maxLength: 20_000,
  description: 'One SQL statement in SQLite’s dialect. Put values into `parameters`',
})
const parameters = Type.Optional(
  Type.Array(Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]), {
    maxItems: 100,
    description: 'Values for the `?` in the statement, in order',
  }),
)

export const queryRun = defineTool({
  name: 'query_run',
  title: 'Run a query',
  description:
    'Run one SELECT (also WITH, VALUES, EXPLAIN) on the SQLite database. It cannot change anything. ' +
    'Use it to answer questions about the data; call tables_list first for the names. Returns a Markdown table and says when rows are left out.',
  access: 'read',
  tags: ['statements'],
  annotations: { openWorldHint: false },
  input: Type.Object({
    sql,
    parameters,
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 10_000, default: 100, description: 'The most rows to return. Default 100' }),
    ),
  }),
  run: async (input, { client, format, signal }: CallContext<Database>) => {
    const read = () => client.read(input.sql, input.parameters ?? [], { limit: input.limit ?? 100, signal })
    return table(await suggesting(read, client, signal), format)
  },
})

export const statementExecute = defineTool({
  name: 'statement_execute',
  title: 'Change data',
  description:
    'Run one statement that changes the SQLite database: INSERT, UPDATE, DELETE, CREATE, ALTER or DROP. ' +
    'It is committed when it succeeds and leaves nothing behind when it fails. Returns how many rows changed, and the rows of RETURNING.',
  access: 'write',
  tags: ['statements'],
  annotations: { destructiveHint: true, openWorldHint: false },
  input: Type.Object({ sql, parameters }),
  run: async (input, { client, format, signal }: CallContext<Database>) => {
    const write = () => client.write(input.sql, input.parameters ?? [], { signal })
    const done = await suggesting(write, client, signal)
    const changed = `${done.changes} ${done.changes === 1 ? 'row' : 'rows'} changed.`
    return done.columns.length ? `${changed}\n\n${table(done, format)}` : changed
  },
})

function table({ columns, rows, truncated }: Rows, format: ResponseFormatter): string {
  const shown = format.list(rows, { type: rows.length === 1 ? 'row' : 'rows', columns: columns.map(column) })
  return truncated ? `${shown}\n\nThere are more rows. Narrow the query, aggregate, or raise \`limit\`.` : shown
}

/** Turns SQLite's "no such table" into the one that was probably meant. */
async function suggesting(run: () => Promise<Rows>, database: Database, signal: AbortSignal): Promise<Rows> {
  try {
    return await run()
  } catch (error) {
    const missing = error instanceof ServiceError ? /^no such table: (?:main\.)?(.+)$/.exec(error.message)?.[1] : undefined
    throw missing === undefined ? error : await unknownTable(missing, database, signal)
  }
}
