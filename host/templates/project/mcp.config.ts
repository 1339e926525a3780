import { defineConfig } from 'mcp-patchbay'

// Every key: node_modules/mcp-patchbay/docs/config.md
export default defineConfig({
  // Every folder here is a plugin: put one in and it is loaded, remove it and it goes.
  pluginDirs: ['./plugins'],
})
