import type { Command } from 'commander'
import { serveFile } from '../serve.ts'
import { createDevConsole } from './console/console.ts'
import type { Run } from './terminal/exit.ts'
import { watchEnding } from './terminal/signals.ts'
import { adjusted, inputOver, onStart, serveOptions, servingHost, type StartOptions } from './start.ts'

/** `patchbay dev`: `start --watch` with a console for people on stderr. */
export function devCommand(run: Run): Command {
  return serveOptions('dev')
    .description('serves and watches, and shows what happens: for people who write plugins')
    .action((options: StartOptions) =>
      run(async () => {
        using ending = watchEnding()
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
        ending.serving({ log, ...servingHost(served), over: inputOver(listening, log) })
        await ending.told
        await host.close()
        return ending.code
      }),
    )
}
