import { Command } from 'commander'
import { openProject } from '../project/open-project.ts'
import { approve } from '../project/project-pins.ts'
import { EXIT, type CommonOptions, type Run } from './terminal/exit.ts'
import { changeJson, changeLines } from './terminal/pin-lines.ts'
import { printJson, printLines } from './terminal/print.ts'

/** `patchbay approve NAME[.TOOL]`: pins one plugin, or one tool of it, as it is now. */
export function approveCommand(run: Run): Command {
  return new Command('approve')
    .description('pins one plugin, or one tool of it, in mcp.lock.json as it is now')
    .argument('<name[.tool]>', 'the instance name; a tool by its own name, without the instance')
    .option('--seen <digest>', 'only if this is still the digest that diff --json gave for the plugin')
    .option('--json', 'as JSON')
    .action((target: string, options: CommonOptions & { seen?: string; json?: boolean }) =>
      run(async () => {
        const project = await openProject(options)
        const approved = await approve(project, target, options.seen)
        if (options.json) printJson({ deployment: project.deployment, approved: approved ? changeJson(approved) : null })
        else if (approved) printLines([...changeLines([approved]), `Approved ${target}`])
        else printLines([`${target} is what mcp.lock.json says already`])
        return EXIT.done
      }),
    )
}
