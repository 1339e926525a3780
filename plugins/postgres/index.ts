import { definePlugin } from '@mcp-patchbay/plugin-api'
import { config } from './config.ts'
import { openDatabase } from './database.ts'
import { dataExplore } from './prompts.ts'
import { queryRun, statementExecute } from './tools/statements.ts'
import { tablesDescribe, tablesList } from './tools/tables.ts'

export default definePlugin({
  name: 'postgres',
  description: 'Reads and, where writing is allowed, changes one PostgreSQL database.',
  docsUrl: 'https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS',
  config,
  isAuthConfigured: ({ connectionString }) => connectionString !== undefined,
  createClient: ({ config: settings, log }) => openDatabase(settings, log),
  tools: [tablesList, tablesDescribe, queryRun, statementExecute],
  prompts: [dataExplore],
  // The password is part of the handshake of the connection, which the plugin makes itself.
  capabilities: { credentials: 'raw' },
})
