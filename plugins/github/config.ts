import { Secret, Type } from '@mcp-patchbay/plugin-api'

/** What the plugin reads: `GITHUB_API_URL`, `GITHUB_PERSONAL_TOKEN`, `GITHUB_ALLOWED_REPOSITORIES` for the instance `github`. */
export const config = Type.Object({
  apiUrl: Type.String({
    default: 'https://api.github.com',
    pattern: '^https?://',
    description: 'Where the REST API begins. Enterprise Server: https://HOST/api/v3',
  }),
  personalToken: Type.Optional(
    Secret({ description: 'A personal access token, fine-grained or classic. Without one the tools are hidden' }),
  ),
  allowedRepositories: Type.Optional(
    Type.Array(Type.String({ pattern: '^[A-Za-z0-9_.*-]+/[A-Za-z0-9_.*-]+$' }), {
      description:
        'The only repositories the tools may touch, as globs: acme/*, acme/web-*. Unset means every one the token can see',
    }),
  ),
})
