import { dirname, join, relative, resolve } from 'node:path'
import { Command } from 'commander'
import { HostError } from '../errors.ts'
import { quietLog, readSettings, type Settings } from '../from-file.ts'
import { createRedactor } from '../observability/redact.ts'
import { createPlugin, createProject } from '../project/templates.ts'
import { EXIT, type CommonOptions, type Run } from './terminal/exit.ts'
import { printJson, printLines } from './terminal/print.ts'

/** `patchbay init [DIR]`: a project that runs, and the next commands. */
export function initCommand(run: Run): Command {
  return new Command('init')
    .description('a new project that runs: config, a plugin with a test, editor settings')
    .argument('[dir]', 'its folder, made where it does not exist', '.')
    .option('--json', 'as JSON')
    .action((folder: string, options: { json?: boolean }) =>
      run(async () => {
        const files = createProject(folder)
        if (options.json) printJson({ folder: resolve(folder), files })
        else
          printLines([
            `Made a project of ${files.length} files in ${resolve(folder)}`,
            '',
            'Next:',
            ...(resolve(folder) === process.cwd() ? [] : [`  cd ${folder}`]),
            '  npm install',
            '  npm run dev',
            '',
            'From a second shell:',
            '  npx mcp-patchbay call hello_people_greet name=Ada',
            '  npm test',
          ])
        return EXIT.done
      }),
    )
}

/** `patchbay create-plugin NAME`: one more plugin, in the first folder of `pluginDirs`. */
export function createPluginCommand(run: Run): Command {
  return new Command('create-plugin')
    .description('a new plugin with a test, in the first folder of pluginDirs')
    .argument('<name>', 'snake_case: the prefix of its tools and of its environment variables')
    .option('--json', 'as JSON')
    .action((name: string, options: CommonOptions & { json?: boolean }) =>
      run(async () => {
        const settings = await settingsOf(options)
        const base = settings ? dirname(settings.file) : process.cwd()
        const [plugins] = settings?.config.pluginDirs ?? []
        const folder = resolve(base, plugins ?? './plugins', name)
        const files = createPlugin(folder, name)
        const shown = relative(process.cwd(), folder)
        if (options.json) printJson({ name, folder, files })
        else
          printLines([
            ...files.map((file) => `Wrote ${relative('.', file)}`),
            ...(plugins === undefined ? ['', `Add it to the config: plugins: ['./${relative(base, folder)}']`] : []),
            '',
            'Next:',
            `  node --test ${join(shown, 'index.test.ts')}`,
            `  npx mcp-patchbay call ${name}_people_greet name=Ada`,
          ])
        return EXIT.done
      }),
    )
}

/** A plugin may be written before there is a config; one that is wrong is said. */
async function settingsOf(options: CommonOptions): Promise<Settings | undefined> {
  try {
    return await readSettings(options, quietLog(createRedactor()))
  } catch (error) {
    if (error instanceof HostError && error.code === 'CONFIG_NOT_FOUND' && options.config === undefined) return undefined
    throw error
  }
}
