import { definePlugin, hasCredential } from '@mcp-patchbay/plugin-api'
import { allowedRepositories } from './allowed-repositories.ts'
import { GitHubClient } from './client.ts'
import { config } from './config.ts'
import { contentTools } from './tools/contents.ts'
import { issueTools } from './tools/issues.ts'
import { pullTools } from './tools/pulls.ts'
import { repositoryTools } from './tools/repositories.ts'
import { searchTools } from './tools/search.ts'
import { userTools } from './tools/users.ts'

/** GitHub, on github.com or an Enterprise Server. */
export default definePlugin({
  name: 'github',
  description: 'GitHub: issues, pull requests, repositories, code search and users.',
  docsUrl: 'https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/managing-your-personal-access-tokens',
  config,
  isAuthConfigured: hasCredential,
  headers: { Accept: 'application/vnd.github+json', 'X-GitHub-Api-Version': '2022-11-28' },
  createClient: ({ http, config: { allowedRepositories: globs } }) => new GitHubClient(http, allowedRepositories(globs)),
  tools: [...issueTools, ...pullTools, ...repositoryTools, ...contentTools, ...searchTools, ...userTools],
})
