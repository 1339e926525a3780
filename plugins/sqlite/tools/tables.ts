import { defineTool, ServiceError, Type, type CallContext } from '@mcp-patchbay/plugin-api'
import type { Database } from '../database.ts'
import type { Cell, Rows } from '../engine.ts'
import { nearest } from '../nearest.ts'

export const tablesList = defineTool({
  name: 'tables_list',
  title: 'List tables',
  description:
    'List the tables and views of the SQLite database, each with its columns. Start here before writing a query. Returns a Markdown table.',
  access: 'read',
  tags: ['tables'],
  annotations: { openWorldHint: false },
  input: Type.Object({}),
  run: async (_, { client, format, signal }: CallContext<Database>) => {
    const { rows } = await client.read(LIST, [], { signal })
    return format.list(rows, {
      type: 'tables',
      columns: [column('table', 0), column('kind', 1), column('columns', 2)],
    })
  },
})

export const tablesDescribe = defineTool({
  name: 'tables_describe',
  title: 'Describe a table',
  description:
    'Describe one table or view: columns with type, whether they are required, defaults, keys and references, then indexes. ' +
    'Use it before joining or changing a table. Returns Markdown tables.',
  access: 'read',
  tags: ['tables'],
  annotations: { openWorldHint: false },
  input: Type.Object({
    table: Type.String({ minLength: 1, maxLength: 200, description: 'The name of a table or view, as tables_list gives it' }),
  }),
  run: async ({ table }, { client, format, signal }: CallContext<Database>) => {
    const columns = await client.read(COLUMNS, [table], { signal })
    if (columns.rows.length === 0) throw await unknownTable(table, client, signal)
    const indexes = await client.read(INDEXES, [table], { signal })
    return [
      `## ${format.list(columns.rows, {
        type: `columns in ${table}`,
        columns: ['column', 'type', 'required', 'default', 'key', 'references'].map(column),
      })}`,
      ...(indexes.rows.length
        ? [
            `## ${format.list(indexes.rows, { type: indexes.rows.length === 1 ? 'index' : 'indexes', columns: ['index', 'columns', 'unique'].map(column) })}`,
          ]
        : []),
    ].join('\n\n')
  },
})

/** `NOT_FOUND` with the table that was probably meant. */
export async function unknownTable(table: string, database: Database, signal: AbortSignal): Promise<ServiceError> {
  const { rows } = await database.read(LIST, [], { signal })
  const names = rows.map(([name]) => String(name))
  const meant = nearest(table, names)
  return new ServiceError('NOT_FOUND', `There is no table "${table}"`, {
    fix: [
      ...(meant === undefined ? [] : [`Did you mean "${meant}"?`]),
      names.length ? `There are: ${names.join(', ')}` : 'The database is empty',
    ].join(' '),
  })
}

const LIST = `
  SELECT name, type, (SELECT group_concat(name, ', ') FROM pragma_table_xinfo(tables.name)) AS columns
  FROM pragma_table_list AS tables
  WHERE schema = 'main' AND type IN ('table', 'view', 'virtual') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
  ORDER BY name`

const COLUMNS = `
  SELECT columns.name, columns.type, CASE WHEN "notnull" OR pk THEN 'yes' END, dflt_value, CASE WHEN pk THEN 'primary' END,
    (SELECT group_concat("table" || coalesce('.' || "to", ''), ', ') FROM pragma_foreign_key_list(?1) WHERE "from" = columns.name)
  FROM pragma_table_xinfo(?1) AS columns
  ORDER BY cid`

const INDEXES = `
  SELECT name, (SELECT group_concat(coalesce(name, '(expression)'), ', ') FROM pragma_index_info(indexes.name)), CASE WHEN "unique" THEN 'yes' END
  FROM pragma_index_list(?1) AS indexes
  ORDER BY name`

/** A column of a Markdown table that shows the cell at `index`. */
export function column(label: string, index: number): { label: string; value: (row: Rows['rows'][number]) => Cell | undefined } {
  return { label, value: (row) => row[index] }
}
