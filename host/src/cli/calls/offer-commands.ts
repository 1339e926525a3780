import { readFile } from 'node:fs/promises'
import { Command, InvalidArgumentError } from 'commander'
import { openHost, quietLog } from '../../from-file.ts'
import { readCaller } from '../../server/catalog/operator/named-caller.ts'
import type { Caller } from '../../server/catalog/caller.ts'
import type { Host } from '../../types.ts'
import { parseArguments } from '../terminal/arguments.ts'
import { EXIT, type CommonOptions, type Run } from '../terminal/exit.ts'
import { printJson, printLines, table } from '../terminal/print.ts'
import { progressLine } from '../terminal/progress-line.ts'
import { inRounds } from '../terminal/rounds.ts'

interface OfferOptions extends CommonOptions {
  readonly as?: string
  readonly json?: boolean
  readonly input?: string
}

/** `patchbay prompt NAME key=value…`: gets one prompt in process, as a client gets it; without a name, which there are. */
export function promptCommand(run: Run): Command {
  return offerCommand('prompt', 'gets one prompt and prints its text; without a name, lists the prompts')
    .argument('[name]', 'its name as clients see it')
    .argument('[arguments...]', 'key=value')
    .option('--input <json>', 'the arguments as one JSON object of strings')
    .action((name: string | undefined, pairs: readonly string[], options: OfferOptions) =>
      run(async () => {
        const asked = await callerOf(options)
        await using host = await openQuietly(options)
        const { prompts } = host.offers(asked.caller)
        if (name === undefined) {
          const rows = prompts.map((prompt) => [prompt.name, namesOf(prompt['arguments']), textOf(prompt['description'])])
          return printed(
            options,
            { prompts },
            rows.length > 0 ? table(['PROMPT', 'ARGUMENTS', 'ASKS FOR'], rows) : ['No prompts'],
          )
        }
        const args = texts(pairs, options.input)
        const { result } = await inRounds(name, (io) => host.prompt(name, args, { io, ...asked }))
        const { messages } = result
        const lines = messages.map(({ content }) => (content.type === 'text' ? content.text : `[${content.type}]`))
        const isOneText = messages.length === 1 && messages[0]?.role === 'user'
        return printed(
          options,
          result,
          isOneText ? lines : messages.flatMap(({ role }, index) => [`${role}:`, lines[index] ?? '', '']),
        )
      }),
    )
}

/** `patchbay read URI`: reads one resource in process, as a client reads it; without a URI, which there are. */
export function readCommand(run: Run): Command {
  return offerCommand('read', 'reads one resource and prints it; without a URI, lists resources and templates')
    .argument('[uri]', 'its URI as clients see it, a template filled in')
    .action((uri: string | undefined, options: OfferOptions) =>
      run(async () => {
        const asked = await callerOf(options)
        await using host = await openQuietly(options)
        if (uri === undefined) {
          const { resources, templates } = host.offers(asked.caller)
          const rows = [
            ...resources.map((item) => [textOf(item['uri']), item.name, textOf(item['description'])]),
            ...templates.map((item) => [textOf(item['uriTemplate']), item.name, textOf(item['description'])]),
          ]
          const lines = rows.length > 0 ? table(['URI', 'RESOURCE', 'WHAT ONE READS THERE'], rows) : ['No resources']
          return printed(options, { resources, templates }, lines)
        }
        const progress = progressLine(process.stderr)
        const result = await host.read(uri, { io: { progress: progress.show }, ...asked })
        progress.end()
        const lines = result.contents.map((item) =>
          'text' in item ? item.text : `[${item.mimeType ?? 'bytes'}, ${Buffer.from(item.blob, 'base64').length} bytes]`,
        )
        return printed(options, result, lines)
      }),
    )
}

function offerCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--as <file>', 'a JSON file that says who asks, as explain has it')
    .option('--json', 'the whole result as JSON')
}

async function callerOf({ as }: OfferOptions): Promise<{ readonly caller?: Caller }> {
  return as === undefined ? {} : { caller: readCaller(await readFile(as, 'utf8'), as) }
}

/** A client is told INTERNAL and a request id; the operator what is behind it. */
function openQuietly(options: OfferOptions): Promise<Host> {
  return openHost({ ...options }, (redact) => quietLog(redact, ['call_failed', 'lock_refused']))
}

function printed({ json }: OfferOptions, result: unknown, lines: readonly string[]): number {
  if (json) printJson(result)
  else printLines(lines)
  return EXIT.done
}

/** MCP sends the arguments of prompts as text: `n=1` is the text `1`. */
function texts(pairs: readonly string[], json: string | undefined): Readonly<Record<string, string>> {
  const properties = Object.fromEntries(pairs.map((pair) => [pair.split('=', 1)[0] ?? '', { type: 'string' }]))
  const input = parseArguments(pairs, json, { properties })
  return Object.fromEntries(
    Object.entries(input).map(([key, value]) => {
      if (typeof value !== 'string')
        throw new InvalidArgumentError(`"${key}" of --input is not a string, as arguments of prompts are`)
      return [key, value]
    }),
  )
}

function namesOf(value: unknown): string {
  const names = Array.isArray(value) ? (value as readonly { readonly name: string; readonly required?: boolean }[]) : []
  return names.map(({ name, required }) => (required ? name : `${name}?`)).join(' ') || '-'
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? (value.split('\n', 1)[0] ?? '') : '-'
}
