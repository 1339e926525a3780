/**
 * Spans, made by OpenTelemetry's own packages and sent to a collector: `npm run test:tracing`. The packages are installed beside this
 * file, as an operator would install them in a project.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const folder = import.meta.dirname
const npm = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']
const installed = spawnSync('npm', npm, { cwd: folder, stdio: 'inherit' })
if (installed.status !== 0) process.exit(installed.status ?? 1)
const { status } = spawnSync(
  process.execPath,
  [
    '--test',
    '--test-reporter=spec',
    '--test-timeout=300000',
    '--conditions=@mcp-patchbay/source',
    ...process.argv.slice(2),
    join(folder, 'spans.ts'),
  ],
  { stdio: 'inherit' },
)
process.exitCode = status ?? 1
