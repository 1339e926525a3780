import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { isObject } from '../../data/json.ts'
import { hostError } from '../../errors.ts'

/** Runs npm in a project. */
export interface Npm {
  /** What it prints as JSON. Throws `INSTALL_NPM`. */
  query(args: readonly string[]): Promise<unknown>
  /** Throws `INSTALL_NPM`. */
  change(args: readonly string[]): Promise<void>
}

export interface NpmOptions {
  readonly folder: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Called with the id of the process that will change the project, before it can change anything. */
  readonly onChild?: (pid: number) => Promise<void>
}

/** npm as it is found in PATH. Never runs a script of a package. */
export function createNpm({ folder, env, onChild }: NpmOptions): Npm {
  const run = async (args: readonly string[], begin?: (pid: number) => Promise<void>): Promise<string> => {
    const all = [...args, '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
    const [program, given] = begin && process.platform !== 'win32' ? ['/bin/sh', ['-c', GATE, 'npm', ...all]] : ['npm', all]
    const child = spawn(program, given, {
      cwd: folder,
      env: { ...env, npm_config_yes: 'true' },
      stdio: [begin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    })
    const failed = (problem: string, cause?: unknown) =>
      hostError('INSTALL_NPM', { command: `npm ${args.join(' ')}`, problem }, cause)
    const closed = new Promise<number | null>((resolve, reject) => {
      child.once('error', (error) => reject(failed(error.message, error)))
      child.once('close', resolve)
    })
    const output = Promise.all([child.stdout, child.stderr].map(readWhole))
    if (child.pid !== undefined) await begin?.(child.pid)
    child.stdin?.on('error', () => undefined).end('\n')
    const code = await closed
    const [out = '', problems = ''] = await output
    if (code !== 0) throw failed(problemIn(problems) || `it ended with ${code}`)
    return out
  }
  return {
    async query(args) {
      const answer = await run([...args, '--json'])
      return answer.trim() === '' ? undefined : (JSON.parse(answer) as unknown)
    },
    async change(args) {
      await run(args, onChild)
    },
  }
}

/** npm begins when it is told to, by a line; a command that is killed before it has noted the process never tells. */
const GATE = 'read -r _ && exec npm "$@"'

async function readWhole(stream: Readable | null): Promise<string> {
  return stream ? text(stream) : ''
}

/** npm's own lines about what went wrong, without where its log is. */
function problemIn(stderr: string): string {
  return stderr
    .split('\n')
    .map((line) => line.replace(/^npm (?:error|ERR!) ?/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('A complete log of this run') && !line.startsWith('npm warn'))
    .join('; ')
}

/** A release in the registry. */
export interface Release {
  readonly name: string
  readonly version: string
  /** When it was published; undefined where the registry does not say. */
  readonly publishedAt: Date | undefined
}

/** The release that `name@range` means now, exactly. Throws `INSTALL_NPM` when there is none. */
export async function findRelease(npm: Pick<Npm, 'query'>, spec: string): Promise<Release> {
  const found = await npm.query(['view', spec, 'name', 'version', 'time'])
  // A range that several releases satisfy gives them all, the newest last.
  const last: unknown = Array.isArray(found) ? found.at(-1) : found
  const { name, version, time } = isObject(last) ? last : {}
  if (typeof name !== 'string' || typeof version !== 'string')
    throw hostError('INSTALL_NPM', { command: `npm view ${spec}`, problem: 'the registry has no such release' })
  const published = isObject(time) ? time[version] : undefined
  const publishedAt = typeof published === 'string' ? new Date(published) : undefined
  return { name, version, publishedAt: publishedAt && Number.isFinite(publishedAt.getTime()) ? publishedAt : undefined }
}

/** Name and version of the package in a folder or tarball. Throws `INSTALL_NPM`. */
export async function readPackage(npm: Npm, file: string): Promise<{ readonly name: string; readonly version: string }> {
  const packed = await npm.query(['pack', file, '--dry-run'])
  const first: unknown = Array.isArray(packed) ? packed[0] : isObject(packed) ? Object.values(packed)[0] : undefined
  const { name, version } = isObject(first) ? first : {}
  if (typeof name !== 'string' || typeof version !== 'string')
    throw hostError('INSTALL_NPM', { command: `npm pack ${file}`, problem: 'it is no package with a name and a version' })
  return { name, version }
}
