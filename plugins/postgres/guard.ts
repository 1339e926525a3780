import { ServiceError } from '@mcp-patchbay/plugin-api'

/** A statement as it is sent: a cursor that rows are fetched from, or one whose rows come at once. */
export interface Guarded {
  readonly text: string
  readonly isCursor: boolean
  /** Sent before it: fails where what it is about is more than a query. */
  readonly isQuery?: string
}

/** The name of the cursor of a query. */
export const CURSOR = 'mcp_patchbay'

/**
 * How a statement that reads is sent. A query is put behind `DECLARE … CURSOR FOR`: the server's own grammar takes nothing but SELECT,
 * VALUES, TABLE and WITH without changes there, so it needs no parser here. Throws `PERMISSION_DENIED` for what cannot be one.
 */
export function guardRead(sql: string): Guarded {
  refuseFunctions(sql)
  const { word, rest } = beginning(sql)
  if (word === 'EXPLAIN') return guardExplain(rest)
  if (word !== '(' && !READS.has(word))
    throw new ServiceError('PERMISSION_DENIED', `Not allowed here: ${word}`, {
      fix: 'Only SELECT, VALUES, TABLE, WITH and EXPLAIN are read; use statement_execute for changes',
    })
  // A line of its own: a comment at the end must not hide what follows, and nothing does.
  return { text: declared(`${word === '(' ? '(' : `${word} `}${rest}`), isCursor: true }
}

/**
 * EXPLAIN ANALYZE runs what it explains, and PostgreSQL lets CREATE TABLE … AS and SELECT … INTO pass there in a transaction that only
 * reads: it is asked first whether it is a query. A comment could hide what is explained.
 */
function guardExplain(rest: string): Guarded {
  const [, options = '', word = ''] = /^(\s*(?:\((?:[\w\s,]|'\w*')*\)\s*|(?:ANALY[ZS]E|VERBOSE)\s+)*)([a-z]+)/i.exec(rest) ?? []
  if (!READS.has(word.toUpperCase()))
    throw notAllowed(`EXPLAIN ${word.toUpperCase()}`.trim(), 'Explain a SELECT, VALUES, TABLE or WITH, with no comment before it')
  return { text: `EXPLAIN ${rest}`, isCursor: false, isQuery: declared(rest.slice(options.length)) }
}

function declared(query: string): string {
  return `DECLARE ${CURSOR} NO SCROLL CURSOR FOR ${query}`
}

/** How a statement that changes is sent. Throws `PERMISSION_DENIED` for one that is about the connection, or about the server. */
export function guardWrite(sql: string): Guarded {
  refuseFunctions(sql)
  const { word, rest } = beginning(sql)
  if (!WRITES.has(word))
    throw new ServiceError('PERMISSION_DENIED', `Not allowed here: ${word}`, {
      fix: `Statements begin with ${[...WRITES].join(', ')}. Each runs in a transaction of its own`,
    })
  return { text: `${word} ${rest}`, isCursor: false }
}

const READS: ReadonlySet<string> = new Set(['SELECT', 'VALUES', 'TABLE', 'WITH'])
/** Not among them: COPY, which reads and writes files and runs programs, DO, GRANT, LOAD, SET, and what ends a transaction. */
const WRITES: ReadonlySet<string> = new Set([
  'INSERT',
  'UPDATE',
  'DELETE',
  'MERGE',
  'WITH',
  'SELECT',
  'CREATE',
  'ALTER',
  'DROP',
  'TRUNCATE',
  'COMMENT',
  'REFRESH',
  'REINDEX',
  'ANALYZE',
  'CALL',
])

/** The first word of a statement, in upper case, and the rest of it. Spaces and comments before it are left out; comments nest. */
function beginning(sql: string): { word: string; rest: string } {
  const from = afterBlank(sql)
  const [word = ''] = /^(?:\(|[a-z_]+)/i.exec(sql.slice(from)) ?? []
  if (word === '')
    throw new ServiceError('INVALID_INPUT', 'There is no statement in it', { fix: 'Send one SQL statement; this is PostgreSQL' })
  return { word: word.toUpperCase(), rest: sql.slice(from + word.length) }
}

function afterBlank(sql: string): number {
  let at = 0
  for (;;) {
    if (/^\s/.test(sql.slice(at, at + 1))) at += 1
    else if (sql.startsWith('--', at)) at = endOr(sql.indexOf('\n', at), sql)
    else if (sql.startsWith('/*', at)) at = afterComment(sql, at)
    else return at
  }
}

function afterComment(sql: string, from: number): number {
  let depth = 0
  for (let at = from; at < sql.length; at += 1) {
    if (sql.startsWith('/*', at)) depth += 1
    else if (sql.startsWith('*/', at)) depth -= 1
    else continue
    at += 1
    if (depth === 0) return at + 1
  }
  return sql.length
}

function endOr(at: number, sql: string): number {
  return at === -1 ? sql.length : at
}

/**
 * Functions whose effects no transaction undoes or no time limit ends, and those that run SQL from a text and so would hide them. The
 * rights of the role are the boundary (role.ts); this is the ring before it. A whole word counts wherever it is, so that no quoting
 * hides it: text that holds one goes into a parameter.
 */
function refuseFunctions(sql: string): void {
  if (/u&["']/i.test(sql)) throw notAllowed('names and text in Unicode escapes (U&)', 'Write the characters themselves')
  const [name] = OUTSIDE.exec(sql) ?? []
  if (name !== undefined)
    throw notAllowed(name.toLowerCase(), 'Leave it out. If it is text that you look for, put it into `parameters`')
}

function notAllowed(what: string, fix: string): ServiceError {
  return new ServiceError('PERMISSION_DENIED', `Not allowed here: ${what}`, { fix })
}

const OUTSIDE = new RegExp(
  `(?<![a-z0-9_$])(?:${[
    // other sessions, and the server
    'pg_(?:cancel|terminate)_backend',
    'pg_(?:reload_conf|promote|rotate_logfile(?:_old)?|switch_(?:wal|xlog)|create_restore_point|log_backend_memory_contexts)',
    'pg_(?:start|stop)_backup|pg_backup_(?:start|stop)|pg_wal_replay_(?:pause|resume)',
    'pg_stat_(?:statements_)?reset\\w*|pg_stat_force_next_flush|pg_prewarm\\w*',
    // locks that outlive the transaction, settings, messages
    'pg_(?:try_)?advisory_\\w+|set_config|pg_notify',
    // files, programs, other servers
    'pg_read_(?:binary_)?file\\w*|pg_stat_file|pg_ls_\\w+|pg_file_\\w+|pg_logdir_ls|pg_current_logfile|lo_(?:import|export)',
    'dblink\\w*|pg_logical_\\w+|pg_replication_\\w+|pg_(?:create|drop|copy)_(?:physical|logical)_replication_slot|pg_drop_replication_slot',
    // SQL in a text
    '(?:query|cursor|table|schema|database)_to_xml\\w*|ts_stat|ts_rewrite|crosstab\\w*|connectby',
  ].join('|')})(?![a-z0-9_$])`,
  'i',
)
