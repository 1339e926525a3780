import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { blocksOf } from '../../fixtures/markdown-blocks.ts'

const root = join(import.meta.dirname, '../../..')

/** By page, how each of its shell blocks begins, and the test that runs it as it is printed: a file, which reads the page. */
const run: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'README.md': {
    'npm create': 'tests/packed/new-user.ts',
    'npx mcp-patchbay call hello': 'tests/packed/new-user.ts',
    'npx mcp-patchbay lock': 'deploy/tests/image.test.ts',
    'npm ci && npm start': 'tests/integration/docs/readme.test.ts',
    'npx mcp-patchbay list': 'tests/integration/docs/readme.test.ts',
    'npm ci && npm test': 'tests/integration/docs/readme.test.ts',
    'npx mcp-patchbay call greeter': 'tests/integration/docs/readme.test.ts',
    'npm run example': 'tests/integration/docs/examples.test.ts',
    'npx mcp-patchbay install claude-code': 'tests/integration/command-line/install-into-clients.test.ts',
    'npx mcp-patchbay install claude-code --http': 'tests/integration/command-line/install-into-clients.test.ts',
  },
  'create/README.md': { 'npm create mcp-patchbay my-server': 'tests/packed/new-user.ts' },
  'docs/quick-start.md': {
    'npm create': 'tests/packed/new-user.ts',
    'npx mcp-patchbay list': 'tests/packed/new-user.ts',
    'npx mcp-patchbay create-plugin': 'tests/packed/new-user.ts',
  },
  'docs/plugins/testing.md': { 'npm install': 'tests/packed/new-user.ts', 'npm pack': 'tests/packed/new-user.ts' },
  'docs/advanced/upgrade.md': { 'npm install': 'tests/packed/new-user.ts' },
  'docs/setup.md': {
    'npx mcp-patchbay add openapi:': 'tests/packed/new-user.ts',
    'npx mcp-patchbay env': 'tests/packed/new-user.ts',
    'npx mcp-patchbay doctor': 'tests/packed/new-user.ts',
    'npx mcp-patchbay keys': 'tests/integration/docs/docs-api-keys.test.ts',
    'cp -r': 'deploy/tests/setup.test.ts',
    'export PATCHBAY_KEY': 'deploy/tests/setup.test.ts',
    'docker compose': 'deploy/tests/setup.test.ts',
    'curl -s localhost:3000/mcp': 'deploy/tests/setup.test.ts',
  },
  'docs/mcp-servers.md': { 'npx mcp-patchbay import': 'tests/servers/five-commands.ts' },
  'docs/advanced/metrics.md': { cd: 'tests/packed/packages.ts' },
  'docs/advanced/replicas.md': {
    'cp -r': 'deploy/tests/operator.test.ts',
    'export MCP_DEPLOYMENT': 'deploy/tests/operator.test.ts',
    'LISTEN=': 'deploy/tests/operator.test.ts',
    'curl -s': 'deploy/tests/operator.test.ts',
  },
}

/** Why nothing runs a block as it is printed, and what is tested instead. */
const notRun: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'create/README.md': {
    'npm create mcp-patchbay my-server -- --json': 'the folder exists after the first block: new-user.ts takes another name',
  },
  'docs/setup.md': { 'claude mcp add': 'needs Claude Code; tests/clients has real clients' },
  'docs/security.md': {
    'npx mcp-patchbay diff': 'names a plugin of the reader; examples/third-party/run.ts diffs and approves one',
  },
  'docs/mcp-servers.md': {
    'npx mcp-patchbay add mcp:npm:': 'needs an account at Tavily, and uvx; tests/servers/add-command.ts adds such servers',
  },
  'docs/plugins/cookbook.md': { 'node --inspect': 'serves until it is ended, with a debugger on a fixed port' },
  'docs/advanced/kubernetes.md': {
    'cp -r': 'pushes an image to a registry; setup.test.ts runs all but that',
    'npx mcp-patchbay keys': 'needs a cluster',
    'kubectl create secret generic github': 'needs a cluster; kubernetes.test.ts renders and validates what it applies',
  },
  'docs/advanced/tracing.md': { 'npm install': 'serves until it is ended; tests/tracing installs these packages' },
  'docs/advanced/performance.md': { PATCHBAY_DIRECT: 'serves until it is ended, and measures for twenty minutes' },
  'docs/advanced/tenants.md': { ACME_GITHUB: 'variables, no commands' },
  'docs/advanced/own-accounts.md': {
    'npx mcp-patchbay login': 'needs an account at GitHub; account-commands.test.ts has a service of its own',
  },
  'docs/advanced/saml.md': { 'node -e': 'serves until it is ended; docs-saml.test.ts runs the server of the page' },
  'docs/advanced/dev-page.md': { curl: 'needs the token of a running host; the tests of the API send such requests' },
  'plugins/github/README.md': { GITHUB_PERSONAL_TOKEN: 'needs a token of GitHub' },
  'plugins/openapi/README.md': { PETS_PERSONAL_TOKEN: 'needs an API with a token' },
  'plugins/postgres/README.md': { POSTGRES_CONNECTION_STRING: 'needs a database; tests/postgres has one' },
  'plugins/slack/README.md': { SLACK_PERSONAL_TOKEN: 'needs a token of Slack' },
  'auth-saml/README.md': { 'npm install': 'needs the package on npm; packages.ts installs it packed' },
  'examples/third-party/README.md': { 'npm run example': 'run for the README by examples.test.ts' },
}

const pages = globSync(
  ['README.md', 'docs/**/*.md', '{deploy,examples}/**/*.md', '{plugins/*,create,auth-saml,plugin-api}/README.md'],
  {
    cwd: root,
    exclude: (name) => name.includes('node_modules'),
  },
)
  .filter((page) => !page.includes('node_modules') && !page.startsWith('docs/decisions/'))
  .toSorted()

const shellBlocksOf = (page: string) =>
  blocksOf(join(root, page)).filter(({ language }) => /^(?:sh|bash|shell|console)$/.test(language))

/** The longest of the beginnings in both lists that the block has. */
function entryOf(page: string, text: string): string | undefined {
  const beginnings = [...Object.keys(run[page] ?? {}), ...Object.keys(notRun[page] ?? {})]
  return beginnings.filter((beginning) => text.startsWith(beginning)).toSorted((a, b) => b.length - a.length)[0]
}

test('every shell block of the docs is run by a test, or it is said why not', () => {
  const unknown = pages.flatMap((page) =>
    shellBlocksOf(page)
      .filter(({ text }) => entryOf(page, text) === undefined)
      .map(({ line, text }) => `${page}:${line} ${text.split('\n', 1)[0] ?? ''}`),
  )
  assert.deepEqual(unknown, [], 'run it in a test, or say in this file why that cannot be')
})

test('each entry is that of one block, and its test reads the page', () => {
  const wrong = [run, notRun].flatMap((list) =>
    Object.entries(list).flatMap(([page, entries]) =>
      Object.keys(entries)
        .filter(
          (entry) =>
            !pages.includes(page) || shellBlocksOf(page).filter(({ text }) => entryOf(page, text) === entry).length !== 1,
        )
        .map((entry) => `${page}: "${entry}"`),
    ),
  )
  assert.deepEqual(wrong, [])
  for (const [page, entries] of Object.entries(run))
    for (const [beginning, file] of Object.entries(entries)) {
      assert.ok(existsSync(join(root, file)), file)
      // The commands of the README that are not run by its own test are listed there with the test that runs them.
      const reads = readFileSync(join(root, file), 'utf8').includes(basename(page))
      const readme =
        page === 'README.md' && readFileSync(join(root, 'tests/integration/docs/readme.test.ts'), 'utf8').includes(beginning)
      assert.ok(reads || readme, `${file} does not read ${page}`)
    }
})
