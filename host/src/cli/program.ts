import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import { ownBuild } from '../modules/own-modules.ts'
import { describeError, HostError } from '../errors.ts'
import { EXIT, type CommonOptions, type Run } from './terminal/exit.ts'
import { repairProject } from '../project/repair.ts'
import { printJson } from './terminal/print.ts'
import { protocolStdout } from '../transport/stdio/stdout-guard.ts'

/** In the order of the help. Only the one that was asked for is read: a start should not wait for `patchbay add`. */
export const COMMANDS: Readonly<Record<string, () => Promise<(run: Run) => Command>>> = {
  start: async () => (await import('./start.ts')).startCommand,
  dev: async () => (await import('./dev.ts')).devCommand,
  list: async () => (await import('./list.ts')).listCommand,
  explain: async () => (await import('./explain.ts')).explainCommand,
  call: async () => (await import('./calls/call-command.ts')).callCommand,
  prompt: async () => (await import('./calls/offer-commands.ts')).promptCommand,
  read: async () => (await import('./calls/offer-commands.ts')).readCommand,
  env: async () => (await import('./env-command.ts')).envCommand,
  lock: async () => (await import('./lock-command.ts')).lockCommand,
  diff: async () => (await import('./lock-command.ts')).diffCommand,
  approve: async () => (await import('./approve-command.ts')).approveCommand,
  add: async () => (await import('./install-commands.ts')).addCommand,
  update: async () => (await import('./install-commands.ts')).updateCommand,
  remove: async () => (await import('./install-commands.ts')).removeCommand,
  import: async () => (await import('./servers/import-command.ts')).importCommand,
  install: async () => (await import('./servers/install-command.ts')).installCommand,
  cache: async () => (await import('./cache-command.ts')).cacheCommand,
  keys: async () => (await import('./keys.ts')).keysCommand,
  login: async () => (await import('./account-commands.ts')).loginCommand,
  logout: async () => (await import('./account-commands.ts')).logoutCommand,
  accounts: async () => (await import('./account-commands.ts')).accountsCommand,
  init: async () => (await import('./new-commands.ts')).initCommand,
  'create-plugin': async () => (await import('./new-commands.ts')).createPluginCommand,
  doctor: async () => (await import('./doctor-command.ts')).doctorCommand,
  schema: async () => (await import('./schema-command.ts')).schemaCommand,
}

/** Runs one command line. Gives the exit code: 0 done, 1 failed or difference found, 2 usage, 78 configuration error. */
export async function run(argv: readonly string[]): Promise<number> {
  let code: number = EXIT.done
  let isJson = false
  if (argv.length === 2 && argv.includes('--version') && argv.includes('--json')) {
    printJson(ownBuild())
    return code
  }
  const program = new Command('mcp-patchbay')
    .description('A plugin-host runtime for MCP servers')
    .version(packageJson.version, '-V, --version', 'the version; with --json also the build and the version of Node')
    .showHelpAfterError(HELP_HINT)
    .configureOutput({ writeOut })
    .exitOverride()
    .hook('preAction', async (_, action) => {
      const { dotenv, json } = action.opts<{ dotenv?: string; json?: boolean }>()
      isJson = json === true
      if (dotenv !== undefined) action.setOptionValue('envFile', dotenv)
      const repaired = await repairProject(action.opts<CommonOptions>().config)
      if (repaired !== undefined) process.stderr.write(`${repaired}\n`)
    })
  const [name = ''] = argv
  const wanted = Object.hasOwn(COMMANDS, name) ? [COMMANDS[name]] : Object.values(COMMANDS)
  for (const load of wanted) {
    const command = await load?.()
    if (!command) continue
    program.addCommand(
      withCommon(
        command(async (work) => {
          code = await work()
        }),
      ),
    )
  }
  try {
    await program.parseAsync(argv, { from: 'user' })
    return code
  } catch (error) {
    // What commander finds it has printed itself; it throws this class only where a command does.
    if (error instanceof InvalidArgumentError) process.stderr.write(`error: ${error.message}\n${HELP_HINT}\n`)
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
    process.stderr.write(`${describeError(error)}\n`)
    // A program that reads JSON finds there why there is none.
    if (isJson && error instanceof HostError) printJson({ error: { code: error.code, message: error.message, fix: error.fix } })
    return error instanceof HostError && isConfigurationError(error) ? EXIT.configuration : EXIT.failed
  }
}

/** Every command takes these; one that only has commands below it passes them on. */
function withCommon(command: Command): Command {
  command.exitOverride().showHelpAfterError(HELP_HINT).configureOutput({ writeOut })
  if (command.commands.length > 0) {
    for (const below of command.commands) withCommon(below)
    return command
  }
  return (
    command
      .addOption(new Option('--config <file>', 'the config, instead of the nearest mcp.config.{ts,js,json,yaml}'))
      .addOption(new Option('--deployment <name>', 'which deployment of the config').env('MCP_DEPLOYMENT'))
      .addOption(new Option('--dotenv <file>', 'instead of the .env beside the config'))
      // The name it had. Node takes that for itself wherever it is, and ends with 9 when the file does not exist.
      .addOption(new Option('--env-file <file>').hideHelp())
      .allowExcessArguments(false)
  )
}

/** Help is the command's own output: stdout itself is guarded. */
const writeOut = (text: string) => void protocolStdout().write(text)
const HELP_HINT = '(add --help for the options)'

function isConfigurationError({ code }: HostError): boolean {
  return /^(?:CONFIG|LISTEN|LOCK)_/.test(code) ? code !== 'LOCK_WRITE_FAILED' : code === 'AUTH_KEYS_FILE'
}
