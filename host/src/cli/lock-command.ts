import { Command, Option } from 'commander'
import { showInvisible } from '../pin/difference/format-diff.ts'
import { surfaceWarnings, type SurfaceWarning } from '../plugin/run/surface-warnings.ts'
import { openEveryDeployment, openProject, type Project } from '../project/open-project.ts'
import { comparePins, lockAll, type Comparison } from '../project/project-pins.ts'
import { EXIT, type CommonOptions, type Run } from './terminal/exit.ts'
import { changeJson, changeLines, uncoveredLines } from './terminal/pin-lines.ts'
import { printJson, printLines } from './terminal/print.ts'

/** `patchbay lock [--check]`: writes what the plugins of a deployment are, or says whether they still are. */
export function lockCommand(run: Run): Command {
  return new Command('lock')
    .description('pins every plugin in mcp.lock.json as it is now')
    .option('--check', 'write nothing; exit 1 when something is not what the lock says')
    .option('--all', 'every deployment of the config, one after the other')
    .option('--json', 'as JSON')
    .action((options: LockOptions) =>
      run(async () => {
        const projects = options.all ? await openEveryDeployment(options) : [await openProject(options)]
        const results: Locked[] = []
        for (const project of projects) results.push(await lockOne(project, options))
        const [only] = results
        if (options.json) printJson(options.all ? results.map(lockedJson) : only && lockedJson(only))
        else for (const result of results) printLines(lockedLines(result, options))
        return options.check && results.some(({ comparison }) => isDifferent(comparison)) ? EXIT.failed : EXIT.done
      }),
    )
}

interface LockOptions extends CommonOptions {
  readonly check?: boolean
  readonly all?: boolean
  readonly json?: boolean
}

/** What became of the lock of one deployment. */
interface Locked {
  readonly project: Project
  readonly comparison: Comparison
  readonly written: boolean
}

async function lockOne(project: Project, { check }: LockOptions): Promise<Locked> {
  const comparison = check ? await comparePins(project) : await lockAll(project)
  return { project, comparison, written: !check && comparison.changes.length > 0 }
}

function lockedJson({ project, comparison, written }: Locked): object {
  return { ...comparisonJson(project.deployment, comparison), written }
}

function lockedLines({ project, comparison, written }: Locked, { all }: LockOptions): readonly string[] {
  return [
    ...(all ? [`Deployment ${project.deployment}`, ''] : []),
    ...comparisonLines(comparison),
    written ? `Wrote ${project.lockFile}` : verdict(comparison),
    ...(all ? [''] : []),
  ]
}

/** `patchbay diff`: what `lock` would write. */
export function diffCommand(run: Run): Command {
  return new Command('diff')
    .description('what is not what mcp.lock.json says; exit 1 when something is')
    .option('--json', 'as JSON')
    .addOption(new Option('--markdown', 'as Markdown, for the description of a pull request').conflicts('json'))
    .action((options: CommonOptions & { json?: boolean; markdown?: boolean }) =>
      run(async () => {
        const project = await openProject(options)
        const comparison = await comparePins(project)
        if (options.markdown) printLines(comparisonMarkdown(project.deployment, comparison))
        else if (options.json) printJson(comparisonJson(project.deployment, comparison))
        else printLines([...comparisonLines(comparison), verdict(comparison)])
        return isDifferent(comparison) ? EXIT.failed : EXIT.done
      }),
    )
}

/** What a reviewer reads: a heading for each plugin, and its differences as a diff that GitHub and GitLab colour. */
function comparisonMarkdown(deployment: string, comparison: Comparison): readonly string[] {
  const { changes, failed, plugins } = comparison
  const sections = changes.flatMap((change) => [`### ${inCode(change.name)}`, '', ...fenced(changeLines([change]).slice(1))])
  const broken = failed.map(({ plugin, problem }) => `- ${inCode(plugin)} cannot be inspected: ${oneLine(problem)}`)
  const warnings = warningsOf(plugins).map(({ name, problem, fix }) => `- ${inCode(name)}: ${oneLine(`${problem}. ${fix}`)}`)
  return [
    `## Plugins of deployment ${inCode(deployment)}`,
    '',
    isDifferent(comparison)
      ? `${changes.length} of ${plugins.length + failed.length} differ from \`mcp.lock.json\`.`
      : `${verdict(comparison)}.`,
    '',
    ...sections,
    ...(broken.length > 0 ? ['### Failed', '', ...broken, ''] : []),
    ...(warnings.length > 0 ? ['### Warnings', '', ...warnings, ''] : []),
  ]
}

/** Lines of a difference in a block that nothing within them can end, with their signs where a diff has them. */
function fenced(lines: readonly string[]): readonly string[] {
  const fence = '`'.repeat(
    Math.max(
      3,
      ...lines
        .join('\n')
        .matchAll(/`+/g)
        .map(([run]) => run.length + 1),
    ),
  )
  const signed = lines
    .filter((line) => line !== '')
    .map((line) =>
      line.replace(/^(\s*)([-+~]) /, (_, space: string, sign: string) => `${sign === '~' ? '!' : sign} ${space.slice(2)}`),
    )
  return [`${fence}diff`, ...signed, fence, '']
}

function inCode(text: string): string {
  return `\`${showInvisible(text).replaceAll('`', "'")}\``
}

/** Text of a plugin in which no Markdown and no HTML works. */
function oneLine(text: string): string {
  return showInvisible(text.replace(/\s+/g, ' ')).replace(/[\\`*_{}[\]<>#|!@]/g, (character) => `\\${character}`)
}

function isDifferent({ changes, failed }: Comparison): boolean {
  return changes.length > 0 || failed.length > 0
}

function verdict(comparison: Comparison): string {
  return isDifferent(comparison) ? 'Not everything is what mcp.lock.json says' : 'Everything is what mcp.lock.json says'
}

function comparisonLines({ changes, failed, plugins }: Comparison): readonly string[] {
  return [
    ...changeLines(changes),
    ...failed.flatMap(({ plugin, problem }) => [
      plugin,
      ...`! cannot be looked at: ${problem}`.split('\n').map((line) => `  ${line}`),
      '',
    ]),
    ...uncoveredLines(plugins),
    ...warningsOf(plugins).map(({ name, problem, fix }) => `warning: ${name}: ${problem}. ${fix}`),
  ]
}

function comparisonJson(deployment: string, { changes, failed, plugins }: Comparison): object {
  return {
    deployment,
    changes: changes.map(changeJson),
    failed,
    warnings: warningsOf(plugins),
    uncovered: Object.fromEntries(plugins.flatMap(({ name, uncovered }) => (uncovered.length > 0 ? [[name, uncovered]] : []))),
  }
}

function warningsOf(plugins: Comparison['plugins']): readonly SurfaceWarning[] {
  return plugins.flatMap(({ name, surface }) => surfaceWarnings(surface, name))
}
