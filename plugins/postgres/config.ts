import { Secret, Type, type Static } from '@mcp-patchbay/plugin-api'

export const config = Type.Object({
  connectionString: Type.Optional(
    Secret({ description: 'postgres://USER:PASSWORD@HOST:5432/DATABASE. Without one the tools are hidden' }),
  ),
  caFile: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'PEM file with the authority that signed the server’s certificate, where it is not a public one',
    }),
  ),
  queryTimeoutMs: Type.Integer({
    default: 10_000,
    minimum: 1,
    maximum: 3_600_000,
    description: 'A statement that runs longer is stopped',
  }),
  maxRows: Type.Integer({
    default: 1_000,
    minimum: 1,
    maximum: 100_000,
    description: 'The most rows one call returns, whatever its limit says',
  }),
  maxConnections: Type.Integer({
    default: 5,
    minimum: 1,
    maximum: 1_000,
    description: 'The most connections for each tenant and credential',
  }),
  allowPrivilegedRole: Type.Boolean({
    default: false,
    description: 'Serve although the role can reach more than its databases: files and programs of the server, or other roles',
  }),
})

export type PostgresConfig = Static<typeof config>
