import { Command } from 'commander'
import { openHost } from '../from-file.ts'
import { callerFindings } from '../project/doctor/caller-findings.ts'
import { fileFindings, lockFindings } from '../project/doctor/file-findings.ts'
import type { Finding } from '../project/doctor/finding.ts'
import { installedFindings } from '../project/doctor/installed-findings.ts'
import { issuerFindings, nodeFindings, portFindings } from '../project/doctor/machine-findings.ts'
import { pluginFindings } from '../project/doctor/plugin-findings.ts'
import { releaseFindings } from '../project/doctor/release-findings.ts'
import { repositoryFindings } from '../project/doctor/repository-findings.ts'
import { runningHost, type RunningHost } from '../project/doctor/running-host.ts'
import { storeFindings } from '../project/doctor/store-findings.ts'
import { projectNpm } from '../project/npm-install.ts'
import { openProject } from '../project/open-project.ts'
import { EXIT, type CommonOptions, type Run } from './terminal/exit.ts'
import { printJson, printLines } from './terminal/print.ts'

/** `patchbay doctor`: what is wrong with a project, or will be in production, each with its cause and steps. */
export function doctorCommand(run: Run): Command {
  return new Command('doctor')
    .description('what is wrong, with cause and fix: config, plugins, lock, files, ports, Node; exit 1 when something is')
    .option('--online', 'asks the npm registry for newer releases of what the config pins, too')
    .option('--json', 'as JSON')
    .action((options: CommonOptions & { json?: boolean; online?: boolean }) =>
      run(async () => {
        const project = await openProject(options)
        const { config } = project.settings
        await using host = await openHost({ ...options })
        const running = await runningHost(config, project.settings.file)
        const findings = [
          ...fileFindings(project),
          ...callerFindings(project),
          ...pluginFindings(host),
          ...nodeFindings(config),
          ...installedFindings(project.configDir),
          ...(
            await Promise.all([
              lockFindings(project),
              repositoryFindings(project),
              portFindings(config, running),
              issuerFindings(config),
              storeFindings(config, project.configDir),
              ...(options.online ? [releaseFindings(project, projectNpm(project), Date.now())] : []),
            ])
          ).flat(),
        ]
        if (options.json) printJson({ file: project.settings.file, deployment: project.deployment, running, findings })
        else printLines([...(running ? [runs(running)] : []), ...linesOf(findings)])
        return findings.length > 0 ? EXIT.failed : EXIT.done
      }),
    )
}

function runs({ url, management, version }: RunningHost): string {
  return `The host of this project is running: ${url ?? management} (${version})`
}

function linesOf(findings: readonly Finding[]): readonly string[] {
  if (findings.length === 0) return ['Nothing is wrong']
  const lines = findings.flatMap(({ about, problem, cause, fix }) => [
    `${about}: ${problem}`,
    `  Cause: ${cause}`,
    ...fix.map((step, index) => `  ${index === 0 ? 'To fix: ' : '        '}${step}`),
    '',
  ])
  return [...lines, `${findings.length} ${findings.length === 1 ? 'finding' : 'findings'}`]
}
