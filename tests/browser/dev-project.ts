import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { createFeed, type Feed } from '../fixtures/http/feed.ts'
import { sourceTree, type SourceTree } from '../fixtures/plugins/source-tree.ts'
import { runPatchbay, spawnPatchbay } from '../fixtures/projects/patchbay-process.ts'

/** A project that `patchbay dev` serves, as a person who writes plugins has it. */
export interface DevProject extends AsyncDisposable, SourceTree {
  /** Of the page, with the token behind its `#`. */
  readonly page: string
  readonly token: string
  /** What the console printed. */
  readonly lines: Feed<string>
  /** A command in the same project. */
  readonly patchbay: (...args: readonly string[]) => ReturnType<typeof runPatchbay>
  readonly stop: () => Promise<void>
}

export async function devProject(
  files: Readonly<Record<string, string>>,
  config: object = {},
  env: Readonly<Record<string, string>> = {},
): Promise<DevProject> {
  const tree = sourceTree({
    'mcp.config.json': JSON.stringify({
      pluginDirs: ['./plugins'],
      listen: { http: { port: 0 }, management: { port: 0 } },
      ...config,
    }),
    ...files,
  })
  const child = spawnPatchbay(['dev'], { cwd: tree.root, env })
  child.stdin.end()
  const lines = createFeed<string>()
  createInterface(child.stderr).on('line', (line) => lines.push(line))
  const exited = once(child, 'exit')
  void exited.then(() => lines.push('it ended'))
  const printed = await lines.next((line) => /page +http|it ended/.test(line))
  const [, page = ''] = /(http\S+)/.exec(printed) ?? []
  if (page === '') throw new Error(lines.all.join('\n'))
  const stop = async () => {
    child.kill('SIGTERM')
    await exited
  }
  return {
    ...tree,
    page,
    token: page.split('#token=')[1] ?? '',
    lines,
    patchbay: (...args) => runPatchbay(args, { cwd: tree.root }),
    stop,
    async [Symbol.asyncDispose]() {
      await stop()
      tree[Symbol.dispose]()
    },
  }
}
