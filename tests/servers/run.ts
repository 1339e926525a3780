/**
 * MCP servers of others, installed and run through the command: `npm run test:servers`. Beside `npm test` because it installs from npm.
 * With `--long` another version 200 times, and 60 hosts killed: `npm run soak:servers`, some ten minutes.
 */
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'

const given = process.argv.slice(2).filter((word) => word !== '--long')
const isLong = process.argv.includes('--long')
const files = globSync('*.ts', { cwd: import.meta.dirname }).filter((file) => file !== 'run.ts')
const chosen = files.filter((file) => given.length === 0 || given.some((name) => file.includes(name)))
const { status } = spawnSync(
  process.execPath,
  [
    '--test',
    '--test-reporter=spec',
    `--test-timeout=${isLong ? 900_000 : 240_000}`,
    '--test-concurrency=1',
    '--conditions=@mcp-patchbay/source',
    ...chosen.toSorted().map((file) => join(import.meta.dirname, file)),
  ],
  { stdio: 'inherit', env: { ...process.env, ...(isLong && { UPDATES: '200', KILLS: '60' }) } },
)
process.exitCode = status ?? 1
