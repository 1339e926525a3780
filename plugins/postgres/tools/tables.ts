import { defineTool, ServiceError, Type, type CallContext } from '@mcp-patchbay/plugin-api'
import type { Cell } from '../cells.ts'
import type { Database } from '../database.ts'
import type { Rows } from '../session.ts'

export const tablesList = defineTool({
  name: 'tables_list',
  title: 'List tables',
  description:
    'List the tables and views of the PostgreSQL database that may be read, each with its columns. Start here before writing a query. ' +
    'Returns a Markdown table.',
  access: 'read',
  tags: ['tables'],
  annotations: { openWorldHint: false },
  input: Type.Object({
    schema: Type.Optional(Type.String({ minLength: 1, maxLength: 63, description: 'Only tables of this schema. Default: all' })),
  }),
  run: async ({ schema }, { client, format, signal }: CallContext<Database>) => {
    const { rows, truncated } = await client.read(LIST, [schema ?? null], { limit: 500, signal })
    const shown = format.list(rows, {
      type: 'tables',
      columns: [column('table', 0), column('kind', 1), column('columns', 2)],
    })
    return truncated ? `${shown}\n\nThere are more tables. Name a \`schema\`.` : shown
  },
})

export const tablesDescribe = defineTool({
  name: 'tables_describe',
  title: 'Describe a table',
  description:
    'Describe one table or view: columns with type, whether they are required, defaults, keys, references and comments, then indexes. ' +
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
        columns: ['column', 'type', 'required', 'default', 'key', 'references', 'comment'].map(column),
      })}`,
      ...(indexes.rows.length
        ? [
            `## ${format.list(indexes.rows, { type: indexes.rows.length === 1 ? 'index' : 'indexes', columns: ['index', 'definition', 'unique'].map(column) })}`,
          ]
        : []),
    ].join('\n\n')
  },
})

/** `NOT_FOUND` with the tables there are. */
export async function unknownTable(table: string, database: Database, signal: AbortSignal): Promise<ServiceError> {
  const { rows, truncated } = await database.read(LIST, [null], { limit: 50, signal })
  const names = rows.flatMap(([name]) => (typeof name === 'string' ? [name] : []))
  return new ServiceError('NOT_FOUND', `There is no table "${table}" that may be read`, {
    fix: names.length ? `There are: ${names.join(', ')}${truncated ? ' and more' : ''}` : 'The role may read no table at all',
  })
}

/** A name as it is written in a statement: with its schema where it is not found without. */
const NAME =
  "CASE WHEN pg_catalog.pg_table_is_visible(c.oid) THEN '' ELSE pg_catalog.quote_ident(n.nspname) || '.' END || pg_catalog.quote_ident(c.relname)"

/** What may be read and is no part of the system. */
const READABLE = `
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
    AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
    AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT')`

const LIST = `
  SELECT ${NAME},
    CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' ELSE 'table' END,
    (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum)
      FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
  ${READABLE} AND ($1::text IS NULL OR n.nspname::text = $1::text)
  ORDER BY pg_catalog.pg_table_is_visible(c.oid) DESC, n.nspname, c.relname`

/** The table that is meant: without a schema the one that a statement would find. */
const MEANT = `
  SELECT c.oid ${READABLE} AND $1::text IN (c.relname::text, pg_catalog.quote_ident(c.relname), n.nspname || '.' || c.relname,
    pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname))
  ORDER BY pg_catalog.pg_table_is_visible(c.oid) DESC, n.nspname LIMIT 1`

const COLUMNS = `
  SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'yes' END,
    pg_catalog.pg_get_expr(d.adbin, d.adrelid),
    CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_constraint k
      WHERE k.conrelid = a.attrelid AND k.contype = 'p' AND a.attnum = ANY (k.conkey)) THEN 'primary' END,
    (SELECT pg_catalog.string_agg(k.confrelid::pg_catalog.regclass || coalesce('.' || pg_catalog.quote_ident(f.attname), ''), ', ')
      FROM pg_catalog.pg_constraint k
      LEFT JOIN pg_catalog.pg_attribute f
        ON f.attrelid = k.confrelid AND f.attnum = k.confkey[pg_catalog.array_position(k.conkey, a.attnum)]
      WHERE k.conrelid = a.attrelid AND k.contype = 'f' AND a.attnum = ANY (k.conkey)),
    pg_catalog.col_description(a.attrelid, a.attnum)
  FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = (${MEANT}) AND a.attnum > 0 AND NOT a.attisdropped
  ORDER BY a.attnum`

const INDEXES = `
  SELECT c.relname, pg_catalog.regexp_replace(pg_catalog.pg_get_indexdef(i.indexrelid), '^.* USING ', ''), CASE WHEN i.indisunique THEN 'yes' END
  FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  WHERE i.indrelid = (${MEANT})
  ORDER BY c.relname`

/** A column of a Markdown table that shows the cell at `index`. */
export function column(label: string, index: number): { label: string; value: (row: Rows['rows'][number]) => Cell | undefined } {
  return { label, value: (row) => row[index] }
}
