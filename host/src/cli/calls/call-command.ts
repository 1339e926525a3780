import { readFile } from 'node:fs/promises'
import { performance } from 'node:perf_hooks'
import { Command } from 'commander'
import { readCaller } from '../../server/catalog/operator/named-caller.ts'
import { openHost, quietLog } from '../../from-file.ts'
import { parseArguments } from '../terminal/arguments.ts'
import { traceCall } from '../terminal/call-trace.ts'
import { EXIT, type CommonOptions, type Run } from '../terminal/exit.ts'
import { show } from '../terminal/install-lines.ts'
import { printJson, printLines } from '../terminal/print.ts'
import { inRounds } from '../terminal/rounds.ts'
import { whyRefused } from '../terminal/refused-call.ts'

interface CallOptions extends CommonOptions {
  readonly input?: string
  readonly as?: string
  readonly trace?: boolean
  readonly json?: boolean
}

/** `patchbay call TOOL key=value…`: one call in process, through the same pipeline as any other. */
export function callCommand(run: Run): Command {
  return new Command('call')
    .description('calls one tool and prints the answer; progress and questions are shown on stderr')
    .argument('<tool>', 'its name as clients see it')
    .argument('[arguments...]', 'key=value; the tool’s schema says what is a number')
    .option('--input <json>', 'the arguments as one JSON object')
    .option('--as <file>', 'a JSON file that says who calls, as explain has it')
    .option('--trace', 'how long each layer of the call took, on stderr')
    .option('--json', 'the whole result as JSON')
    .action((tool: string, pairs: readonly string[], options: CallOptions) =>
      run(async () => {
        const caller = options.as === undefined ? undefined : readCaller(await readFile(options.as, 'utf8'), options.as)
        const trace = options.trace ? traceCall(() => performance.now()) : undefined
        // The caller is told INTERNAL and a request id; the operator, who is the caller here, what is behind it.
        const log = (redact: Parameters<typeof quietLog>[0]) => quietLog(redact, ['call_failed', 'lock_refused'])
        await using host = await openHost({ ...options }, log, trace ? { middleware: [trace.layer] } : {})
        trace?.opened()
        if (trace) host.on('call', (ended) => trace.ended(ended))
        const refused = whyRefused(tool, host, caller)
        if (refused) throw refused
        const input = parseArguments(pairs, options.input, host.snapshot.tools.get(tool)?.wire.inputSchema)
        const { result } = await inRounds(
          tool,
          (io) => {
            trace?.begin()
            return host.call(tool, input, { io, ...(caller && { caller }) })
          },
          () => {
            const askedAt = performance.now()
            return () => trace?.answered(performance.now() - askedAt)
          },
        )
        if (trace) show(trace.lines())
        if (options.json) printJson(result)
        else printLines(result.content.map((item) => (item.type === 'text' ? item.text : `[${item.type}]`)))
        return result.isError ? EXIT.failed : EXIT.done
      }),
    )
}
