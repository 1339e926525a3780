import { execFileSync, spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { Writable } from 'node:stream'

/** A copy of the repository in which a file may be changed without changing the original. */
export interface WorkingCopy extends Disposable {
  path(file: string): string
  /** Runs test files; whether all of them passed, and what they printed. One that hangs has failed. */
  test(files: readonly string[]): Promise<{ readonly passed: boolean; readonly output: string }>
}

/** For each file. Whatever hangs for this long has noticed the mutant: the files take seconds. */
const HANGS_MS = 60_000

/** The packages are those of `root`, but for its own, which are the copy's. */
export function createWorkingCopy(root: string): WorkingCopy {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-mutants-'))
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
  const deleted = execFileSync('git', ['ls-files', '-z', '--deleted'], { cwd: root, encoding: 'utf8' })
  const gone = new Set(deleted.split('\0'))
  for (const file of new Set(listed.split('\0')))
    if (file !== '' && !gone.has(file)) cpSync(join(root, file), join(folder, file), { recursive: true, verbatimSymlinks: true })
  for (const packages of ['node_modules', ...workspaceModules(root)]) linkPackages(join(root, packages), join(folder, packages))
  return {
    path: (file) => join(folder, file),
    test: (files) => runTests(folder, files),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function workspaceModules(root: string): readonly string[] {
  return ['host', 'plugin-api', 'auth-saml'].map((name) => `${name}/node_modules`).filter((name) => isFolder(join(root, name)))
}

function isFolder(path: string): boolean {
  try {
    readdirSync(path)
    return true
  } catch {
    return false
  }
}

/** A relative link, as to a workspace, stays one, so that it leads into the copy. */
function linkPackages(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target)
    else if (entry.name.startsWith('@') || entry.name === '.bin') linkPackages(source, target)
    else symlinkSync(resolve(source), target)
  }
}

/**
 * Runs its arguments. When descriptor 3 ends, whatever is left of the process group is ended: what a test leaves running, and everything
 * when the runner of the mutants is gone, however it went.
 */
const GUARDED = '{ read -r _ <&3; kill -9 0; } >/dev/null 2>&1 & "$@" 3<&-'

function runTests(folder: string, files: readonly string[]): Promise<{ passed: boolean; output: string }> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const node = [process.execPath, '--test', '--test-reporter=tap', '--conditions=@mcp-patchbay/source', ...files]
  return new Promise((done, reject) => {
    const child = spawn('/bin/sh', ['-c', GUARDED, 'sh', ...node], {
      cwd: folder,
      // Each mutant compiles one file; the rest is that of the mutant before.
      env: { ...env, PATH: `${dirname(process.execPath)}:${env['PATH'] ?? ''}`, NODE_COMPILE_CACHE: join(folder, '.compiled') },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      detached: true,
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (output += text))
    const guard = child.stdio[3] as Writable
    guard.on('error', () => {}) // the group is gone
    const limitMs = HANGS_MS * files.length
    const timer = setTimeout(() => {
      output += `\nError: ended after ${limitMs} ms`
      guard.destroy()
    }, limitMs)
    child.once('error', reject)
    child.once('exit', () => {
      clearTimeout(timer)
      guard.destroy()
    })
    child.once('close', (code) => done({ passed: code === 0, output }))
  })
}
