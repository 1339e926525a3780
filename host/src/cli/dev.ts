import type { Command } from 'commander'
import { serveFile } from '../serve.ts'
import { createDevConsole } from './console/console.ts'
import { EXIT, type Run } from './terminal/exit.ts'
import { untilSignal } from './terminal/signals.ts'
import { adjusted, inputOver, onStart, serveOptions, type StartOptions } from './start.ts'

/** `patchbay dev`: `start --watch` with a console for people on stderr. */
export function devCommand(run: Run): Command {
  return serveOptions('dev')
    .description('serves and watches, and shows what happens: for people who write plugins')
    .action((options: StartOptions) =>
      run(async () => {
        const console = createDevConsole(process.stderr)
        await using served = await serveFile({
          ...options,
          watch: true,
          adjust: (config) => adjusted(config, options),
          onStart,
          lines: console.lines,
          onConfig: (taken) => console.configTaken(taken),
          onConfigError: (error) => console.configRefused(error),
        })
        const { host, log, settings } = served
        const listening = await host.listen(settings.config.listen)
        console.open(served, listening)
        await untilSignal({ log, reread: () => served.reread(), over: inputOver(listening, log) })
        await host.close()
        return EXIT.done
      }),
    )
}
