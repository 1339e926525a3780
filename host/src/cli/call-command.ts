import { Command } from 'commander'
import { openHost, quietLog } from '../from-file.ts'
import { parseArguments } from './terminal/arguments.ts'
import { EXIT, type CommonOptions, type Run } from './terminal/exit.ts'
import { printJson, printLines } from './terminal/print.ts'
import { whyRefused } from './terminal/refused-call.ts'

/** `patchbay call TOOL key=value…`: one call in process, through the same pipeline as any other. */
export function callCommand(run: Run): Command {
  return new Command('call')
    .description('calls one tool and prints the answer')
    .argument('<tool>', 'its name as clients see it')
    .argument('[arguments...]', 'key=value; the tool’s schema says what is a number')
    .option('--input <json>', 'the arguments as one JSON object')
    .option('--json', 'the whole result as JSON')
    .action((tool: string, pairs: readonly string[], options: CommonOptions & { input?: string; json?: boolean }) =>
      run(async () => {
        // The caller is told INTERNAL and a request id; the operator, who is the caller here, what is behind it.
        await using host = await openHost({ ...options }, (redact) => quietLog(redact, ['call_failed']))
        const refused = whyRefused(tool, host)
        if (refused) throw refused
        const schema = host.snapshot.tools.get(tool)?.wire.inputSchema
        const answer = await host.call(tool, parseArguments(pairs, options.input, schema))
        if (answer.kind === 'inputRequired') {
          process.stderr.write(
            `${tool} asks for input, which only an MCP client can give: ${Object.keys(answer.requests).join(', ')}\n`,
          )
          return EXIT.failed
        }
        if (options.json) printJson(answer.result)
        else printLines(answer.result.content.map((item) => (item.type === 'text' ? item.text : `[${item.type}]`)))
        return answer.result.isError ? EXIT.failed : EXIT.done
      }),
    )
}
