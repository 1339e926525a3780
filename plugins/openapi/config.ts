import { Secret, Type } from '@mcp-patchbay/plugin-api'

const patterns = (description: string) =>
  Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 500 }), { description, maxItems: 1_000 }))

export const config = Type.Object({
  document: Type.String({
    minLength: 1,
    description: 'The OpenAPI description: the absolute path of a YAML or JSON file, or an address that begins with apiUrl',
  }),
  apiUrl: Type.Optional(
    Type.String({
      pattern: '^https?://',
      description:
        'Where the API begins, with its base path. Requests and the credential go there, whatever the description says',
    }),
  ),
  allow: patterns('Only operations that match one of these: METHOD /path, a tag or an operationId, with * for anything'),
  deny: patterns('Of those, not the operations that match one of these'),
  personalToken: Type.Optional(
    Secret({ description: 'Sent as Authorization: Bearer, or as the API key where the description knows no token' }),
  ),
  apiKey: Type.Optional(Secret({ description: 'Sent where the description says, or else as X-API-Key' })),
  username: Type.Optional(Type.String({ description: 'For HTTP basic authentication, with password' })),
  password: Type.Optional(Secret({ description: 'For HTTP basic authentication, with username' })),
  maxNameLength: Type.Integer({
    default: 48,
    minimum: 16,
    maximum: 62,
    description: 'Longer names of tools are cut. Clients take 64 characters, the instance name included',
  }),
  maxDocumentBytes: Type.Integer({
    default: 20_000_000,
    minimum: 1,
    maximum: 100_000_000,
    description: 'A larger description is refused',
  }),
  maxAnswerCharacters: Type.Integer({
    default: 100_000,
    minimum: 100,
    maximum: 900_000,
    description: 'Longer answers are cut, and say so',
  }),
})
