import { readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { Command } from 'commander'
import { HostError } from '../../errors.ts'
import { showInvisible } from '../../pin/difference/format-diff.ts'
import { discoverEntries } from '../../plugin/source/discover.ts'
import { nameFromSpecifier, specifierOf } from '../../plugin/source/resolve-entry.ts'
import { readClientConfig } from '../../project/import/client-config.ts'
import { importServers, type ImportedServers } from '../../project/import/import-servers.ts'
import { planImport, type ImportPlan, type PlannedServer } from '../../project/import/plan-import.ts'
import { createNpm } from '../../project/npm/npm.ts'
import { openProject, type Project } from '../../project/open-project.ts'
import { confirm } from '../terminal/confirm.ts'
import { EXIT, type CommonOptions, type Run } from '../terminal/exit.ts'
import { printJson, printLines } from '../terminal/print.ts'

interface ImportOptions extends CommonOptions {
  readonly dryRun?: boolean
  readonly yes?: boolean
  readonly now?: boolean
  readonly allowNative?: boolean
  readonly json?: boolean
}

/** `patchbay import FILE [NAME…]`: the servers of an MCP client, as entries of the config. */
export function importCommand(run: Run): Command {
  return new Command('import')
    .description('takes over the MCP servers of a client: pinned from npm where it is a package, its secrets into .env')
    .argument('<file>', '.mcp.json, .vscode/mcp.json, .cursor/mcp.json or claude_desktop_config.json')
    .argument('[names...]', 'only these servers, by their names in the file')
    .option('--dry-run', 'show what would be imported, and change nothing')
    .option('--yes', 'do not ask')
    .option('--now', 'take releases that are younger than three days')
    .option('--allow-native', 'take compiled code and packages with install scripts; the scripts are not run')
    .option('--json', 'as JSON')
    .action((file: string, names: readonly string[], options: ImportOptions) => run(() => runImport(file, names, options)))
}

async function runImport(file: string, only: readonly string[], options: ImportOptions): Promise<number> {
  const { dryRun = false, yes = false, now = false, allowNative = false, json = false } = options
  const consent = { now, allowNative }
  const client = readClientConfig(file)
  const project = await openIfThere(options)
  const configDir = project?.configDir ?? process.cwd()
  const npm = createNpm({ folder: configDir, env: project?.settings.env ?? process.env })
  const plan = await planImport(client, { configDir, taken: takenNames(project), only, npm, consent, now: Date.now() })
  const shown = { file: client.file, config: project?.settings.file ?? join(configDir, NEW_CONFIG) }
  if (!json) process.stderr.write(`${planLines(plan).join('\n')}\n`)
  if (dryRun || plan.servers.length === 0) return report({ ...shown, written: false, ...plan }, json)
  if (!(await confirm(`Import ${plural(plan.servers.length)} into ${relative(process.cwd(), shown.config)}?`, yes))) {
    process.stderr.write('Nothing was changed\n')
    return EXIT.failed
  }
  const envFile = options.envFile === undefined ? join(configDir, '.env') : resolve(options.envFile)
  const imported = await withConfig(project, options, (opened) => importServers(opened, plan, { envFile, consent }))
  return report({ ...shown, written: imported !== undefined, ...(imported ?? { ...plan, servers: [] }) }, json, envFile)
}

const NEW_CONFIG = 'mcp.config.ts'
const EMPTY_CONFIG = `import { defineConfig } from 'mcp-patchbay'

export default defineConfig({
  plugins: [
  ],
})
`

/** Undefined where there is no config yet. */
async function openIfThere(options: ImportOptions): Promise<Project | undefined> {
  try {
    return await openProject(options)
  } catch (error) {
    if (error instanceof HostError && error.code === 'CONFIG_NOT_FOUND' && options.config === undefined) return undefined
    throw error
  }
}

/** With a config, made for the purpose where there is none; it goes again when nothing was imported. */
async function withConfig<Result>(
  project: Project | undefined,
  options: ImportOptions,
  work: (project: Project) => Promise<Result | undefined>,
): Promise<Result | undefined> {
  if (project) return work(project)
  const file = join(process.cwd(), NEW_CONFIG)
  await writeFile(file, EMPTY_CONFIG, { flag: 'wx' })
  let result: Result | undefined
  try {
    result = await work(await openProject(options))
    return result
  } finally {
    if (result === undefined) await rm(file, { force: true })
  }
}

function takenNames(project: Project | undefined): readonly string[] {
  if (!project) return []
  return discoverEntries(project.settings.config, project).map((entry) => entry.as ?? nameFromSpecifier(specifierOf(entry)))
}

interface Report extends ImportPlan, Partial<Pick<ImportedServers, 'secrets'>> {
  readonly file: string
  readonly config: string
  readonly written: boolean
}

/** 1 where something of the file was not taken over. */
function report(result: Report, json: boolean, envFile?: string): number {
  const { file, config, written, servers, skipped, secrets: done } = result
  if (json)
    printJson({
      file,
      config,
      written,
      servers: servers.map(({ from, entry, secrets, notes }) => ({
        from,
        entry,
        secrets: secrets.map(({ name, variable, value }) => ({ name, variable, found: value !== undefined })),
        notes,
      })),
      skipped,
      ...(done && { envFile, open: done.open.map(({ variable }) => variable), kept: done.kept }),
    })
  else if (written) printLines(doneLines(result, envFile ?? '.env'))
  else printLines(['Nothing was changed'])
  return skipped.some(({ isDisabled }) => !isDisabled) ? EXIT.failed : EXIT.done
}

function planLines({ servers, skipped }: ImportPlan): readonly string[] {
  return [
    ...servers.flatMap(serverLines),
    ...(skipped.length > 0 ? ['Not imported:'] : []),
    ...skipped.flatMap(({ from, reason }) =>
      showInvisible(`${from}: ${reason}`)
        .split('\n')
        .map((line) => `  ${line}`),
    ),
  ]
}

function serverLines({ from, entry, secrets, notes }: PlannedServer): readonly string[] {
  const { use, as, version, command = [], args = [] } = entry
  const place = use === 'mcp:exec' ? command.join(' ') : `${use}${version === undefined ? '' : ` ${version}`}`
  return [
    `${as}${from === as ? '' : ` (${showInvisible(from)})`}: ${showInvisible([place, ...args].join(' '))}`,
    ...secrets.map(
      ({ name, variable, value, means }) =>
        `  secret ${name}: ${variable} in .env${value === undefined ? `, which you have to set to ${means ?? 'its value'}` : ''}`,
    ),
    ...notes.map((note) => `  ! ${showInvisible(note)}`),
  ]
}

function doneLines({ config, servers, secrets }: Report, envFile: string): readonly string[] {
  const { open = [], kept = [], written = [] } = secrets ?? {}
  const holdsSecrets = written.length > 0
  return [
    `Imported ${plural(servers.length)} into ${config}${holdsSecrets ? `, and their secrets into ${envFile}` : ''}`,
    ...kept.map((variable) => `${envFile} has another value of ${variable} already, which stays`),
    ...(holdsSecrets && !isIgnored(envFile) ? [`${envFile} holds secrets: keep it out of version control`] : []),
    '',
    'Next:',
    ...(open.length > 0 ? [`  set ${open.map(({ variable }) => variable).join(', ')} in ${envFile}`] : []),
    '  npx mcp-patchbay list --tools',
    '  npx mcp-patchbay lock',
  ]
}

function isIgnored(file: string): boolean {
  try {
    const lines = readFileSync(join(dirname(file), '.gitignore'), 'utf8').split('\n')
    return lines.some((line) => [basename(file), `/${basename(file)}`, '.env*', '*.env'].includes(line.trim()))
  } catch {
    return false
  }
}

function plural(count: number): string {
  return count === 1 ? '1 server' : `${count} servers`
}
