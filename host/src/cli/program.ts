import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import { describeError, HostError } from '../errors.ts'
import { approveCommand } from './approve.ts'
import { cacheCommand } from './cache.ts'
import { callCommand } from './call.ts'
import { devCommand } from './dev.ts'
import { envCommand } from './env.ts'
import { EXIT, type CommonOptions } from './exit.ts'
import { explainCommand } from './explain.ts'
import { listCommand } from './list.ts'
import { addCommand, removeCommand, updateCommand } from './install.ts'
import { diffCommand, lockCommand } from './lock.ts'
import { startCommand } from './start.ts'
import { repairProject } from '../project/repair.ts'
import { protocolStdout } from '../transport/stdout-guard.ts'

/** Runs one command line. Gives the exit code: 0 done, 1 failed or difference found, 2 usage, 78 configuration error. */
export async function run(argv: readonly string[]): Promise<number> {
  let code: number = EXIT.done
  const program = new Command('patchbay')
    .description('A plugin-host runtime for MCP servers')
    .version(packageJson.version)
    .showHelpAfterError(HELP_HINT)
    .configureOutput({ writeOut })
    .exitOverride()
    .hook('preAction', async (_, action) => {
      if (await repairProject(action.opts<CommonOptions>().config))
        process.stderr.write('A command that changed this project was interrupted; everything is as it was before\n')
    })
  for (const command of [
    startCommand,
    devCommand,
    listCommand,
    explainCommand,
    callCommand,
    envCommand,
    lockCommand,
    diffCommand,
    approveCommand,
    addCommand,
    updateCommand,
    removeCommand,
    cacheCommand,
  ])
    program.addCommand(
      withCommon(
        command(async (work) => {
          code = await work()
        }),
      ).exitOverride(),
    )
  try {
    await program.parseAsync(argv, { from: 'user' })
    return code
  } catch (error) {
    // What commander finds it has printed itself; it throws this class only where a command does.
    if (error instanceof InvalidArgumentError) process.stderr.write(`error: ${error.message}\n${HELP_HINT}\n`)
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
    process.stderr.write(`${describeError(error)}\n`)
    return error instanceof HostError && isConfigurationError(error) ? EXIT.configuration : EXIT.failed
  }
}

/** Every command takes these. */
function withCommon(command: Command): Command {
  return command
    .addOption(new Option('--config <file>', 'the config, instead of the nearest mcp.config.{ts,js,json,yaml}'))
    .addOption(new Option('--deployment <name>', 'which deployment of the config').env('MCP_DEPLOYMENT'))
    .addOption(new Option('--env-file <file>', 'instead of the .env beside the config'))
    .allowExcessArguments(false)
    .showHelpAfterError(HELP_HINT)
    .configureOutput({ writeOut })
}

/** Help is the command's own output: stdout itself is guarded. */
const writeOut = (text: string) => void protocolStdout().write(text)
const HELP_HINT = '(add --help for the options)'

function isConfigurationError({ code }: HostError): boolean {
  return /^(?:CONFIG|LISTEN|LOCK)_/.test(code) && code !== 'LOCK_WRITE_FAILED'
}
