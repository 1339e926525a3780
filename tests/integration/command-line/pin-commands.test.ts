import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { test } from 'node:test'
import { pinnedProject, pluginSource, tool } from '../../fixtures/projects/pinned-project.ts'

const files = { 'plugins/notes/index.ts': pluginSource() }
const changed = pluginSource({
  tools: [tool({ description: 'Reads one thing.' }), tool({ name: 'items_add', access: 'write' })],
  more: 'capabilities: { hosts: ["https://files.example.com"] },',
})

test('lock pins what is there, check agrees, and a second lock writes nothing', async () => {
  using project = pinnedProject(files)
  assert.equal((await project.patchbay(['lock', '--check'])).code, 1)
  assert.equal(existsSync(project.path('mcp.lock.json')), false)
  const first = await project.patchbay(['lock'])
  assert.equal(first.code, 0)
  assert.match(first.stdout, /notes\n {2}\+ not pinned yet\n[^]*tool items_get \(read\): Reads one item\./)
  assert.equal((await project.patchbay(['lock', '--check'])).code, 0)
  const { ino } = statSync(project.path('mcp.lock.json'))
  const second = await project.patchbay(['lock'])
  assert.match(second.stdout, /Everything is what mcp\.lock\.json says/)
  assert.equal(statSync(project.path('mcp.lock.json')).ino, ino)
})

test('lock, its check and diff warn of what clients drop and of a file that no lock covers, also as JSON', async () => {
  const shared = `export const value = 1`
  using project = pinnedProject({
    'plugins/notes/index.ts': `import { value } from '../../shared/value.ts'\nvoid value\n${pluginSource({
      tools: [tool().replace('Type.Object({})', '{ type: "object", oneOf: [{ type: "object" }] }')],
    })}`,
    'shared/value.ts': shared,
  })
  for (const args of [['lock'], ['lock', '--check'], ['diff']]) {
    const { stdout } = await project.patchbay(args)
    assert.match(stdout, /^warning: notes imports \S+shared\/value\.ts, which no lock covers/m, args.join(' '))
    assert.match(
      stdout,
      /^warning: notes_items_get: input\.oneOf is at the root of the input: .+\. Write one object/m,
      args.join(' '),
    )
  }
  const { warnings, uncovered } = JSON.parse((await project.patchbay(['diff', '--json'])).stdout) as {
    warnings: readonly { name: string }[]
    uncovered: Readonly<Record<string, readonly string[]>>
  }
  assert.deepEqual([warnings.map(({ name }) => name), Object.keys(uncovered)], [['notes_items_get'], ['notes']])
})

test('diff says which text changed in which tool, which files, and which capability is new', async () => {
  using project = pinnedProject(files)
  await project.lock()
  project.write('plugins/notes/index.ts', changed)
  const { code, stdout } = await project.patchbay(['diff'])
  assert.equal(code, 1)
  for (const line of [
    /~ index\.ts/,
    /\+ may now hosts: https:\/\/files\.example\.com/,
    /- "Reads one item\."\n\s+\+ "Reads one thing\."/,
    /\+ tool items_add/,
  ])
    assert.match(stdout, line)
})

test('diff as JSON has the same for programs', async () => {
  using project = pinnedProject(files)
  await project.lock()
  project.write('plugins/notes/index.ts', changed)
  const { code, stdout } = await project.patchbay(['diff', '--json'])
  assert.equal(code, 1)
  const { deployment, changes } = JSON.parse(stdout) as {
    deployment: string
    changes: readonly { name: string; change: string; differences: readonly { kind: string }[] }[]
  }
  assert.equal(deployment, 'default')
  assert.deepEqual(
    changes.map(({ name, change, differences }) => [name, change, differences.map(({ kind }) => kind)]),
    [['notes', 'changed', ['tree', 'capability', 'tool', 'tool']]],
  )
})

test('without what was kept of the approved text, diff still says what differs', async () => {
  using project = pinnedProject(files)
  await project.lock()
  project.remove('.patchbay')
  project.write('plugins/notes/index.ts', changed)
  const { stdout } = await project.patchbay(['diff'])
  assert.match(stdout, /~ tool items_get\n/)
  assert.doesNotMatch(stdout, /Reads one item/)
})

test('text that was forged as approved is not shown', async () => {
  using project = pinnedProject(files)
  await project.lock()
  project.write('plugins/notes/index.ts', changed)
  const kept = '.patchbay/approved/default/notes.json'
  project.write(kept, readFileSync(project.path(kept), 'utf8').replace('Reads one item.', 'Reads one thing.'))
  const { stdout } = await project.patchbay(['diff'])
  assert.match(stdout, /~ tool items_get\n/)
})

test('a plugin that was taken out of the config leaves the lock', async () => {
  using project = pinnedProject({ ...files, 'plugins/other/index.ts': pluginSource({ name: 'other' }) })
  await project.lock()
  project.remove('plugins/other')
  const { code, stdout } = await project.patchbay(['diff'])
  assert.equal(code, 1)
  assert.match(stdout, /other\n {2}- no longer in the config/)
  await project.lock()
  assert.doesNotMatch(readFileSync(project.path('mcp.lock.json'), 'utf8'), /other/)
})

test('a plugin that cannot be imported leaves the lock as it was', async () => {
  using project = pinnedProject(files)
  await project.lock()
  const before = readFileSync(project.path('mcp.lock.json'), 'utf8')
  project.write('plugins/notes/index.ts', changed)
  project.write('plugins/broken/index.ts', 'throw new Error("out of order")')
  for (const args of [['lock'], ['approve', 'broken']]) {
    const { code, stderr } = await project.patchbay(args)
    assert.equal(code, 1)
    assert.match(stderr, /out of order/)
  }
  assert.equal(readFileSync(project.path('mcp.lock.json'), 'utf8'), before)
})

test('approve records one plugin whole and leaves the others', async () => {
  using project = pinnedProject({ ...files, 'plugins/other/index.ts': pluginSource({ name: 'other' }) })
  await project.lock()
  project.write('plugins/notes/index.ts', changed)
  project.write('plugins/other/index.ts', pluginSource({ name: 'other', tools: [tool({ description: 'Other.' })] }))
  const { code, stdout } = await project.patchbay(['approve', 'notes'])
  assert.equal(code, 0)
  assert.match(stdout, /\+ "Reads one thing\."[^]*Approved notes/)
  const { stdout: left } = await project.patchbay(['diff'])
  assert.match(left, /^other$/m)
  assert.doesNotMatch(left, /^notes$/m)
})

test('approve knows what it cannot approve', async () => {
  using project = pinnedProject(files)
  const unlocked = await project.patchbay(['approve', 'notes.items_get'])
  assert.equal(unlocked.code, 1)
  assert.match(unlocked.stderr, /Plugin "notes" is not in mcp\.lock\.json/)
  await project.lock()
  for (const [target, known] of [
    ['nothing', /known names: notes/],
    ['notes.nothing', /known names: notes\.items_get/],
  ] as const) {
    const { code, stderr } = await project.patchbay(['approve', target])
    assert.equal(code, 1)
    assert.match(stderr, known)
  }
  assert.equal((await project.patchbay(['approve'])).code, 2)
  const again = await project.patchbay(['approve', 'notes'])
  assert.deepEqual([again.code, again.stdout], [0, 'notes is what mcp.lock.json says already\n'])
})

test('a torn lock ends every command that needs it with 78', async () => {
  using project = pinnedProject({ ...files, 'mcp.lock.json': '{' })
  for (const args of [['lock'], ['lock', '--check'], ['diff'], ['approve', 'notes']])
    assert.equal((await project.patchbay(args)).code, 78, args.join(' '))
})

for (const isolation of ['inline', 'process'])
  test(`lock and diff warn of nothing where every file that is run is pinned (${isolation})`, async () => {
    using project = pinnedProject({
      'package.json': '{ "name": "project", "type": "module" }',
      'mcp.config.json': JSON.stringify({ plugins: [{ use: './plugins/notes', as: 'notes', isolation }] }),
      'plugins/notes/index.ts': `import { word } from './lib/word.ts'\n${pluginSource()}\nexport { word }\n`,
      'plugins/notes/lib/word.ts': `export const word = 'one'\n`,
    })
    const before = await project.patchbay(['diff', '--json'])
    assert.deepEqual((JSON.parse(before.stdout) as { uncovered: object }).uncovered, {})
    for (const command of ['diff', 'lock', 'lock']) {
      const { stdout, stderr } = await project.patchbay([command])
      assert.doesNotMatch(stdout + stderr, /warning/i)
    }
    assert.match((await project.patchbay(['list'], { NODE_ENV: 'production' })).stdout, /^notes .*active/m)
  })

test('approve --seen approves the difference that was read, and nothing that changed after it', async () => {
  using project = pinnedProject(files)
  await project.lock()
  project.write('plugins/notes/index.ts', changed)
  const read = JSON.parse((await project.patchbay(['diff', '--json'])).stdout) as { changes: [{ digest: string }] }
  const [{ digest }] = read.changes
  project.write('plugins/notes/index.ts', changed.replace('Reads one thing.', 'Sends one thing.'))
  const late = await project.patchbay(['approve', 'notes', '--seen', digest, '--json'])
  assert.equal(late.code, 1)
  assert.partialDeepStrictEqual(JSON.parse(late.stdout), { error: { code: 'PIN_NOT_SEEN' } })
  assert.equal((await project.patchbay(['lock', '--check'])).code, 1)
  project.write('plugins/notes/index.ts', changed)
  assert.equal((await project.patchbay(['approve', 'notes', '--seen', digest])).code, 0)
  assert.equal((await project.patchbay(['lock', '--check'])).code, 0)
})

test('what a deployment runs is reviewed and checked: lock --all, diff --markdown, list --check, and a strict start', async () => {
  using project = pinnedProject(files, {
    pluginDirs: ['./plugins'],
    deployments: { production: { frozen: 'strict' }, staging: {} },
  })
  assert.equal((await project.patchbay(['lock', '--all'])).code, 0)
  const { deployments: locked } = JSON.parse(readFileSync(project.path('mcp.lock.json'), 'utf8')) as { deployments: object }
  assert.deepEqual(Object.keys(locked), ['production', 'staging'])
  assert.equal((await project.patchbay(['lock', '--all', '--check'])).code, 0)
  assert.equal((await project.patchbay(['list', '--check', '--deployment', 'production'])).code, 0)

  project.write('plugins/notes/index.ts', changed.replace('Reads one thing.', 'Reads ```` <b>one</b> thing.'))
  const both = await project.patchbay(['lock', '--all', '--check', '--json'])
  assert.equal(both.code, 1)
  assert.deepEqual(
    (JSON.parse(both.stdout) as { deployment: string; changes: unknown[] }[]).map((one) => [one.deployment, one.changes.length]),
    [
      ['production', 1],
      ['staging', 1],
    ],
  )
  const { code, stdout } = await project.patchbay(['diff', '--markdown', '--deployment', 'production'])
  assert.equal(code, 1)
  assert.match(
    stdout,
    /^## Plugins of deployment `production`\n\n1 of 1 differ from `mcp\.lock\.json`\.\n\n### `notes`\n\n`{5}diff\n/,
  )
  assert.match(
    stdout,
    /\n\+ may now hosts: https:\/\/files\.example\.com\n[^]*\n- {7}"Reads one item\."\n\+ {7}"Reads ```` <b>one<\/b> thing\."\n`{5}\n/,
  )

  assert.equal(
    (await project.patchbay(['list', '--check', '--deployment', 'staging'])).code,
    0,
    'a path runs as it is where nothing is frozen',
  )
  assert.equal((await project.patchbay(['list', '--check', '--deployment', 'production'])).code, 1)
  for (const line of [
    ['start', '--deployment', 'production'],
    ['start', '--deployment', 'staging', '--frozen=strict'],
  ]) {
    const start = await project.patchbay([...line, '--port', '0', '--management-port', '0'])
    assert.equal(start.code, 78)
    assert.match(start.stderr, /One thing is not as \S+mcp\.lock\.json pins, and the deployment is frozen strictly:\n {2}notes: /)
  }
})
