import { ServiceError } from '@mcp-patchbay/plugin-api'

/**
 * Rights of the session beyond the data in the database, one a row. A read-only transaction holds none of them back: COPY to a program, a
 * file that is read, a session that is ended. Counts what the role could become with SET ROLE, and functions that it was granted.
 */
export const PRIVILEGES = `
  SELECT CASE WHEN rolsuper THEN 'superuser' WHEN rolcreaterole THEN 'CREATEROLE' WHEN rolreplication THEN 'REPLICATION' ELSE rolname::text END
  FROM pg_catalog.pg_roles
  WHERE (rolsuper OR rolcreaterole OR rolreplication OR rolname IN
      ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program', 'pg_signal_backend'))
    AND pg_catalog.pg_has_role(session_user, oid, 'MEMBER')
  UNION
  SELECT proname || '()'
  FROM pg_catalog.pg_proc
  WHERE proname IN ('pg_read_file', 'pg_read_binary_file', 'pg_ls_dir', 'pg_stat_file', 'pg_file_write', 'lo_import', 'lo_export', 'pg_reload_conf')
    AND pronamespace = 'pg_catalog'::pg_catalog.regnamespace
    AND pg_catalog.has_function_privilege(session_user, oid, 'EXECUTE')
  ORDER BY 1`

/** `PERMISSION_DENIED` for a role with such rights. */
export function privilegedRole(rights: readonly string[]): ServiceError {
  const most = rights.includes('superuser') ? ['superuser'] : rights.slice(0, 5)
  return new ServiceError(
    'PERMISSION_DENIED',
    `The role of the connection can do more than read and change data (${most.join(', ')}), and a query could use that`,
    {
      fix:
        "Connect as a role of its own: CREATE ROLE mcp LOGIN PASSWORD '…'; GRANT USAGE ON SCHEMA public TO mcp; " +
        'GRANT SELECT ON ALL TABLES IN SCHEMA public TO mcp. Or set allowPrivilegedRole: true where the whole server is yours to lose',
    },
  )
}
