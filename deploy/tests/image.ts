import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import type { LogLine } from '../../tests/fixtures/projects/patchbay-process.ts'

const run = promisify(execFile)

/** What an image says about how it is run. */
export interface ImageConfig {
  readonly User: string
  readonly Env: readonly string[]
  readonly Entrypoint: readonly string[]
  readonly Cmd: readonly string[]
  readonly WorkingDir: string
  readonly StopSignal: string
  readonly ExposedPorts: Readonly<Record<string, unknown>>
  readonly Healthcheck: { readonly Test: readonly string[] }
}

export interface Image {
  readonly config: ImageConfig
  /** Its files. */
  readonly root: string
}

/** Builds images in a store of its own, without a daemon. */
export function imageStore(): Disposable & { build(options: BuildOptions): Promise<Image> } {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-images-'))
  const policy = join(folder, 'policy.json')
  writeFileSync(policy, JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }))
  const env = { ...process.env, BUILDAH_ISOLATION: 'chroot' }
  const buildah = async (command: string, ...args: readonly string[]): Promise<string> => {
    const store = ['--root', join(folder, 'store'), '--runroot', join(folder, 'run')]
    const { stdout } = await run('buildah', [...store, command, ...args], { env, maxBuffer: 1 << 26 })
    return stdout.trim()
  }

  let hasBase = false
  /** Debian, and this Node and npm. */
  async function base(registry: string): Promise<void> {
    if (hasBase) return
    hasBase = true
    const container = await buildah('from', 'scratch')
    const npm = dirname(dirname((await run('readlink', ['-f', (await run('which', ['npm'])).stdout.trim()])).stdout))
    await buildah('add', '--quiet', container, await debian(), '/')
    await buildah('add', '--quiet', container, process.execPath, '/usr/local/bin/node')
    await buildah('add', '--quiet', container, npm, '/usr/local/lib/node_modules/npm')
    await buildah('run', container, '--', 'ln', '-s', '../lib/node_modules/npm/bin/npm-cli.js', '/usr/local/bin/npm')
    await buildah('config', '--env', `npm_config_registry=${registry}`, container)
    const authorities = process.env['NODE_EXTRA_CA_CERTS']
    if (authorities) await buildah('add', '--quiet', container, authorities, '/etc/ssl/certs/extra.crt')
    if (authorities) await buildah('config', '--env', 'NODE_EXTRA_CA_CERTS=/etc/ssl/certs/extra.crt', container)
    await buildah('commit', '--quiet', '--rm', '--signature-policy', policy, container, 'base')
  }

  return {
    async build({ context, dockerfile, registry, tag = 'project', ignoreFile = `${dockerfile}.dockerignore` }) {
      await base(registry)
      const options = ['--format', 'docker', '--signature-policy', policy, '--pull-never', '--quiet']
      const files = ['--file', dockerfile, '--ignorefile', ignoreFile]
      await buildah('bud', ...options, ...files, '--build-arg', 'BASE=localhost/base', '--tag', tag, context)
      const { Docker } = JSON.parse(await buildah('inspect', '--type', 'image', `localhost/${tag}`)) as {
        readonly Docker: { readonly config: ImageConfig }
      }
      const container = await buildah('from', '--pull-never', '--signature-policy', policy, `localhost/${tag}`)
      return { config: Docker.config, root: await buildah('mount', container) }
    },
    [Symbol.dispose]() {
      unmountBelow(folder)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export interface BuildOptions {
  readonly context: string
  readonly dockerfile: string
  /** Where npm finds packages. */
  readonly registry: string
  readonly tag?: string
  /** What of the context stays outside. Default: beside the Dockerfile, by its name. */
  readonly ignoreFile?: string
}

export interface ContainerOptions {
  readonly uid: number
  readonly env: Readonly<Record<string, string>>
  /** Folders by where they are mounted, read-only. */
  readonly volumes: Readonly<Record<string, string>>
  /** A command of this machine that runs beside it, in the same namespaces: another service of a compose file. */
  readonly beside?: string
  /** Names under which it finds what runs beside it. */
  readonly names?: readonly string[]
}

/** A container of an image: a read-only root, /tmp, namespaces of its own for processes, mounts and network, no capabilities. */
export interface Container extends AsyncDisposable {
  /** The next line of the log that has this event, from the last one that was waited for. */
  logged(event: string): Promise<LogLine>
  /** Runs a command inside, with the uid of the container; its output, or an error with it. */
  exec(...command: readonly string[]): Promise<string>
  /** Runs a line of the shell on this machine, where the ports of the container are those of localhost, as if they were published. */
  shell(line: string, options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> }): Promise<string>
  /** Sends a signal to the first process. */
  kill(signal: NodeJS.Signals): void
  readonly exited: Promise<number | NodeJS.Signals>
}

/** How a command of an image is run, as the user with this uid, for `unshare`. */
function commandLine({ config, root }: Image, { uid, env, volumes, beside, names }: ContainerOptions) {
  if (names) writeFileSync(join(root, 'etc/hosts'), `127.0.0.1 localhost ${names.join(' ')}\n`)
  for (const target of Object.keys(volumes)) mkdirSync(join(root, target), { recursive: true })
  const mounts = Object.entries(volumes).map(([target, source]) => `mount -o bind,ro "${source}" "${join(root, target)}"`)
  const script = [
    'set -e',
    'ip link set lo up',
    ...(beside ? [`${beside} >/dev/null 2>&1 &`] : []),
    `mount --bind "${root}" "${root}"`,
    ...mounts,
    `mount -t tmpfs -o mode=1777 tmpfs "${root}/tmp"`,
    `mount -t proc proc "${root}/proc"`,
    `mount --rbind /dev "${root}/dev"`,
    `mount -o remount,bind,ro "${root}"`,
    `exec chroot "${root}" "$@"`,
  ].join('\n')
  const variables = [...config.Env, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)]
  const user = ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--no-new-privs', '--bounding-set=-all']
  const asUser = [...user, 'env', '-i', '-C', config.WorkingDir, ...variables]
  const start = (args: readonly string[]) => [...UNSHARE, script, 'sh', ...asUser, ...config.Entrypoint, ...args]
  return { asUser, start }
}

const UNSHARE = ['--mount', '--pid', '--net', '--fork', '--kill-child', 'sh', '-c']

/** `docker run --interactive IMAGE ARGS` with this on stdin: what it prints until it ends. */
export async function runInteractive(image: Image, args: readonly string[], input: string): Promise<string> {
  const { start } = commandLine(image, { uid: Number(image.config.User.split(':')[0]), env: {}, volumes: {} })
  const running = run('unshare', start(args))
  running.child.stdin?.end(input)
  return (await running).stdout
}

export async function startContainer(image: Image, options: ContainerOptions): Promise<Container> {
  const { asUser, start } = commandLine(image, options)
  const child = spawn('unshare', start(image.config.Cmd), { stdio: ['ignore', 'inherit', 'pipe'] })
  const exited = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals)
  const lines = createInterface(child.stderr)[Symbol.asyncIterator]()
  const seen: string[] = []
  const logged = async (event: string): Promise<LogLine> => {
    for (;;) {
      const next = await lines.next()
      if (next.done) throw new Error([`It ended before ${event}:`, ...seen].join('\n'))
      seen.push(next.value)
      if (!next.value.startsWith('{')) continue
      const line = JSON.parse(next.value) as LogLine
      if (line.event === event) return line
    }
  }
  await logged('listening')
  const first = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim()
  return {
    logged,
    async exec(...inside) {
      const enter = ['--target', first, '--mount', '--pid', '--net', '--root', '--']
      return (await run('nsenter', [...enter, ...asUser, ...inside])).stdout
    },
    async shell(line, { cwd, env: more }) {
      const enter = ['--target', first, '--net', '--']
      return (await run('nsenter', [...enter, 'sh', '-ec', line], { cwd, env: { ...process.env, ...more } })).stdout
    },
    kill: (signal) => void process.kill(Number(first), signal),
    exited,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

/** buildah leaves parts of its store mounted on themselves. */
function unmountBelow(folder: string): void {
  const points = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
  for (const point of points.filter((at) => at.startsWith(`${folder}/`)).toReversed()) execFileSync('umount', ['--lazy', point])
}

/** A tarball of a small Debian, kept for later runs. */
async function debian(): Promise<string> {
  const kept = join(homedir(), '.cache/patchbay-tests/debian-bookworm.tar')
  if (existsSync(kept)) return kept
  mkdirSync(dirname(kept), { recursive: true, mode: 0o700 })
  const fresh = `${kept}.${process.pid}`
  // Node's builds for Linux need libatomic from version 25 on.
  const options = ['--quiet', '--format=tar', '--variant=minbase', '--include=ca-certificates,libatomic1']
  await run('mmdebstrap', [...options, 'bookworm', fresh, ...(await mirrors())])
  renameSync(fresh, kept)
  return kept
}

/** Where this machine itself has Debian from: mmdebstrap reads no settings of apt. */
async function mirrors(): Promise<readonly string[]> {
  const listing = await run('apt-get', ['indextargets', 'Created-By: Packages', '--format', '$(REPO_URI) $(RELEASE)']).catch(
    () => undefined,
  )
  const line = listing?.stdout.split('\n').find((target) => target.endsWith(' bookworm'))
  return line ? [line.slice(0, line.lastIndexOf(' '))] : []
}
