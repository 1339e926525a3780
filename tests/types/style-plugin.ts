// The whole plugin of STYLE's contract, word for word: it has to compile as it stands.
import Type from 'typebox'
import { definePlugin, defineTool, hasCredential, Secret, type CallContext, type HttpClient } from '@mcp-patchbay/plugin-api'

class GitHubClient {
  readonly #http: HttpClient
  constructor(http: HttpClient) {
    this.#http = http
  }
  issue(repo: string, number: number): Promise<{ title: string; state: string }> {
    return this.#http.json(`/repos/${repo}/issues/${number}`)
  }
}

const issuesGet = defineTool({
  name: 'issues_get',
  description: 'Read one issue of a repository. Returns its title and state.',
  access: 'read',
  input: Type.Object({ repo: Type.String(), number: Type.Integer({ minimum: 1 }) }),
  output: Type.Object({ title: Type.String(), state: Type.String() }),
  run: ({ repo, number }, { client }: CallContext<GitHubClient>) => client.issue(repo, number),
})

export default definePlugin({
  name: 'github',
  config: Type.Object({ apiUrl: Type.String({ default: 'https://api.github.com' }), personalToken: Type.Optional(Secret()) }),
  isAuthConfigured: hasCredential,
  createClient: ({ http }) => new GitHubClient(http),
  tools: [issuesGet],
})
