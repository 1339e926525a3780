import assert from 'node:assert/strict'
import { appendFileSync, chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import type { HostConfig } from '../../../host/src/config/schema/schema.ts'
import { pinnedProject, pluginSource, tool, type PinnedProject } from '../../fixtures/projects/pinned-project.ts'

const config: HostConfig = { plugins: [{ use: '@acme/mcp-notes', as: 'notes', isolation: 'inline' }, './local'] }
const frozen: HostConfig = { ...config, frozen: true }
const manifest = (name: string, more = '') =>
  `{ "name": "${name}", "version": "1.0.0", "type": "module", "main": "./index.js"${more} }`
const integrity = (letter: string) =>
  JSON.stringify({
    packages: { 'node_modules/@acme/mcp-notes': { version: '1.0.0', integrity: `sha512-${letter.repeat(86)}==` } },
  })

/** A plugin from npm with a dependency beside it and one below it, and a local one. */
const files = {
  'node_modules/.package-lock.json': integrity('a'),
  'node_modules/@acme/mcp-notes/package.json': manifest(
    '@acme/mcp-notes',
    ', "exports": "./lib/index.js", "dependencies": { "hoisted": "1.0.0", "nested": "1.0.0" }',
  ),
  'node_modules/@acme/mcp-notes/lib/index.js': `import { value } from 'hoisted'\nimport nested from 'nested'\n${pluginSource({
    tools: [tool({ run: `async () => value + nested + (await import('./lazy.js')).default + (await import('late')).default` })],
  })}`,
  'node_modules/@acme/mcp-notes/lib/lazy.js': `export default 'lazy '\n`,
  'node_modules/@acme/mcp-notes/README.md': 'Read me.\n',
  'node_modules/@acme/mcp-notes/node_modules/nested/package.json': manifest('nested'),
  'node_modules/@acme/mcp-notes/node_modules/nested/index.js': `export default 'nested '\n`,
  'node_modules/@acme/mcp-notes/node_modules/late/package.json': manifest('late'),
  'node_modules/@acme/mcp-notes/node_modules/late/index.js': `export default 'late'\n`,
  'node_modules/hoisted/package.json': manifest('hoisted'),
  'node_modules/hoisted/index.js': `export const value = 'hoisted '\n`,
  'local/index.ts': pluginSource({ name: 'local' }),
}

async function locked(): Promise<PinnedProject> {
  const project = pinnedProject(files, config)
  await project.lock()
  return project
}

test('frozen, what is as it was locked serves: the package, its dependencies and what it imports late', async () => {
  using project = await locked()
  await using started = await project.start(frozen)
  assert.deepEqual([started.plugin('notes').pinned, started.plugin('local').pinned], ['pinned', 'pinned'])
  const answer = await started.host.call('notes_items_get')
  assert.deepEqual(answer.kind === 'result' && answer.result.content, [{ type: 'text', text: 'hoisted nested lazy late' }])
})

const plugin = 'node_modules/@acme/mcp-notes'
const tampering: Readonly<Record<string, (at: (path: string) => string) => void>> = {
  'one byte of its code is changed': (at) => appendFileSync(at(`${plugin}/lib/index.js`), ' '),
  'one byte of a file that no code reads is changed': (at) => writeFileSync(at(`${plugin}/README.md`), 'Read me!\n'),
  'one byte of a dependency beside it is changed': (at) => appendFileSync(at('node_modules/hoisted/index.js'), ' '),
  'one byte of a dependency below it is changed': (at) => appendFileSync(at(`${plugin}/node_modules/nested/index.js`), ' '),
  'a file is added': (at) => writeFileSync(at(`${plugin}/lib/extra.js`), ''),
  'a hidden file is added': (at) => writeFileSync(at(`${plugin}/.extra`), ''),
  'a file is added to a dependency': (at) => writeFileSync(at('node_modules/hoisted/extra.js'), ''),
  'a file is removed': (at) => rmSync(at(`${plugin}/README.md`)),
  'a file of a dependency is removed': (at) => rmSync(at(`${plugin}/node_modules/late/index.js`)),
  'a file is renamed': (at) => renameSync(at(`${plugin}/README.md`), at(`${plugin}/readme.md`)),
  'the mode of a file is changed': (at) => chmodSync(at(`${plugin}/lib/index.js`), 0o755),
  'the mode of a file of a dependency is changed': (at) => chmodSync(at('node_modules/hoisted/index.js'), 0o755),
  'a file is swapped for a link to its copy': (at) => {
    renameSync(at(`${plugin}/README.md`), at(`${plugin}/copy.md`))
    symlinkSync('copy.md', at(`${plugin}/README.md`))
  },
  'a file is swapped for a link out of the plugin': (at) => {
    renameSync(at(`${plugin}/lib/lazy.js`), at('lazy.js'))
    symlinkSync(at('lazy.js'), at(`${plugin}/lib/lazy.js`))
  },
  'a dependency is added in front of the one it had': (at) => {
    mkdirSync(at(`${plugin}/node_modules/hoisted`))
    writeFileSync(at(`${plugin}/node_modules/hoisted/package.json`), manifest('hoisted'))
    writeFileSync(at(`${plugin}/node_modules/hoisted/index.js`), `export const value = 'other '\n`)
  },
}

for (const [what, tamper] of Object.entries(tampering))
  test(`frozen, a plugin is refused and never runs when ${what}`, async () => {
    using project = await locked()
    tamper((path) => project.path(path))
    await using started = await project.start(frozen)
    const { state, reason, pinned, live } = started.plugin('notes')
    assert.deepEqual({ state, pinned, live }, { state: 'failed', pinned: 'changed', live: undefined })
    assert.match(reason?.code ?? '', /^PIN_(?:INTEGRITY|SYMLINK)$/)
    await assert.rejects(started.host.call('notes_items_get'), { code: 'TOOL_UNKNOWN' })
    assert.deepEqual(started.tools(), ['local_items_get'])
  })

test('frozen, the message names the files that differ', async () => {
  using project = await locked()
  project.write('node_modules/hoisted/index.js', `export const value = 'other '\n`)
  project.write(`${plugin}/lib/extra.js`, '')
  await using started = await project.start(frozen)
  assert.match(started.plugin('notes').reason?.message ?? '', /\(lib\/extra\.js, hoisted@1\.0\.0\/index\.js\)$/)
})

test('frozen, the same version from another tarball is refused', async () => {
  using project = await locked()
  project.write('node_modules/.package-lock.json', integrity('b'))
  await using started = await project.start(frozen)
  assert.match(started.plugin('notes').reason?.message ?? '', /The package of plugin "notes" differs.*sha512-bbb/)
})

test('an integrity in the config is compared also where nothing is frozen', async () => {
  using project = await locked()
  const pinnedTo = (letter: string): HostConfig => ({
    plugins: [{ use: '@acme/mcp-notes', as: 'notes', integrity: `sha512-${letter.repeat(86)}==` }],
  })
  await using right = await project.start(pinnedTo('a'))
  assert.equal(right.plugin().state, 'active')
  await using wrong = await project.start(pinnedTo('b'))
  assert.equal(wrong.plugin().reason?.code, 'PLUGIN_INTEGRITY')
})

test('frozen, another version of the same name is refused', async () => {
  using project = await locked()
  project.write(`${plugin}/package.json`, files[`${plugin}/package.json`].replace('"version": "1.0.0"', '"version": "1.0.1"'))
  await using started = await project.start(frozen)
  assert.equal(started.plugin('notes').reason?.code, 'PIN_VERSION')
})

test('frozen, a package of a similar name is refused: the lock does not have it', async () => {
  using project = pinnedProject(
    {
      ...files,
      'node_modules/@acrne/mcp-notes/package.json': manifest('@acrne/mcp-notes'),
      'node_modules/@acrne/mcp-notes/index.js': pluginSource(),
    },
    config,
  )
  await project.lock()
  await using started = await project.start({ plugins: [{ use: '@acrne/mcp-notes', as: 'notes' }], frozen: true })
  assert.equal(started.plugin().reason?.code, 'PIN_VERSION')
  await using unlocked = await project.start({ plugins: [{ use: '@acrne/mcp-notes', as: 'other' }], frozen: true })
  assert.equal(unlocked.plugin().reason?.code, 'PIN_NOT_LOCKED')
})

for (const place of [`${plugin}/lib/addon.node`, 'node_modules/hoisted/build/addon.node'])
  test(`compiled code at ${place} is refused, frozen or not, until the entry allows it`, async () => {
    using project = await locked()
    project.write(place, 'ELF')
    for (const settings of [config, frozen]) {
      await using started = await project.start(settings)
      assert.equal(started.plugin('notes').reason?.code, 'PIN_NATIVE')
    }
    const allowed: HostConfig = {
      plugins: [{ use: '@acme/mcp-notes', as: 'notes', isolation: 'inline', capabilities: { native: true } }],
    }
    project.write('mcp.config.json', JSON.stringify(allowed))
    await project.lock()
    await using started = await project.start({ ...allowed, frozen: true })
    assert.equal(started.plugin('notes').pinned, 'pinned')
  })

test('frozen, a file that changes after it was compared is not loaded', async () => {
  using project = await locked()
  await using started = await project.start(frozen)
  project.write(`${plugin}/lib/lazy.js`, `export default 'changed '\n`)
  const answer = await started.host.call('notes_items_get')
  assert.ok(answer.kind === 'result' && answer.result.isError)
})

test('frozen, a late dependency that changed after it was compared is not loaded', async () => {
  using project = await locked()
  await using started = await project.start(frozen)
  project.write(`${plugin}/node_modules/late/index.js`, `export default 'changed '\n`)
  const answer = await started.host.call('notes_items_get')
  assert.ok(answer.kind === 'result' && answer.result.isError)
})

test('frozen, a package that the plugin does not declare is not loaded, and lock says so before', async () => {
  using project = pinnedProject({
    'plugins/notes/package.json': manifest('notes'),
    'plugins/notes/index.js': `import 'undeclared'\n${pluginSource()}`,
    'node_modules/undeclared/package.json': manifest('undeclared'),
    'node_modules/undeclared/index.js': '',
  })
  const { stdout } = await project.patchbay(['lock'])
  assert.match(stdout, /warning: notes imports .*undeclared\/index\.js, which no lock covers/)
  await using started = await project.start()
  assert.equal(started.plugin().reason?.code, 'PIN_FILE')
})

test('frozen, code outside the folder of the plugin is not loaded', async () => {
  using project = pinnedProject({
    'plugins/notes/index.ts': `import '../../shared.ts'\n${pluginSource()}`,
    'shared.ts': 'export {}\n',
  })
  await project.lock()
  await using started = await project.start()
  assert.match(started.plugin().reason?.message ?? '', /shared\.ts was not loaded: mcp\.lock\.json does not cover it/)
})

for (const [what, make] of Object.entries<(project: PinnedProject) => void>({
  'to a file outside': (project) => symlinkSync('/etc/hostname', project.path('plugins/notes/link')),
  'to a folder outside': (project) => symlinkSync('/etc', project.path('plugins/notes/link')),
  'to nowhere': (project) => symlinkSync('nothing', project.path('plugins/notes/link')),
  'in a circle': (project) => symlinkSync('link', project.path('plugins/notes/link')),
}))
  test(`a plugin with a symbolic link ${what} is refused when frozen, and cannot be locked`, async () => {
    using project = pinnedProject({ 'plugins/notes/index.ts': pluginSource() })
    await project.lock()
    make(project)
    await using started = await project.start()
    assert.equal(started.plugin().reason?.code, 'PIN_SYMLINK')
    await assert.rejects(project.lock(), { code: 'PIN_INCOMPLETE' })
  })

test('not frozen, a changed local plugin serves unpinned, and a changed one from npm does not run until it is approved', async () => {
  using project = await locked()
  appendFileSync(project.path('local/index.ts'), '// edited\n')
  appendFileSync(project.path(`${plugin}/lib/index.js`), '// edited\nglobalThis.notesRan = true\n')
  {
    await using started = await project.start(config)
    assert.deepEqual(started.tools(), ['local_items_get'])
    assert.equal(started.plugin('local').pinned, 'unpinned')
    const { state, reason, pinned } = started.plugin('notes')
    assert.deepEqual({ state, pinned, code: reason?.code }, { state: 'quarantined', pinned: 'changed', code: 'PIN_INTEGRITY' })
    assert.equal('notesRan' in globalThis, false)
    assert.equal(started.host.explain('notes_items_get').decidedBy, 'quarantined')
  }
  const { code } = await project.patchbay(['approve', 'notes'])
  assert.equal(code, 0)
  await using approved = await project.start(config)
  assert.deepEqual(approved.tools(), ['notes_items_get', 'local_items_get'])
})

test('not frozen, a plugin from npm that is not in the lock serves with a warning', async () => {
  using project = pinnedProject(files, config)
  await using started = await project.start(config)
  assert.equal(started.plugin('notes').pinned, 'unpinned')
  assert.equal(started.plugin('notes').state, 'active')
  assert.ok(started.log.lines.some(({ level, fields }) => level === 'warn' && fields['code'] === 'PIN_NOT_LOCKED'))
})
