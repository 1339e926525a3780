#!/usr/bin/env node
// `npm create mcp-patchbay DIR` is `patchbay init DIR`: npm runs this file, which is the command of the host that npm installed beside it.
process.argv.splice(2, 0, 'init')
await import(new URL('bin/patchbay.mjs', import.meta.resolve('mcp-patchbay/package.json')).href)
