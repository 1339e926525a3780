import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, globSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { isRunning } from '../../host/src/observability/is-running.ts'
import { openProject, type Project } from '../../host/src/project/open-project.ts'
import { approve, comparePins, lockAll } from '../../host/src/project/project-pins.ts'
import { undoInterrupted } from '../../host/src/project/transaction.ts'
import { stateOf } from '../fixtures/projects/folder-state.ts'
import { spawnPatchbay } from '../fixtures/projects/patchbay-process.ts'
import { pinnedProject, pluginSource, tool, type PinnedProject } from '../fixtures/projects/pinned-project.ts'
import { stubNpm, stubPackage } from '../fixtures/projects/stub-npm.ts'

const run = promisify(execFile)
const sources = join(import.meta.dirname, '../../host/src')
/** Read from the source, so that a new fault point is tested from the day it is written. */
const pointsOf = (pattern: string, point: RegExp) =>
  globSync(pattern, { cwd: sources }).flatMap((file) =>
    [...readFileSync(join(sources, file), 'utf8').matchAll(point)].map(([, name]) => String(name)),
  )
const replacing = pointsOf('data/replace-file.ts', /\bat\('([^']+)'\)/g)
const points = [
  ...pointsOf('project/*.ts', /fault\('([^']+)'\)/g),
  ...['config', 'approved', 'lock'].flatMap((what) => replacing.map((step) => `${what}.${step}`)),
]

/** Where only a change that is undone comes by. */
const ofUndoing = ['transaction.restore', 'transaction.swap', 'transaction.restored']
const ofRemoving = ['install.uninstalled']
const afterTheEnd = ['transaction.ended']
/** How a file is replaced has tests of its own, lock-write.test.ts: here it counts what lies before and behind. */
const aroundFiles = (point: string) => !/\.(?:open|write|sync)$/.test(point)
const inAChange = points.filter((point) => ![...ofUndoing, ...ofRemoving, ...afterTheEnd].includes(point))

const notes = { 'plugins/notes/index.ts': pluginSource() }
const changedNotes = pluginSource({ tools: [tool({ description: 'Reads one thing.' })] })

/** Locked once, then copied: what a lock pins is the same in every folder. */
function copiesOf(made: PinnedProject): () => Promise<PinnedProject> {
  after(() => made[Symbol.dispose]())
  let locking: Promise<void> | undefined
  return async () => {
    await (locking ??= made.lock())
    const project = pinnedProject({})
    cpSync(made.root, project.root, { recursive: true })
    return project
  }
}

/** A project with a locked plugin of its own. */
const lockedProject = copiesOf(pinnedProject({ 'package.json': '{}', ...notes }))
/** The same with the package installed, added and locked. */
const installedProject = copiesOf(installed())

function installed(): PinnedProject {
  using npm = stubNpm()
  const config = { pluginDirs: ['./plugins'], plugins: [{ use: stubPackage, as: 'jira', version: '2.3.1' }] }
  return pinnedProject({ ...notes, ...npm.files() }, config)
}

/** Runs a command that is killed at `point`, and nowhere before. */
async function killedAt(point: string, project: PinnedProject, args: readonly string[], PATH = ''): Promise<void> {
  const { code, stderr } = await project.patchbay(args, { ...(PATH && { PATH }), PATCHBAY_FAULTS: `${point}:kill` })
  assert.equal(code, null, `it was not killed: ${stderr}`)
}

/** The names of a project whose lock is that of its config and its node_modules. */
async function namesIn(project: PinnedProject): Promise<readonly string[]> {
  const { changes, failed, plugins } = await comparePins(await openProject({ config: project.path('mcp.config.json') }))
  assert.deepEqual([changes, failed], [[], []])
  return plugins.map(({ name }) => name).toSorted()
}

const leftovers = (project: PinnedProject) =>
  Object.keys(stateOf(project.root)).filter((file) => /\.tmp$|\.draft|\.patchbay\/(?:done|begin|transaction)/.test(file))

interface Change {
  readonly args: readonly string[]
  readonly from: () => Promise<PinnedProject>
  /** Where it is killed before it ended. */
  readonly at: readonly string[]
  /** The plugins that are there once it is done. */
  readonly done: readonly string[]
}

const changes: Readonly<Record<string, Change>> = {
  add: { args: ['add', './plugins', '--yes'], from: lockedProject, at: inAChange.filter(aroundFiles), done: ['jira', 'notes'] },
  update: {
    args: ['update', 'jira', './plugins', '--yes'],
    from: installedProject,
    at: ['install.installed', 'lock.rename', 'transaction.commit'],
    done: ['jira', 'notes'],
  },
  remove: {
    args: ['remove', 'jira'],
    from: installedProject,
    at: ['lock.rename', ...ofRemoving, 'transaction.commit'],
    done: ['notes'],
  },
}

for (const [name, { args, from, at, done }] of Object.entries(changes))
  describe(name, { concurrency: 2 }, () => {
    for (const point of at)
      test(`killed at ${point}, leaves what was before, byte for byte, once the next command begins`, async () => {
        using npm = stubNpm()
        using project = await from()
        npm.release('2.4.0')
        const old = stateOf(project.root)
        await killedAt(point, project, args, npm.PATH)
        await undoInterrupted(project.root)
        assert.deepEqual(stateOf(project.root), old)
      })

    test(`killed at ${afterTheEnd.join()}, leaves what it did, whole`, async () => {
      using npm = stubNpm()
      using project = await from()
      npm.release('2.4.0')
      await killedAt(afterTheEnd.join(), project, args, npm.PATH)
      assert.equal(await undoInterrupted(project.root), false)
      assert.deepEqual(await namesIn(project), done)
      assert.deepEqual(leftovers(project), [])
    })
  })

describe('undoing', { concurrency: 2 }, () => {
  for (const point of ofUndoing)
    test(`killed at ${point}, is done again by the next command`, async () => {
      using npm = stubNpm()
      using project = await installedProject()
      npm.release('2.4.0')
      const old = stateOf(project.root)
      await killedAt('transaction.commit', project, ['update', 'jira', './plugins', '--yes'], npm.PATH)
      assert.notDeepEqual(stateOf(project.root)['mcp.lock.json'], old['mcp.lock.json'])
      await killedAt(point, project, ['env'])
      await undoInterrupted(project.root)
      assert.deepEqual(stateOf(project.root), old)
    })

  test('is told to whoever runs the next command', async () => {
    using npm = stubNpm()
    using project = await lockedProject()
    await killedAt('transaction.commit', project, ['add', './plugins', '--yes'], npm.PATH)
    const { stderr } = await project.patchbay(['env'])
    assert.equal(stderr, 'A command that changed this project was interrupted; everything is as it was before\n')
  })

  test('stops an npm that outlived its command, and puts back what that had begun', async () => {
    using npm = stubNpm()
    using project = await lockedProject()
    const old = stateOf(project.root)
    const held = npm.hold()
    const command = spawnPatchbay(['add', './plugins', '--yes'], { cwd: project.root, env: { PATH: npm.PATH } })
    await held
    command.kill('SIGKILL')
    await once(command, 'exit')
    const child = Number(readFileSync(project.path('.patchbay/transaction/child'), 'utf8'))
    assert.ok(isRunning(child), 'npm has outlived the command')
    await undoInterrupted(project.root)
    assert.ok(!(await isAlive(child)))
    assert.deepEqual(stateOf(project.root), old)
  })

  test('leaves a change alone that is under way, and a second change is refused', async () => {
    using npm = stubNpm()
    using project = await lockedProject()
    const held = npm.hold()
    const command = spawnPatchbay(['add', './plugins', '--yes'], { cwd: project.root, env: { PATH: npm.PATH } })
    try {
      await held
      const { code, stderr } = await project.patchbay(['add', './plugins', '--yes'], { PATH: npm.PATH })
      assert.equal(code, 1)
      assert.match(stderr, /Another command is changing this project/)
      assert.equal((await project.patchbay(['lock', '--check'])).code, 0)
    } finally {
      command.kill('SIGKILL')
      await once(command, 'exit')
    }
    assert.ok(await undoInterrupted(project.root))
  })
})

test('add fails at any point as on a full disk and leaves what was before, until it goes well', async () => {
  using npm = stubNpm()
  using project = await lockedProject()
  // Each point fails once, so every attempt comes a point further.
  const script = `
    const [{ addPlugin }, { openProject }, { stateOf }] = await Promise.all(
      ${JSON.stringify(['../../host/src/project/add.ts', '../../host/src/project/open-project.ts', '../fixtures/projects/folder-state.ts'].map((file) => new URL(file, import.meta.url).href))}.map((file) => import(file)),
    )
    const attempts = []
    for (;;) {
      const state = JSON.stringify(stateOf('.'))
      try {
        const project = await openProject({ config: 'mcp.config.json' })
        const spec = { kind: 'file', file: process.cwd() + '/plugins' }
        await addPlugin(project, { spec, consent: { now: false, allowNative: false }, now: Date.now(), confirm: async () => true })
        break
      } catch (error) {
        const [, point] = /at fault point (\\S+)/.exec(error.message) ?? []
        attempts.push({ point: point ?? error.stack, unchanged: JSON.stringify(stateOf('.')) === state })
      }
    }
    console.log(JSON.stringify(attempts))`
  const PATCHBAY_FAULTS = inAChange.map((point) => `${point}:throw`).join(',')
  const { stdout } = await run(process.execPath, [...process.execArgv, '--input-type=module', '-e', script], {
    cwd: project.root,
    env: { PATH: npm.PATH, PATCHBAY_FAULTS },
  })
  const attempts = JSON.parse(stdout) as readonly { point: string; unchanged: boolean }[]
  assert.deepEqual(attempts.map(({ point }) => point).toSorted(), inAChange.toSorted())
  assert.deepEqual(
    attempts.filter(({ unchanged }) => !unchanged),
    [],
  )
  assert.deepEqual(await namesIn(project), ['jira', 'notes'])
})

const writers: Readonly<Record<string, (project: Project) => Promise<unknown>>> = {
  lock: lockAll,
  'approve notes': (project) => approve(project, 'notes'),
  'approve notes.items_get': (project) => approve(project, 'notes.items_get'),
}
for (const [command, again] of Object.entries(writers))
  describe(command, { concurrency: 2 }, () => {
    for (const point of ['approved.rename', 'lock.rename', 'lock.sync-folder'])
      test(`killed at ${point}, leaves the lock before or the one after, and done again it is complete`, async () => {
        using project = await lockedProject()
        const lock = () => readFileSync(project.path('mcp.lock.json'), 'utf8')
        const old = lock()
        project.write('plugins/notes/index.ts', changedNotes)
        await killedAt(point, project, command.split(' '))
        const left = lock()
        await again(await openProject({ config: project.path('mcp.config.json') }))
        assert.notEqual(lock(), old)
        assert.equal(left, point === 'lock.sync-folder' ? lock() : old)
        assert.deepEqual(leftovers(project), [])
      })
  })

async function isAlive(pid: number): Promise<boolean> {
  return isRunning(pid) && !/\) Z /.test(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''))
}
