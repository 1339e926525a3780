import { defineTool, ServiceError, toolResult, Type, type CallContext, type ResponseFormatter } from '@mcp-patchbay/plugin-api'
import type { Database } from '../database.ts'
import type { Rows } from '../session.ts'
import { column, unknownTable } from './tables.ts'

const sql = Type.String({
  minLength: 1,
  maxLength: 20_000,
  description: 'One SQL statement in PostgreSQL’s dialect. Put values into `parameters`',
})
const parameters = Type.Optional(
  Type.Array(Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]), {
    maxItems: 100,
    description: 'Values for $1, $2 and so on in the statement',
  }),
)
const rows = {
  columns: Type.Array(Type.String(), { description: 'Names of the columns' }),
  rows: Type.Array(Type.Array(Type.Unknown()), {
    description: 'Values by column. Text where JSON would lose digits: numeric, large integers, times',
  }),
  truncated: Type.Boolean({ description: 'There are more rows' }),
}

export const queryRun = defineTool({
  name: 'query_run',
  title: 'Run a query',
  description:
    'Run one SELECT (also WITH, VALUES, TABLE, EXPLAIN) on the PostgreSQL database, in a transaction that only reads. ' +
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
  output: Type.Object(rows),
  run: async (input, { client, format, signal }: CallContext<Database>) => {
    const read = () => client.read(input.sql, input.parameters ?? [], { limit: input.limit ?? 100, signal })
    const found = await suggesting(read, client, signal)
    return toolResult({ content: table(found, format), structuredContent: structured(found) })
  },
})

export const statementExecute = defineTool({
  name: 'statement_execute',
  title: 'Change data',
  description:
    'Run one statement that changes the PostgreSQL database: INSERT, UPDATE, DELETE, MERGE, CREATE, ALTER, DROP and the like. ' +
    'It is committed when it succeeds and leaves nothing behind when it fails. Returns how many rows changed, and the rows of RETURNING.',
  access: 'write',
  tags: ['statements'],
  annotations: { destructiveHint: true, openWorldHint: false },
  input: Type.Object({ sql, parameters }),
  output: Type.Object({ changed: Type.Integer({ description: 'Rows inserted, updated or deleted' }), ...rows }),
  run: async (input, { client, format, signal }: CallContext<Database>) => {
    const write = () => client.write(input.sql, input.parameters ?? [], { signal })
    const done = await suggesting(write, client, signal)
    const changed = `${done.changes} ${done.changes === 1 ? 'row' : 'rows'} changed.`
    return toolResult({
      content: done.columns.length ? `${changed}\n\n${table(done, format)}` : changed,
      structuredContent: { changed: done.changes, ...structured(done) },
    })
  },
})

function structured({ columns, rows: found, truncated }: Rows): object {
  return { columns: columns.map(({ name }) => name), rows: found, truncated }
}

function table({ columns, rows: found, truncated }: Rows, format: ResponseFormatter): string {
  const shown = format.list(found, {
    type: found.length === 1 ? 'row' : 'rows',
    columns: columns.map(({ name }, index) => column(name, index)),
  })
  return truncated ? `${shown}\n\nThere are more rows. Narrow the query, aggregate, or raise \`limit\`.` : shown
}

/** Turns "relation does not exist" into the tables there are. */
async function suggesting(run: () => Promise<Rows>, database: Database, signal: AbortSignal): Promise<Rows> {
  try {
    return await run()
  } catch (error) {
    const missing = error instanceof ServiceError ? /^relation "(.+)" does not exist/.exec(error.message)?.[1] : undefined
    throw missing === undefined ? error : await unknownTable(missing, database, signal)
  }
}
