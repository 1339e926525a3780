import { Type, type Static } from '@mcp-patchbay/plugin-api'

export const config = Type.Object({
  database: Type.Optional(
    Type.String({ description: 'Path of the database file. Without it a small sample database is made, and removed at the end' }),
  ),
  queryTimeoutMs: Type.Integer({
    default: 10_000,
    minimum: 1,
    description: 'A statement that runs longer is stopped',
  }),
  maxRows: Type.Integer({
    default: 1_000,
    minimum: 1,
    description: 'The most rows one query may return, whatever its limit says',
  }),
})

export type SqliteConfig = Static<typeof config>
