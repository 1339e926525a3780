import { definePlugin } from '@mcp-patchbay/plugin-api'
import { config } from './config.ts'
import { openDatabase } from './database.ts'
import { dataExplore } from './prompts.ts'
import { queryRun, statementExecute } from './tools/statements.ts'
import { tablesDescribe, tablesList } from './tools/tables.ts'

export default definePlugin({
  name: 'sqlite',
  description: 'Reads and, where writing is allowed, changes one SQLite database.',
  config,
  isAuthConfigured: () => true,
  createClient: ({ config: settings, log }) => openDatabase(settings, log),
  tools: [tablesList, tablesDescribe, queryRun, statementExecute],
  prompts: [dataExplore],
})
