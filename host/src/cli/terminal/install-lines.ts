import type { Command } from 'commander'
import { showInvisible } from '../../pin/difference/format-diff.ts'
import { byGravity } from '../../project/add.ts'
import type { Consent } from '../../project/npm-install.ts'
import type { Risk } from '../../project/risks.ts'
import { EXIT, type CommonOptions } from './exit.ts'

/** What every command takes that installs. */
export interface InstallOptions extends CommonOptions, Partial<Consent> {
  readonly yes?: boolean
  readonly json?: boolean
}

/** The options of {@link InstallOptions}. */
export function withInstallOptions(command: Command): Command {
  return command
    .option('--yes', 'do not ask')
    .option('--now', 'take a release that is younger than three days')
    .option('--allow-native', 'take compiled code and packages with install scripts; the scripts are not run')
    .option('--json', 'as JSON')
}

export function consentOf({ now = false, allowNative = false }: Partial<Consent>): Consent {
  return { now, allowNative }
}

/** On stderr, so that stdout stays the answer. */
export function show(lines: readonly string[]): void {
  process.stderr.write(`${lines.join('\n')}\n`)
}

export function unchanged(): number {
  process.stderr.write('Nothing was changed\n')
  return EXIT.failed
}

export function warningLines(warnings: readonly string[]): readonly string[] {
  return warnings.map((warning) => `warning: ${warning}`)
}

const RISKS = { script: 'install script, not run', native: 'compiled code', command: 'commands' } as const

export function riskLines(risks: readonly Risk[]): readonly string[] {
  return byGravity(risks).map(
    ({ kind, package: of, what }) => `  ! ${RISKS[kind]}${of === '' ? '' : ` of ${of}`}: ${showInvisible(what)}`,
  )
}

export function indented(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`)
}
