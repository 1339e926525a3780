import { readFile } from 'node:fs/promises'
import { styleText } from 'node:util'
import { Command } from 'commander'
import { readCaller } from '../server/catalog/operator/named-caller.ts'
import { openHost } from '../from-file.ts'
import type { ReachedExplanation } from '../server/catalog/reach.ts'
import { EXIT, type CommonOptions, type Run } from './terminal/exit.ts'
import { printJson, printLines, table } from './terminal/print.ts'

/** `patchbay explain TOOL`: the chain of rules, the verdict of each, and the setting behind it. */
export function explainCommand(run: Run): Command {
  return new Command('explain')
    .description('why a tool is shown or hidden')
    .argument('<tool>', 'its name as clients see it')
    .option('--as <file>', 'a JSON file that says who calls: { "tenant": …, "permissions": […], "toolsets": […], "readOnly": … }')
    .option('--json', 'as JSON')
    .action((tool: string, options: CommonOptions & { as?: string; json?: boolean }) =>
      run(async () => {
        const caller = options.as === undefined ? undefined : readCaller(await readFile(options.as, 'utf8'), options.as)
        await using host = await openHost({ ...options })
        const explanation = host.explain(tool, caller)
        if (options.json) printJson(explanation)
        else {
          const rows = explanation.chain.map(({ rule, verdict, source }) => [
            rule,
            styleText(verdict === 'pass' ? 'green' : 'red', verdict, { stream: process.stdout }),
            source,
          ])
          const verdict = explanation.visible
            ? `${tool} is visible${waysTo(explanation)}`
            : `${tool} is hidden: ${explanation.decidedBy}`
          printLines([verdict, '', ...table(['RULE', 'VERDICT', 'BECAUSE'], rows)])
        }
        return EXIT.done
      }),
    )
}

/** With `tools.search` there are two ways, and a list that has neither the tool nor a word of it. */
function waysTo({ listed, found }: Pick<ReachedExplanation, 'listed' | 'found'>): string {
  if (!found) return ''
  return listed
    ? ': listed, and found by tools_search'
    : ', but not listed: tools_search finds it; tools_call, or its own name, calls it'
}
