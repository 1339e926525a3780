import { dirname, join, relative, resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { HostError } from '../errors.ts'
import { quietLog, readSettings, type Settings } from '../from-file.ts'
import { createRedactor } from '../observability/redact.ts'
import { openProject } from '../project/open-project.ts'
import { checkPluginName, createPlugin, createProject } from '../project/create/templates.ts'
import { addDescriptionEntry } from './descriptions/description-entries.ts'
import { addServerEntry, refuseServerOptions, withServerOptions, type ServerOptions } from './servers/server-entries.ts'
import { EXIT, type CommonOptions, type Run } from './terminal/exit.ts'
import { withInstallOptions, type InstallOptions } from './terminal/install-lines.ts'
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

interface CreateOptions extends InstallOptions, Omit<ServerOptions, 'as'> {
  readonly openapi?: string
  readonly apiUrl?: string
  readonly mcp?: string
}

/** `patchbay create-plugin NAME`: one more plugin: of the template, of an OpenAPI description, or an MCP server. */
export function createPluginCommand(run: Run): Command {
  return withServerOptions(withInstallOptions(new Command('create-plugin')))
    .description(
      'a new plugin with a test, in the first folder of pluginDirs; or one of an OpenAPI description, or an MCP server',
    )
    .argument('<name>', 'snake_case: the prefix of its tools and of its environment variables')
    .argument('[words...]', 'with --mcp, behind --: the arguments of mcp:npm:NAME, the command of mcp:exec')
    .addOption(new Option('--openapi <file>', 'copies an OpenAPI description, whose operations become tools').conflicts('mcp'))
    .option('--api-url <url>', 'with --openapi: where the API is; default: the first server that the description names')
    .option('--mcp <spec>', 'adds an MCP server: mcp:npm:NAME, mcp:exec or mcp:https://…')
    .action((name: string, words: readonly string[], options: CreateOptions) =>
      run(async () => {
        checkPluginName(name)
        const { openapi, mcp } = options
        if (mcp !== undefined) return addServerEntry(await openProject(options), mcp, words, { ...options, as: name })
        refuseServerOptions(words, options)
        if (openapi !== undefined)
          return addDescriptionEntry(await openProject(options), openapi, { ...options, as: name, isCopied: true })
        if (options.apiUrl !== undefined) throw new InvalidArgumentError('--api-url needs --openapi FILE')
        return fromTemplate(name, options)
      }),
    )
}

async function fromTemplate(name: string, options: CreateOptions): Promise<number> {
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
}

/** A plugin may be created before there is a config; a config that is wrong is reported. */
async function settingsOf(options: CommonOptions): Promise<Settings | undefined> {
  try {
    return await readSettings(options, quietLog(createRedactor()))
  } catch (error) {
    if (error instanceof HostError && error.code === 'CONFIG_NOT_FOUND' && options.config === undefined) return undefined
    throw error
  }
}
