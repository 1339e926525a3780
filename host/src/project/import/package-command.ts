import { basename } from 'node:path'

/** A command that starts a package of the npm registry. */
export interface PackageCommand {
  readonly name: string
  /** A version, range or tag. */
  readonly range: string
  readonly args: readonly string[]
}

/**
 * The package that `npx -y NAME@RANGE ARGS`, `bunx`, `pnpm dlx`, `yarn dlx` or `npm exec` starts, also behind `cmd /c`. Undefined for another
 * command, for a package from elsewhere than the registry, and where another command of the package is asked for.
 */
export function packageCommand(command: string, args: readonly string[]): PackageCommand | undefined {
  const program = basename(command.replaceAll('\\', '/')).replace(/\.(?:cmd|exe)$/i, '')
  const [first = '', ...rest] = args
  if (program === 'cmd') return /^\/c$/i.test(first) && rest[0] !== undefined ? packageCommand(rest[0], rest.slice(1)) : undefined
  const launched = LAUNCHERS[program]
  if (launched === undefined) return undefined
  if (launched.length === 0) return afterOptions(args)
  return launched.includes(first) ? afterOptions(rest) : undefined
}

/** The word behind each that starts a package; none for those that do nothing else. */
const LAUNCHERS: Readonly<Record<string, readonly string[]>> = {
  npx: [],
  bunx: [],
  pnpx: [],
  npm: ['exec', 'x'],
  pnpm: ['dlx'],
  yarn: ['dlx'],
}

const HARMLESS = /^(?:-y|--yes|-q|--quiet|--prefer-online|--prefer-offline|--bun|--silent|--no|--)$/

function afterOptions(args: readonly string[]): PackageCommand | undefined {
  const at = args.findIndex((arg) => !HARMLESS.test(arg))
  const spec = args[at]
  const [, name, range = 'latest'] = SPEC.exec(spec ?? '') ?? []
  // An option such as --package says that something else is to be run.
  if (name === undefined || name.startsWith('-')) return undefined
  const rest = args.slice(at + 1)
  return { name, range, args: rest[0] === '--' ? rest.slice(1) : rest }
}

const SPEC = /^((?:@[a-z0-9-~][a-z0-9-._~]*\/)?[a-z0-9-~][a-z0-9-._~]*)(?:@([\w.^~<>=|* +-]+))?$/
