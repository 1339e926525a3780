import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { COMMANDS } from '../../../host/src/cli/program.ts'

const root = join(import.meta.dirname, '../../..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const pages = globSync(['*.md', 'docs/**/*.md', 'plugins/*/README.md', '{plugin-api,auth-saml,create,deploy,examples}/**/*.md'], {
  cwd: root,
  exclude: (name) => name.includes('node_modules'),
}).filter((page) => page !== 'CHANGELOG.md' && !page.includes('node_modules'))
const sources = globSync(['{host,plugin-api,auth-saml}/src/**/*.ts', 'host/bin/*.mjs', 'plugins/*/**/*.ts'], {
  cwd: root,
}).filter((file) => !file.includes('node_modules') && !file.includes('/dist/'))

/** The code of a page: its fenced blocks, a line each, and what stands between backticks. */
function codeOf(page: string): readonly string[] {
  const text = read(page)
  const blocks = [...text.matchAll(/^```\w*\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) => block.split('\n'))
  const spans = [...text.replace(/^```\w*\n[\s\S]*?^```$/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span)
  return [...blocks, ...spans]
}

/** Every `patchbay COMMAND …` in a text, with what follows it on its line. */
function commandsIn(line: string): readonly { readonly name: string; readonly rest: string }[] {
  return [
    ...line.matchAll(/(?:^|(?<!npm (?:create|init))[\s`'"(])(?:npx )?(?:mcp-)?patchbay ([a-z][a-z-]*)(?!:)\b([^`'"|;&#]*)/g),
  ].map(([, name = '', rest = '']) => ({
    name,
    rest,
  }))
}

/** Headings as links name them. */
function anchorsOf(page: string): ReadonlySet<string> {
  const headings = [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading)
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replace(/\s/g, '-'),
    ),
  )
}

/** `file.md#anchor`, or what is wrong with it. */
function problemOf(target: string, folder: string, from: string): string | undefined {
  const [path = '', anchor] = target.split('#')
  const file = path === '' ? from : join(folder, path)
  if (!existsSync(join(root, file))) return `${from}: ${target} does not exist`
  if (anchor !== undefined && !anchorsOf(file).has(anchor)) return `${from}: ${target} is no heading there`
  return undefined
}

type Command = ReturnType<Awaited<ReturnType<(typeof COMMANDS)[string]>>>
const commands = new Map<string, Command>()
for (const [name, load] of Object.entries(COMMANDS))
  commands.set(
    name,
    (await load())(async () => undefined),
  )

test('every command that docs and errors name exists, with its options', () => {
  const named = [
    // A decision tells how things were.
    ...pages
      .filter((page) => !page.startsWith('docs/decisions/'))
      .flatMap((page) => codeOf(page).map((line) => [page, line] as const)),
    ...sources.flatMap((file) =>
      read(file)
        .split('\n')
        .filter((line) => /npx mcp-patchbay/.test(line))
        .map((line) => [file, line] as const),
    ),
  ]
  const found = named.flatMap(([file, line]) => commandsIn(line).map((command) => ({ file, ...command })))
  assert.ok(found.length > 60, `${found.length} commands`)
  const always = ['--config', '--deployment', '--dotenv', '--help']
  const wrong = found.flatMap(({ file, name, rest }) => {
    const command = commands.get(name)
    if (!command) return [`${file}: patchbay ${name}`]
    const below = command.commands.find((sub) => sub.name() === rest.trim().split(/\s/)[0])
    if (command.commands.length > 0 && !below && rest.trim() !== '') return [`${file}: patchbay ${name}${rest}`]
    // What stands bare behind a command without arguments is refused by it.
    const [bare = ''] = /^ *[^\s-]\S*/.exec(below ? rest.replace(below.name(), '') : rest) ?? []
    if (bare.trim() !== '' && /^npx|^ *[A-Z]/.test(bare) && (below ?? command).registeredArguments.length === 0)
      return [`${file}: patchbay ${name}${rest}`]
    const options = [...always, ...(below ?? command).options.flatMap(({ long }) => long ?? [])]
    return (rest.match(/--[a-z][a-z-]*/g) ?? [])
      .filter((flag) => !options.includes(flag))
      .map((flag) => `${file}: patchbay ${name} ${flag}`)
  })
  assert.deepEqual(wrong, [])
})

test('every link of a page leads to a file, and to a heading in it', () => {
  const wrong = pages.flatMap((page) =>
    [
      ...read(page)
        .replace(/`[^`\n]*`/g, '')
        .matchAll(/\]\(([^)\s]+)\)/g),
    ]
      .map(([, target = '']) => target)
      .filter((target) => !/^[a-z]+:/.test(target))
      .flatMap((target) => problemOf(target, dirname(page), page) ?? []),
  )
  assert.deepEqual(wrong, [])
})

test('every page that an error or a comment names exists, with its heading', () => {
  const wrong = sources.flatMap((file) => {
    const text = read(file)
    const direct = [...text.matchAll(/\bdocs\/([\w/-]+\.md(?:#[\w-]+)?)/g)].map(([, target = '']) => target)
    const placed = [...text.matchAll(/docsPage\(['"`]([\w/-]+\.md(?:#[\w-]+)?)['"`]\)/g)].map(([, target = '']) => target)
    return [...direct, ...placed].flatMap((target) => problemOf(target, 'docs', file) ?? [])
  })
  assert.deepEqual(wrong, [])
})

test('every npm script that a page names is one of ours', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const wrong = pages.flatMap((page) =>
    codeOf(page)
      .flatMap((line) => [...line.matchAll(/npm run ([a-z][\w:-]*)/g)].map(([, name = '']) => name))
      .filter((name) => scripts[name] === undefined && !/init|quick-start/.test(page))
      .map((name) => `${page}: npm run ${name}`),
  )
  assert.deepEqual(wrong, [])
})

test('every file of the repository that a page names exists', () => {
  const wrong = pages.flatMap((page) =>
    codeOf(page)
      .flatMap(
        (code) =>
          code.match(/(?<![\w/.@-])(?:bench|deploy|docs|examples|host|plugin-api|auth-saml|scripts|tests)\/[\w./-]*\w/g) ?? [],
      )
      .filter((path) => !existsSync(join(root, path)))
      .map((path) => `${page}: ${path}`),
  )
  assert.deepEqual(wrong, [])
})
