import { defineConfig } from 'mcp-patchbay'

// What `npm start` runs, and the example to copy. An editor knows every key; docs/config.md explains them.
export default defineConfig({
  // Every folder in here is a plugin: drop one in, it loads; remove it, it goes. One without credentials is hidden:
  // `npx mcp-patchbay env github` prints the variables it reads.
  pluginDirs: ['./plugins'],
  plugins: [
    // What a plugin needs beyond its service is granted by name: this one opens connections with a credential of its own.
    { use: './plugins/postgres', capabilities: { credentials: 'raw' } },
    // Plugins from elsewhere, the same one as often as you like:
    // { use: '@acme/mcp-jira', as: 'jira_eu', version: '2.3.1', tools: { allow: ['issues_*'] } },
  ],
  listen: {
    http: { host: '127.0.0.1', port: 3000 }, // MCP clients: http://127.0.0.1:3000/mcp
    management: { host: '127.0.0.1', port: 3001 }, // /livez /readyz /metrics
  },
  deployments: {
    // patchbay start --deployment production
    production: { frozen: true, readOnly: true, log: { format: 'json' } },
  },
})
