import { Command, InvalidArgumentError, Option } from 'commander'
import type { ResolvedConfig } from '../config/schema/schema.ts'
import { serveFile } from '../serve.ts'
import { EXIT, type CommonOptions, type Run } from './terminal/exit.ts'
import { untilSignal } from './terminal/signals.ts'

export interface StartOptions extends CommonOptions {
  readonly transport?: 'stdio' | 'http'
  readonly host?: string
  readonly port?: number
  readonly managementPort?: number
  readonly watch?: boolean
  readonly frozen?: boolean
  readonly readOnly?: boolean
  readonly tools?: readonly string[]
  readonly dangerouslyAllowUnauthenticated?: boolean
}

/** `patchbay start`: serves until it is told to stop. */
export function startCommand(run: Run): Command {
  return serveOptions('start')
    .description('serves the tools of all plugins')
    .option('--watch', 'take over edits of plugins, config and .env at once')
    .action((options: StartOptions) =>
      run(async () => {
        await using served = await serveFile({
          ...options,
          watch: options.watch ?? false,
          adjust: (config) => adjusted(config, options),
        })
        const { host, log, settings } = served
        const listening = host.listen(settings.config.listen)
        // Not after it listens: whoever reads where may stop it at once.
        await untilSignal({ log, reread: () => served.reread(), over: listening.then(({ stdioClosed }) => stdioClosed) })
        await host.close()
        return EXIT.done
      }),
    )
}

/** A command that serves, with the options that all of those take. */
export function serveOptions(name: string): Command {
  return new Command(name)
    .addOption(new Option('--transport <kind>', 'instead of what listen says').choices(['stdio', 'http']))
    .option('--host <address>', 'address of the HTTP listener')
    .option('--port <number>', 'port of the HTTP listener; 0 picks a free one', port)
    .option('--management-port <number>', 'port of /livez, /readyz and /metrics; 0 picks a free one', port)
    .option('--frozen', 'run only what mcp.lock.json pins')
    .option('--read-only', 'hide and refuse every tool that writes')
    .option('--dangerously-allow-unauthenticated', 'listen beyond loopback although nobody is asked who he is')
    .option('--tools <globs>', 'serve only tools whose full name matches one of these, separated by commas', (text) =>
      text.split(','),
    )
}

/** The config with the command line over it. */
export function adjusted(config: ResolvedConfig, options: StartOptions): ResolvedConfig {
  return {
    ...config,
    readOnly: options.readOnly ?? config.readOnly,
    frozen: options.frozen ?? config.frozen,
    tools: options.tools ? { ...config.tools, allow: options.tools } : config.tools,
    listen: listenOf(config.listen, options),
    auth: options.dangerouslyAllowUnauthenticated
      ? { ...config.auth, inbound: { ...config.auth.inbound, dangerouslyAllowUnauthenticated: true } }
      : config.auth,
  }
}

function listenOf(
  listen: ResolvedConfig['listen'],
  { transport, host, port: httpPort, managementPort }: StartOptions,
): ResolvedConfig['listen'] {
  const stdio = transport === undefined ? listen.stdio : transport === 'stdio'
  const http = transport === 'stdio' ? undefined : listen.http
  const management = transport === 'stdio' && managementPort === undefined ? undefined : listen.management
  return {
    stdio,
    http: http && { ...http, host: host ?? http.host, port: httpPort ?? http.port },
    management: management && { ...management, port: managementPort ?? management.port },
  }
}

function port(text: string): number {
  const number = Number(text)
  if (!/^\d+$/.test(text) || number > 65_535) throw new InvalidArgumentError('A port is a number from 0 to 65535.')
  return number
}
