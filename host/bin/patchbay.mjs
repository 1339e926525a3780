#!/usr/bin/env node
// The command. It runs the bundle of the host; in this repository the source, where the bundle is not made of what stands here, so that an
// edit needs no build.
import { existsSync } from 'node:fs'
import module from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { isCurrent } from './bundle.mjs'
import { ownStdout, saysStdio } from './own-stdout.mjs'
import { continueWithProjectNode } from './project-node.mjs'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (!(major >= 26 || (major === 24 && minor >= 15))) {
  if (continueWithProjectNode()) await new Promise(() => {}) // it ends with the other one
  console.error(`patchbay needs Node ^24.15.0 || >=26.0.0, and this is ${process.version}.`)
  console.error(
    'To fix: run it through npm (npx mcp-patchbay …, npm start), which uses the Node of the project, or install a newer Node.',
  )
  process.exit(78)
}
// What was compiled is kept for the next start: a third of a start is compiling. Not while files are watched, since every version of a
// file would stay in memory; and not where pins may be frozen, since compiled code is not part of what they cover.
const args = process.argv.slice(2)
const mayBeFrozen =
  process.env.NODE_ENV === 'production' || process.env.MCP_DEPLOYMENT || /--(?:frozen|deployment)\b/.test(args.join(' '))
if (!mayBeFrozen && args[0] !== 'dev' && !args.includes('--watch')) {
  const cache = cacheFolder()
  if (cache !== undefined) module.enableCompileCache(join(cache, 'mcp-patchbay'))
  // Node writes it when the process ends, which many a client brings about with SIGKILL.
  setTimeout(() => module.flushCompileCache(), 5_000).unref()
}
if (saysStdio(args)) ownStdout()

const source = new URL('../src/main.ts', import.meta.url)
const bundle = new URL('../bundle/', import.meta.url)
const isCheckout = existsSync(source)
if (isCheckout) {
  module.registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, { ...context, conditions: ['@mcp-patchbay/source', ...context.conditions] }),
  })
}
if (isCheckout && !isCurrent(bundle, new URL('../', import.meta.url))) await import(source.href)
else await import(new URL('main.js', bundle).href)

/** Undefined for a user who has no home, as in a container that runs as a number of its own: then every start compiles. */
function cacheFolder() {
  if (process.env.XDG_CACHE_HOME) return process.env.XDG_CACHE_HOME
  try {
    return join(homedir(), '.cache')
  } catch {
    return undefined
  }
}
