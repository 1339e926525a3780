import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * Goes on with the Node that belongs to the project, beside whose commands npm puts it, where the machine's own is too old: a client starts
 * the command by its path, with whatever Node is first on its PATH. False where there is none that does.
 */
export function continueWithProjectNode() {
  const places = ['../../.bin/node', '../../node_modules/.bin/node'].map((place) =>
    fileURLToPath(new URL(place, import.meta.url)),
  )
  const node = places.find((place) => existsSync(place) && isNewEnough(place))
  if (node === undefined) return false
  const child = spawn(node, ['--', ...process.argv.slice(1)], { stdio: 'inherit' })
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code) => process.exit(code ?? 1))
  return true
}

function isNewEnough(node) {
  const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' })
  const [major = 0, minor = 0] = `${stdout}`.slice(1).split('.').map(Number)
  return major >= 26 || (major === 24 && minor >= 15)
}
