/**
 * Real MCP clients, old and new, against the command: `npm run test:clients`. They are installed beside this file, in a folder of their
 * own and without scripts, so that what they bring is no part of the host.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = import.meta.dirname
const digest = createHash('sha256')
  .update(readFileSync(join(folder, 'package-lock.json')))
  .digest('hex')
const stamp = join(folder, 'node_modules/.installed')

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== digest) {
  // Keeps to the lockfile. `npm ci` refuses it: an optional package of vite for Windows is in no registry, and so not in the file.
  const npm = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']
  const { status } = spawnSync('npm', npm, { cwd: folder, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
  writeFileSync(stamp, digest)
}
const { status } = spawnSync(
  process.execPath,
  ['--test', '--test-reporter=spec', '--test-timeout=240000', ...process.argv.slice(2), join(folder, 'real-clients.ts')],
  { stdio: 'inherit' },
)
process.exitCode = status ?? 1
