import { defineConfig } from 'mcp-patchbay'

export default defineConfig({
  // Every folder in here is a plugin: drop one in, it loads; remove it, it goes.
  pluginDirs: ['./plugins'],
  listen: {
    http: { host: '127.0.0.1', port: 3000 }, // MCP clients: http://127.0.0.1:3000/mcp
    management: { port: 3001 }, // /livez /readyz /metrics
  },
  deployments: {
    // patchbay start --deployment production
    production: { frozen: true, readOnly: true, log: { format: 'json' } },
  },
})
