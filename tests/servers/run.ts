/**
 * MCP servers of others, installed and run through the command: `npm run test:servers`. Beside `npm test` because it installs from npm.
 */
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'

const given = process.argv.slice(2)
const files = globSync('*.ts', { cwd: import.meta.dirname }).filter((file) => file !== 'run.ts')
const chosen = files.filter((file) => given.length === 0 || given.some((name) => file.includes(name)))
const { status } = spawnSync(
  process.execPath,
  [
    '--test',
    '--test-reporter=spec',
    '--test-timeout=240000',
    '--test-concurrency=1',
    '--conditions=@mcp-patchbay/source',
    ...chosen.toSorted().map((file) => join(import.meta.dirname, file)),
  ],
  { stdio: 'inherit' },
)
process.exitCode = status ?? 1
