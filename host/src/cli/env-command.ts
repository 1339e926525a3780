import { Command } from 'commander'
import { envTemplate } from '../config/plugin/template.ts'
import { openHost } from '../from-file.ts'
import { connectionVariables } from '../plugin/settings/environment-readers.ts'
import type { PluginSurface } from '../plugin/source/describe-surface.ts'
import { EXIT, type CommonOptions, type Run } from './terminal/exit.ts'
import { printLines } from './terminal/print.ts'

/** `patchbay env [PLUGIN]`: a commented `.env` template from the config schemas. */
export function envCommand(run: Run): Command {
  return new Command('env')
    .description('a commented .env template')
    .argument('[plugin]', 'only this one')
    .action((plugin: string | undefined, options: CommonOptions) =>
      run(async () => {
        await using host = await openHost({ ...options })
        const known = host.snapshot.plugins.filter(({ surface }) => surface !== undefined)
        const chosen = known.filter(({ instance }) => plugin === undefined || instance === plugin)
        if (plugin !== undefined && chosen.length === 0) {
          process.stderr.write(
            `There is no plugin "${plugin}". Known are: ${known.map(({ instance }) => instance).join(', ') || 'none'}\n`,
          )
          return EXIT.failed
        }
        printLines(
          chosen.flatMap(({ instance, surface }) =>
            surface
              ? [
                  envTemplate({ instance, schema: surface.config, description: surface.description }),
                  connectionsOf(instance, surface),
                ]
              : [],
          ),
        )
        return EXIT.done
      }),
    )
}

/** Variables can also say how its service is reached; most plugins need none of them. */
function connectionsOf(instance: string, surface: PluginSurface): string {
  const names = connectionVariables(instance, surface)
  return names.length === 0 ? '' : `# How its service is reached (docs/setup.md#the-environment): ${names.join(', ')}`
}
