import assert from 'node:assert/strict'
import { readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { stateOf } from '../../fixtures/projects/folder-state.ts'
import { npmRegistry } from '../../fixtures/projects/npm-registry.ts'
import { authoredPackage } from '../../fixtures/projects/package.ts'
import { pinnedProject, pluginSource, tool, type PinnedProject } from '../../fixtures/projects/pinned-project.ts'
import { stubNpm } from '../../fixtures/projects/stub-npm.ts'

const name = '@acme/mcp-jira'
const aMonthAgo = new Date(Date.now() - 30 * 24 * 60 * 60 * 1000)
const anHourAgo = new Date(Date.now() - 60 * 60 * 1000)

/** A project with one plugin of its own. */
const projectWith = (files: Readonly<Record<string, string>> = {}, config = {}): PinnedProject =>
  pinnedProject(
    { 'package.json': '{ "private": true }', '.npmrc': 'offline=true\n', 'plugins/notes/index.ts': pluginSource(), ...files },
    { pluginDirs: ['./plugins'], ...config },
  )

/** Runs a command that must fail with `code`, and leave every file as it was. */
async function refused(project: PinnedProject, args: readonly string[], says: RegExp, env = {}): Promise<void> {
  const before = stateOf(project.root)
  const { code, stderr } = await project.patchbay(args, env)
  assert.equal(code, 1, stderr)
  assert.match(stderr, says)
  assert.deepEqual(stateOf(project.root), before)
}

describe('add', () => {
  test('takes a tarball: installs it exactly, shows it, writes config and lock, and a frozen host serves it', async () => {
    using source = authoredPackage(name)
    using project = projectWith()
    await project.lock()
    const { code, stdout, stderr } = await project.patchbay(['add', source.release('2.3.1'), '--yes'])
    assert.equal(code, 0, stderr)
    assert.match(
      stderr,
      /jira\n {2}@acme\/mcp-jira 2\.3\.1 sha512-\S+\n[^]*may reach nothing beyond its own service\n {2}tool version_get \(read\)/,
    )
    assert.match(stdout, /^Added jira \(@acme\/mcp-jira 2\.3\.1\)/)
    const config = JSON.parse(readFileSync(project.path('mcp.config.json'), 'utf8')) as object
    assert.deepEqual(config, { plugins: [{ use: name, as: 'jira', version: '2.3.1' }], pluginDirs: ['./plugins'] })
    await using started = await project.start({ ...config, frozen: true })
    assert.deepEqual(started.tools(), ['jira_version_get', 'notes_items_get'])
    assert.equal(started.plugin('jira').pinned, 'pinned')
  })

  test('takes a folder, which is copied and not linked', async () => {
    using source = authoredPackage(name)
    source.release('2.3.1')
    using project = projectWith()
    const { code, stderr } = await project.patchbay(['add', source.root, '--yes', '--as', 'tickets'])
    assert.equal(code, 0, stderr)
    source.release('9.9.9')
    const { stdout } = await project.patchbay(['call', 'tickets_version_get'])
    assert.equal(stdout, '2.3.1\n')
  })

  test('takes the release of the registry that the spec means now, exactly', async () => {
    await using registry = await npmRegistry()
    using source = authoredPackage(name)
    for (const version of ['2.3.0', '2.3.1', '2.4.0'])
      registry.publish({ name, version, tarball: source.release(version), publishedAt: aMonthAgo })
    using project = projectWith({ '.npmrc': registry.npmrc })
    const { code, stdout, stderr } = await project.patchbay(['add', `${name}@^2.3.0 <2.4`, '--yes', '--json'])
    assert.equal(code, 0, stderr)
    const { entry, plugin } = JSON.parse(stdout) as { entry: { version: string }; plugin: { integrity: string; tools: object[] } }
    assert.equal(entry.version, '2.3.1')
    assert.match(plugin.integrity, /^sha512-/)
    assert.equal(plugin.tools.length, 1)
    assert.match(readFileSync(project.path('package.json'), 'utf8'), /"@acme\/mcp-jira": ?"2\.3\.1"/)
  })

  test('gives a second version of a package another name in node_modules', async () => {
    await using registry = await npmRegistry()
    using source = authoredPackage(name)
    for (const version of ['2.3.1', '2.4.0'])
      registry.publish({ name, version, tarball: source.release(version), publishedAt: aMonthAgo })
    using project = projectWith({ '.npmrc': registry.npmrc })
    for (const [version, as] of [
      ['2.3.1', 'jira'],
      ['2.4.0', 'jira_next'],
    ] as const) {
      const { code, stderr } = await project.patchbay(['add', `${name}@${version}`, '--as', as, '--yes'])
      assert.equal(code, 0, stderr)
      assert.equal((await project.patchbay(['call', `${as}_version_get`])).stdout, `${version}\n`)
    }
    assert.equal((await project.patchbay(['call', 'jira_version_get'])).stdout, '2.3.1\n')
  })

  test('refuses a release that is an hour old unless it is told to take it now', async () => {
    await using registry = await npmRegistry()
    using source = authoredPackage(name)
    registry.publish({ name, version: '2.3.1', tarball: source.release('2.3.1'), publishedAt: anHourAgo })
    using project = projectWith({ '.npmrc': registry.npmrc })
    await refused(project, ['add', name, '--yes'], /was released 1 hours ago/)
    assert.equal((await project.patchbay(['add', name, '--yes', '--now'])).code, 0)
  })

  test('warns where the registry does not say how old a release is', async () => {
    await using registry = await npmRegistry()
    using source = authoredPackage(name)
    registry.publish({ name, version: '2.3.1', tarball: source.release('2.3.1'), publishedAt: undefined })
    using project = projectWith({ '.npmrc': registry.npmrc })
    const { code, stderr } = await project.patchbay(['add', name, '--yes'])
    assert.equal(code, 0, stderr)
    assert.match(stderr, /warning: the registry does not say how old @acme\/mcp-jira@2\.3\.1 is/)
  })

  test('needs a yes, and without a terminal the flag', async () => {
    using npm = stubNpm()
    using project = projectWith()
    await refused(project, ['add', './plugins'], /asks before it changes anything/, { PATH: npm.PATH })
  })

  for (const [what, manifest, files] of [
    ['an install script', { scripts: { postinstall: 'touch ran' } }, {}],
    ['a build of native code', { gypfile: true }, {}],
    ['compiled code', {}, { 'lib/addon.node': 'ELF' }],
  ] as const)
    test(`refuses a package with ${what}, runs none of it, and takes it with --allow-native`, async () => {
      using source = authoredPackage(name, files)
      using project = projectWith()
      const tarball = source.release('2.3.1', manifest)
      await refused(project, ['add', tarball, '--yes'], /contains code that is not JavaScript/)
      const { code, stderr } = await project.patchbay(['add', tarball, '--yes', '--allow-native'])
      assert.equal(code, 0, stderr)
      assert.match(stderr, /! (?:install script, not run|compiled code): /)
      assert.equal(
        Object.keys(stateOf(project.root)).some((file) => file.endsWith('/ran')),
        false,
      )
      if (what !== 'an install script') assert.match(readFileSync(project.path('mcp.lock.json'), 'utf8'), /"native": true/)
    })

  test('shows the commands a package brings', async () => {
    using source = authoredPackage(name)
    using project = projectWith()
    const { code, stderr } = await project.patchbay(['add', source.release('2.3.1', { bin: { jira: './index.js' } }), '--yes'])
    assert.equal(code, 0, stderr)
    assert.match(stderr, /! commands: jira/)
  })

  test('looks at a package in a process of its own: its code reaches neither files nor variables', async () => {
    using source = authoredPackage(name)
    source.release('2.3.1')
    const spied = `import { readFileSync, writeFileSync } from 'node:fs'
const tried = [() => readFileSync('/etc/hostname'), () => writeFileSync('/tmp/left-behind', '')]
const reached = tried.filter((attempt) => { try { attempt(); return true } catch { return false } }).length
`
    source.write(
      'index.js',
      spied +
        pluginSource({ name: 'jira', tools: [tool({ description: 'REACHED' })] }).replace(
          '"REACHED"',
          '`Reached ${reached}, knew ${Object.keys(process.env)}.`',
        ),
    )
    using project = projectWith()
    const { code, stderr } = await project.patchbay(['add', source.root, '--yes'], { JIRA_SECRET: 'x' })
    assert.equal(code, 0, stderr)
    assert.match(stderr, /tool items_get \(read\): Reached 0, knew \./)
  })

  test('refuses what is no package, and says why', async () => {
    using project = projectWith()
    await refused(
      project,
      ['add', 'http://example.com/x.tgz', '--yes'],
      /"http:\/\/example\.com\/x\.tgz" cannot be installed: it is a URL/,
    )
  })

  test('leaves everything as it was when the package is no plugin', async () => {
    using source = authoredPackage(name)
    source.release('1.0.0')
    source.write('index.js', 'export default { name: "jira" }')
    using project = projectWith()
    await refused(project, ['add', source.pack(), '--yes'], /is not a ServicePlugin/)
  })

  test('leaves everything as it was when npm fails', async () => {
    await using registry = await npmRegistry()
    using project = projectWith({ '.npmrc': registry.npmrc })
    await refused(project, ['add', '@acme/nothing', '--yes'], /npm view .* failed/)
  })

  test('refuses a name that is taken', async () => {
    using npm = stubNpm()
    using project = projectWith()
    await refused(project, ['add', './plugins', '--as', 'notes', '--yes'], /already uses the name "notes"/, { PATH: npm.PATH })
  })

  test('says what to write where a config computes its plugins, and changes nothing', async () => {
    using npm = stubNpm()
    using project = projectWith({
      'mcp.config.ts': `const paths = ['./plugins/notes']\nexport default { plugins: paths.map((use) => ({ use })) }\n`,
    })
    project.remove('mcp.config.json')
    await refused(
      project,
      ['add', './plugins', '--yes'],
      /Add to plugins: \{ use: '@acme\/mcp-jira', as: 'jira', version: '2\.3\.1' \}/,
      { PATH: npm.PATH },
    )
  })

  for (const [file, before, after] of [
    [
      'mcp.config.ts',
      `export default {\n  // Ours\n  plugins: [\n    './plugins/notes', // kept\n  ],\n  deployments: { other: { plugins: [] } },\n}\n`,
      `export default {\n  // Ours\n  plugins: [\n    './plugins/notes', // kept\n    { use: '@acme/mcp-jira', as: 'jira', version: '2.3.1' },\n  ],\n  deployments: { other: { plugins: [] } },\n}\n`,
    ],
    [
      'mcp.config.yaml',
      `# Ours\nplugins:\n  - use: ./plugins/notes # kept\n    as: notes\nreadOnly: false\n`,
      `# Ours\nplugins:\n  - use: ./plugins/notes # kept\n    as: notes\n  - { "use": "@acme/mcp-jira", "as": "jira", "version": "2.3.1" }\nreadOnly: false\n`,
    ],
  ] as const)
    test(`keeps comments and layout of ${file}, and remove gives it back as it was`, async () => {
      using npm = stubNpm()
      using project = projectWith({ [file]: before })
      project.remove('mcp.config.json')
      assert.equal((await project.patchbay(['add', './plugins', '--yes'], { PATH: npm.PATH })).code, 0)
      assert.equal(readFileSync(project.path(file), 'utf8'), after)
      const { code, stderr } = await project.patchbay(['remove', 'jira'], { PATH: npm.PATH })
      assert.equal(code, 0, stderr)
      assert.equal(readFileSync(project.path(file), 'utf8'), before)
    })
})

describe('update', () => {
  test('shows the difference, installs the newest release and pins it', async () => {
    await using registry = await npmRegistry()
    using source = authoredPackage(name)
    registry.publish({ name, version: '2.3.1', tarball: source.release('2.3.1'), publishedAt: aMonthAgo })
    using project = projectWith({ '.npmrc': registry.npmrc })
    assert.equal((await project.patchbay(['add', name, '--yes'])).code, 0)
    registry.publish({ name, version: '2.4.0', tarball: source.release('2.4.0'), publishedAt: aMonthAgo })
    await refused(project, ['update', 'jira'], /asks before it changes anything/)
    const { code, stderr } = await project.patchbay(['update', 'jira', '--yes'])
    assert.equal(code, 0, stderr)
    assert.match(stderr, /~ version: 2\.3\.1 -> 2\.4\.0\n[^]*~ index\.js/)
    assert.equal((await project.patchbay(['call', 'jira_version_get'])).stdout, '2.4.0\n')
    const again = await project.patchbay(['update', 'jira', '--yes'])
    assert.deepEqual([again.code, again.stdout], [0, 'jira is at 2.4.0 already\n'])
  })

  test('knows only plugins of the config', async () => {
    using project = projectWith()
    await refused(project, ['update', 'nothing', '--yes'], /has no plugin "nothing"/)
  })
})

describe('remove', () => {
  test('takes a plugin out of config, lock and node_modules', async () => {
    using source = authoredPackage(name)
    using project = projectWith()
    await project.lock()
    const before = stateOf(project.root)
    assert.equal((await project.patchbay(['add', source.release('2.3.1'), '--yes'])).code, 0)
    const { code, stdout } = await project.patchbay(['remove', 'jira', '--json'])
    assert.equal(code, 0)
    assert.deepEqual(JSON.parse(stdout), { name: 'jira', use: name, uninstalled: true })
    const after = stateOf(project.root)
    assert.equal(after['mcp.lock.json'], before['mcp.lock.json'])
    assert.equal(
      Object.keys(after).some((file) => file.includes('mcp-jira')),
      false,
    )
  })

  test('refuses while a deployment still changes the plugin', async () => {
    using npm = stubNpm()
    using project = projectWith({}, { deployments: { staging: { plugins: [{ as: 'jira', readOnly: true }] } }, plugins: [] })
    assert.equal((await project.patchbay(['add', './plugins', '--yes'], { PATH: npm.PATH })).code, 0)
    const before = stateOf(project.root)
    const { code, stderr } = await project.patchbay(['remove', 'jira'], { PATH: npm.PATH })
    assert.equal(code, 78)
    assert.match(stderr, /The deployment "staging" has an entry "jira"/)
    assert.deepEqual(stateOf(project.root), before)
  })
})

test('a package that is linked into node_modules is one of the project, and pinned as such', async () => {
  using project = projectWith(
    {
      'linked/package.json': '{ "name": "linked", "version": "0.0.1", "type": "module" }',
      'linked/index.js': pluginSource({ name: 'linked' }),
    },
    { plugins: ['linked'] },
  )
  project.write('node_modules/.keep', '')
  symlinkSync(join('..', 'linked'), project.path('node_modules/linked'))
  await project.lock()
  project.write('linked/extra.js', '')
  await using developing = await project.start({ plugins: ['linked'] })
  assert.deepEqual([developing.plugin().state, developing.plugin().pinned], ['active', 'unpinned'])
  await using frozen = await project.start({ plugins: ['linked'], frozen: true })
  assert.equal(frozen.plugin().reason?.code, 'PIN_INTEGRITY')
})
