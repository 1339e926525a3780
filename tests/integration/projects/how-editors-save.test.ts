import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { test, type TestContext } from 'node:test'
import { reloading, revisionPlugin, type Reloading } from '../../fixtures/plugins/reloading.ts'

const FILE = 'plugins/a/index.ts'

/** How each editor puts a new content in the place of the old one. */
const saves: Readonly<Record<string, (at: Reloading, text: string) => void>> = {
  'vim, which moves the file to a backup and writes a new one'(at, text) {
    writeFileSync(at.path('plugins/a/.index.ts.swp'), 'b0VIM')
    writeFileSync(at.path('plugins/a/4913'), '')
    unlinkSync(at.path('plugins/a/4913'))
    renameSync(at.path(FILE), at.path(`${FILE}~`))
    writeFileSync(at.path(FILE), text)
    unlinkSync(at.path(`${FILE}~`))
    unlinkSync(at.path('plugins/a/.index.ts.swp'))
  },
  'vim with backupcopy=yes, which writes in place'(at, text) {
    writeFileSync(at.path(`${FILE}~`), 'the copy')
    writeFileSync(at.path(FILE), text)
    unlinkSync(at.path(`${FILE}~`))
  },
  'emacs, with a lock that is a dangling link and a backup'(at, text) {
    symlinkSync('user@machine.123:456', at.path('plugins/a/.#index.ts'))
    renameSync(at.path(FILE), at.path(`${FILE}~`))
    writeFileSync(at.path(FILE), text)
    unlinkSync(at.path('plugins/a/.#index.ts'))
  },
  'VS Code, which writes in place': (at, text) => writeFileSync(at.path(FILE), text),
  'an editor that writes beside and renames over'(at, text) {
    writeFileSync(at.path('plugins/a/.index.ts.tmp-1'), text)
    renameSync(at.path('plugins/a/.index.ts.tmp-1'), at.path(FILE))
  },
  'JetBrains, with a safe write'(at, text) {
    writeFileSync(at.path(`${FILE}___jb_tmp___`), text)
    renameSync(at.path(FILE), at.path(`${FILE}___jb_old___`))
    renameSync(at.path(`${FILE}___jb_tmp___`), at.path(FILE))
    unlinkSync(at.path(`${FILE}___jb_old___`))
  },
  'one that deletes and writes again'(at, text) {
    unlinkSync(at.path(FILE))
    writeFileSync(at.path(FILE), text)
  },
  'one that writes in parts'(at, text) {
    const descriptor = openSync(at.path(FILE), 'w')
    for (let from = 0; from < text.length; from += 64) {
      writeSync(descriptor, text.slice(from, from + 64))
      fsyncSync(descriptor)
    }
    closeSync(descriptor)
  },
}

for (const isolation of ['inline', 'process'] as const)
  test(`a save of every editor is served, and no tool goes away meanwhile (${isolation})`, async (t) => {
    const at = await serve(t, isolation)
    let revision = 1
    for (const [editor, save] of Object.entries(saves)) {
      save(at, revisionPlugin('a', ++revision, { head: '// some text\n'.repeat(40) }))
      await served(at, revision, editor)
    }
    assert.deepEqual(
      at.reloads.all.filter(({ outcome }) => outcome === 'removed' || outcome === 'added'),
      [],
    )
    assert.deepEqual(
      readdirSync(at.path('plugins/a')).filter((name) => !name.endsWith('~')),
      ['index.ts'],
    )
  })

for (const isolation of ['inline', 'process'] as const)
  test(`git switches branches, stashes and rebases, and what is checked out is served (${isolation})`, async (t) => {
    const at = await serve(t, isolation)
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', '-c', 'commit.gpgsign=false', ...args], {
        cwd: at.root,
        stdio: 'pipe',
      })
    const commit = (revision: number | string, message: string) => {
      at.write(FILE, revisionPlugin('a', revision))
      git('add', 'plugins')
      git('commit', '-qm', message)
    }
    git('init', '-q', '-b', 'main')
    git('add', '.')
    git('commit', '-qm', 'one')
    git('switch', '-qc', 'feature')
    commit(2, 'two')
    await served(at, 2, 'a commit')
    git('switch', '-q', 'main')
    await served(at, 1, 'a switch')
    git('switch', '-q', 'feature')
    await served(at, 2, 'a switch back')

    at.write(FILE, revisionPlugin('a', 3))
    await served(at, 3, 'an edit')
    git('stash', '-q')
    await served(at, 2, 'a stash')
    git('stash', 'pop', '-q')
    await served(at, 3, 'a stash that is popped')
    git('checkout', '-q', '--', FILE)

    git('switch', '-q', 'main')
    at.write('plugins/b/index.ts', revisionPlugin('b', 1))
    git('add', 'plugins')
    git('commit', '-qm', 'b')
    git('rebase', '-q', 'main', 'feature')
    await served(at, 2, 'a rebase')
    assert.equal(await until(at, 'b_rev', '1'), '1')

    git('switch', '-q', '--orphan', 'empty')
    await at.reloads.next(({ instance, outcome }) => instance === 'b' && outcome === 'removed')
    git('switch', '-q', 'feature')
    await served(at, 2, 'a branch without the plugin, and back')
    assert.equal(await until(at, 'b_rev', '1'), '1')
  })

function serve(t: TestContext, isolation: 'inline' | 'process'): Promise<Reloading> {
  return reloading(
    t,
    { [FILE]: revisionPlugin('a', 1), '.gitignore': 'mcp.config.json' },
    { config: { plugins: [{ use: './plugins/a', isolation }], limits: { loadTimeoutMs: 60_000 } } },
  )
}

async function served(at: Reloading, revision: number, by: string): Promise<void> {
  assert.equal(await until(at, 'a_rev', String(revision)), String(revision), by)
}

/** The answer of the tool once it is that, asked again after each reload. It never is an error on the way. */
async function until(at: Reloading, tool: string, answer: string): Promise<string> {
  for (;;) {
    const seen = at.reloads.all.length
    const said = await at.call(tool).catch((error: { code?: string }) => error.code ?? 'failed')
    if (said === answer) return said
    if (at.reloads.all.length === seen) await at.reloads.next()
  }
}
