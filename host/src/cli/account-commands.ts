import { Command } from 'commander'
import type { Accounts } from '../auth/accounts/accounts.ts'
import { linkedWith, scopesToAsk } from '../auth/accounts/more-scopes.ts'
import type { Tokens } from '../auth/accounts/types.ts'
import { LOCAL_PRINCIPAL } from '../auth/principal.ts'
import { hostError } from '../errors.ts'
import { openHost } from '../from-file.ts'
import type { Host } from '../types.ts'
import { EXIT, type CommonOptions, type Run } from './terminal/exit.ts'
import { printJson, printLines } from './terminal/print.ts'

/** `patchbay login INSTANCE`: links an account of the operator, who is the caller on stdio and on loopback. */
export function loginCommand(run: Run): Command {
  return new Command('login')
    .description('links your account at the service of a plugin')
    .argument('<instance>', 'the plugin, by the name that its tools begin with')
    .option('--device', 'type a code in on another machine, where the service has that')
    .option('--port <port>', 'where the browser comes back to, on this machine', '0')
    .action((instance: string, options: CommonOptions & { device?: boolean; port: string }) =>
      run(async () => {
        await using host = await openHost(options)
        const accounts = accountsOf(host, instance)
        const client = await accounts.client(instance)
        const linked = (await accounts.list(LOCAL_PRINCIPAL)).find(({ account }) => account.instance === instance)
        const { all: scopes } = await scopesToAsk(client, linked?.record)
        const signal = AbortSignal.timeout(LOGIN_MS)
        let tokens: Tokens
        if (options.device) {
          if (!client.device) throw hostError('ACCOUNT_OAUTH', { plugin: instance, problem: 'the service has no device flow' })
          const prompt = await client.device.begin(scopes)
          say([`Open ${prompt.verificationUri} in a browser, on any machine, and enter the code ${prompt.userCode}`])
          tokens = await prompt.tokens(signal)
        } else {
          const { loginOverLoopback } = await import('../transport/accounts/loopback-login.ts')
          const onAddress = (address: string) => say(['Open this address in a browser on this machine:', '', `  ${address}`, ''])
          tokens = await loginOverLoopback({ client, instance, scopes, port: Number(options.port), onAddress, signal })
        }
        await accounts.link(
          { principal: LOCAL_PRINCIPAL, instance },
          { ...tokens, ...(await linkedWith(client, scopes)), client: client.id },
        )
        printLines([`Your account at ${instance} is linked.`])
        return EXIT.done
      }),
    )
}

/** `patchbay logout INSTANCE`. */
export function logoutCommand(run: Run): Command {
  return new Command('logout')
    .description('forgets your account at the service of a plugin, and takes it back there')
    .argument('<instance>', 'the plugin')
    .action((instance: string, options: CommonOptions) =>
      run(async () => {
        await using host = await openHost(options)
        const wasLinked = await accountsOf(host, instance).unlink({ principal: LOCAL_PRINCIPAL, instance })
        printLines([wasLinked ? `Your account at ${instance} is unlinked.` : `No account of yours at ${instance} was linked.`])
        return wasLinked ? EXIT.done : EXIT.failed
      }),
    )
}

/** `patchbay accounts`: what the operator has linked. */
export function accountsCommand(run: Run): Command {
  return new Command('accounts')
    .description('lists the accounts that you have linked')
    .option('--json', 'as JSON')
    .action((options: CommonOptions & { json?: boolean }) =>
      run(async () => {
        await using host = await openHost(options)
        const linked = await accountsOf(host, 'auth.accounts').list(LOCAL_PRINCIPAL)
        const rows = linked.map(({ account: { instance }, record }) => ({
          instance,
          state: record.isBroken ? 'link again' : record.needs ? 'needs more' : 'linked',
          linkedAt: new Date(record.linkedAt).toISOString(),
          ...(record.expiresAt !== undefined && { expiresAt: new Date(record.expiresAt).toISOString() }),
          isRenewed: record.refreshToken !== undefined,
          scopes: record.scopes,
        }))
        if (options.json) printJson({ accounts: rows })
        else if (rows.length === 0) printLines(['No account is linked. Link one: npx mcp-patchbay login INSTANCE'])
        else
          printLines(
            rows.map(({ instance, state, linkedAt, scopes }) =>
              [instance.padEnd(20), state.padEnd(12), `since ${linkedAt.slice(0, 10)}`, scopes.join(' ')].join('  ').trimEnd(),
            ),
          )
        return EXIT.done
      }),
    )
}

/** What a person takes to consent. */
const LOGIN_MS = 600_000

function accountsOf(host: Host, instance: string): Accounts {
  if (host.accounts) return host.accounts
  throw hostError('ACCOUNT_OAUTH', { plugin: instance, problem: 'the config has no auth.accounts' })
}

/** On stderr: the answer of the command is the last line. */
function say(lines: readonly string[]): void {
  process.stderr.write(`${lines.join('\n')}\n`)
}
