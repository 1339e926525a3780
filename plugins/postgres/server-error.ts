import { ServiceError } from '@mcp-patchbay/plugin-api'
import { DatabaseError } from 'pg'

/** The error a caller gets for what the server or the connection answered. No address, no user and no password of it is in there. */
export function serviceError(error: unknown, access: 'read' | 'write'): unknown {
  if (error instanceof ServiceError) return error
  return error instanceof DatabaseError && !isConnectionError(error) ? ofServer(error, access) : lost(error)
}

/** Whether the connection is gone, or was never there, rather than a statement refused. */
export function isConnectionError(error: unknown): boolean {
  if (error instanceof ServiceError) return false
  return !(error instanceof DatabaseError) || /^(?:08(?!P01)|57P)/.test(error.code ?? '')
}

/** For a connection that could not be opened. */
export function connectError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error
  const { code: given = '', message = '' }: { code?: unknown; message?: unknown } = Object(error)
  const [code, text] = [String(given), String(message)]
  const refused = (
    problem: string,
    fix: string,
    kind: 'UPSTREAM_FAILED' | 'AUTHENTICATION_FAILED' | 'PERMISSION_DENIED' = 'UPSTREAM_FAILED',
  ) => new ServiceError(kind, `The database cannot be reached: ${problem}`, { fix, cause: error })
  if (code === 'ERR_ACCESS_DENIED')
    return refused(
      'the plugin runs in a process of its own, which opens no sockets',
      "Write isolation: 'inline' in the entry of the plugin in the config file",
    )
  if (code.startsWith('28') || /SASL|password must be a string/i.test(text))
    return refused(
      'the server refused the user or the password',
      "Check both in the plugin's connectionString",
      'AUTHENTICATION_FAILED',
    )
  if (code === '3D000') return refused('the server has no such database', "Check the last part of the plugin's connectionString")
  if (code === '42501')
    return refused('the user may not connect to it', 'Have the owner run GRANT CONNECT ON DATABASE', 'PERMISSION_DENIED')
  if (code === '53300')
    return refused('the server has no connection left', 'Lower maxConnections of the plugin, or raise max_connections')
  if (code === '57P03') return refused('the server is starting or stopping', 'Try again in a moment')
  if (/does not support SSL/i.test(text))
    return refused('the server does not speak TLS', 'Turn ssl on there, or write sslmode=disable in a network that you trust')
  if (/CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME|^ERR_(?:TLS|SSL)/.test(code))
    return refused(
      `its certificate is not accepted (${code})`,
      "Name the authority that signed it in the plugin's caFile, and the host by a name that is in the certificate",
    )
  if (/timeout/i.test(text))
    return refused('it did not answer in time', 'Check host, port and firewall, and that the server runs')
  return refused(code === '' ? 'the connection ended' : code, 'Check host and port, and that the server runs')
}

function ofServer({ code = '', message, detail, hint }: DatabaseError, access: 'read' | 'write'): ServiceError {
  const text = detail === undefined ? message : `${message}. ${detail}`
  const fix =
    hint ?? FIXES.get(code) ?? FIXES.get(code.slice(0, 2)) ?? 'Correct the statement; this is PostgreSQL, not another dialect'
  if (code === '25006')
    return new ServiceError('PERMISSION_DENIED', `Not allowed here: ${message}`, {
      fix:
        access === 'read'
          ? 'A query cannot change anything; use statement_execute for changes'
          : 'The server or the role only reads',
    })
  if (code === '42501')
    return new ServiceError('PERMISSION_DENIED', `The role of the database may not do this: ${message}`, { fix })
  if (code === '42601' && message.includes('multiple commands'))
    return new ServiceError('INVALID_INPUT', 'Only one statement can be run at a time', {
      fix: 'Send each statement in a call of its own',
    })
  if (/^(?:08(?!P01)|40|53|54|55|57|58|F0|XX)/.test(code))
    return new ServiceError('UPSTREAM_FAILED', `The database failed: ${text}`, { fix })
  return new ServiceError('INVALID_INPUT', text, { fix })
}

function lost(error: unknown): ServiceError {
  return new ServiceError('UPSTREAM_FAILED', 'The connection to the database was lost, and nothing was changed', {
    fix: 'Try again',
    cause: error,
  })
}

/** By SQLSTATE or its class: https://www.postgresql.org/docs/current/errcodes-appendix.html. */
const FIXES: ReadonlyMap<string, string> = new Map([
  ['42P01', 'Call tables_list for the tables there are'],
  ['42703', 'Call tables_describe for the columns of a table'],
  ['42P02', 'Number the parameters from $1, and give a value for each'],
  ['42P18', 'Say the type of the parameter: $1::int'],
  ['08P01', 'Number the parameters from $1, and give a value for each'],
  ['42501', 'Have the owner GRANT it to that role, or leave it out'],
  ['25001', 'Leave it out: each statement runs in a transaction'],
  ['22', 'Check the values, and say their types: $1::date'],
  ['23', 'Call tables_describe for what the table asks of its rows'],
  ['40', 'Try again in a moment'],
  ['53', 'Try again in a moment, or ask for less at once'],
  ['55', 'Another transaction holds it: try again in a moment'],
  ['57', 'Try again in a moment'],
  ['58', 'Look at the log of the server'],
  ['XX', 'Look at the log of the server'],
])
