import { Command } from 'commander'
import { surfaceWarnings, type SurfaceWarning } from '../plugin/run/surface-warnings.ts'
import { openProject } from '../project/open-project.ts'
import { comparePins, lockAll, type Comparison } from '../project/project-pins.ts'
import { EXIT, type CommonOptions, type Run } from './terminal/exit.ts'
import { changeJson, changeLines, uncoveredLines } from './terminal/pin-lines.ts'
import { printJson, printLines } from './terminal/print.ts'

/** `patchbay lock [--check]`: writes what the plugins of a deployment are, or says whether they still are. */
export function lockCommand(run: Run): Command {
  return new Command('lock')
    .description('pins every plugin in mcp.lock.json as it is now')
    .option('--check', 'write nothing; exit 1 when something is not what the lock says')
    .option('--json', 'as JSON')
    .action((options: CommonOptions & { check?: boolean; json?: boolean }) =>
      run(async () => {
        const project = await openProject(options)
        const comparison = options.check ? await comparePins(project) : await lockAll(project)
        const written = !options.check && comparison.changes.length > 0
        if (options.json) printJson({ ...comparisonJson(project.deployment, comparison), written })
        else printLines([...comparisonLines(comparison), written ? `Wrote ${project.lockFile}` : verdict(comparison)])
        return options.check && isDifferent(comparison) ? EXIT.failed : EXIT.done
      }),
    )
}

/** `patchbay diff`: what `lock` would write. */
export function diffCommand(run: Run): Command {
  return new Command('diff')
    .description('what is not what mcp.lock.json says; exit 1 when something is')
    .option('--json', 'as JSON')
    .action((options: CommonOptions & { json?: boolean }) =>
      run(async () => {
        const project = await openProject(options)
        const comparison = await comparePins(project)
        if (options.json) printJson(comparisonJson(project.deployment, comparison))
        else printLines([...comparisonLines(comparison), verdict(comparison)])
        return isDifferent(comparison) ? EXIT.failed : EXIT.done
      }),
    )
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
