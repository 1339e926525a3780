import type { InputRequest, InputResponse, InputResponses } from '@mcp-patchbay/plugin-api'
import { createValidators } from '../../data/schema/validate.ts'
import { isObject, type JsonObject } from '../../data/json.ts'
import { hostError } from '../../errors.ts'
import { visible } from '../../observability/visible.ts'

/** A person at a terminal. */
export interface Terminal {
  readonly say: (line: string) => void
  /** What the person types; undefined when they end the input. */
  readonly ask: (question: string) => Promise<string | undefined>
}

/** What a terminal can do for a tool: fill in a form, open an address. It has no model and no folders. */
export const TERMINAL_CAPABILITIES = Object.freeze({
  elicitation: Object.freeze({ form: Object.freeze({}), url: Object.freeze({}) }),
})

/**
 * Asks a person what a tool asks for, question by question. A no is `decline`, the end of the input `cancel`. Throws `CALL_QUESTION` for a
 * question that only an MCP client can answer.
 */
export async function askQuestions(
  tool: string,
  requests: Readonly<Record<string, InputRequest>>,
  terminal: Terminal,
): Promise<InputResponses> {
  const responses: Record<string, InputResponse> = {}
  for (const [name, { method, params }] of Object.entries(requests)) {
    if (method !== 'elicitation/create') throw hostError('CALL_QUESTION', { tool, problem: `${method} needs an MCP client` })
    responses[name] = await answerTo(tool, params, terminal)
  }
  return responses
}

async function answerTo(tool: string, params: Readonly<Record<string, unknown>>, terminal: Terminal): Promise<InputResponse> {
  const { message, requestedSchema, url } = params
  terminal.say(`${tool} asks: ${lines(message)}`)
  if (typeof url === 'string') terminal.say(`  Open this address in a browser: ${visible(url)}`)
  const consent = await terminal.ask(typeof url === 'string' ? 'Done? [Y/n] ' : 'Answer it? [Y/n] ')
  if (consent === undefined) return { action: 'cancel' }
  if (!/^(?:y(?:es)?)?$/i.test(consent.trim())) return { action: 'decline' }
  if (typeof url === 'string') return { action: 'accept' }
  const schema = isObject(requestedSchema) ? requestedSchema : {}
  const required = Array.isArray(schema['required']) ? (schema['required'] as readonly unknown[]) : []
  const content: Record<string, unknown> = {}
  for (const [key, field] of Object.entries(isObject(schema['properties']) ? schema['properties'] : {})) {
    const value = await fieldValue(key, isObject(field) ? field : {}, required.includes(key), terminal)
    if (value === CANCELLED) return { action: 'cancel' }
    if (value !== undefined) content[key] = value
  }
  return { action: 'accept', content }
}

const CANCELLED = Symbol('the input ended')

/** Asks again until what is typed fits the field's schema. Nothing typed is its default, or no value where it needs none. */
async function fieldValue(key: string, field: Fields, isRequired: boolean, { say, ask }: Terminal): Promise<unknown> {
  const faultsOf = createValidators().validator(field as JsonObject)
  const choices = choicesOf(isObject(field['items']) ? field['items'] : field)
  const { title = key, description } = field
  if (typeof description === 'string') say(`  ${lines(description)}`)
  for (const [index, { name }] of choices.entries()) say(`  ${index + 1}. ${visible(name)}`)
  const proposal = field['default'] === undefined ? '' : ` [${visible(JSON.stringify(field['default']))}]`
  for (;;) {
    const typed = await ask(`  ${visible(String(title))}${hintOf(field, isRequired)}${proposal}: `)
    if (typed === undefined) return CANCELLED
    if (typed === '' && field['default'] !== undefined) return field['default']
    if (typed === '' && !isRequired) return undefined
    const value = valueOf(typed, field, choices)
    const [fault] = faultsOf(value) ?? []
    if (fault === undefined && !(typed === '' && field['type'] !== 'string')) return value
    say(`  That does not fit: ${fault ?? 'a value is required'}`)
  }
}

type Fields = Readonly<Record<string, unknown>>

interface Choice {
  readonly value: unknown
  readonly name: string
}

/** As MCP has them: `enum`, perhaps with `enumNames`, or `oneOf` and `anyOf` of constants with titles. */
function choicesOf(schema: Fields): readonly Choice[] {
  const titled = [schema['oneOf'], schema['anyOf']].find(Array.isArray) as readonly unknown[] | undefined
  if (titled)
    return titled.flatMap((one) =>
      isObject(one) && 'const' in one ? [{ value: one['const'], name: String(one['title'] ?? one['const']) }] : [],
    )
  const names: readonly unknown[] = Array.isArray(schema['enumNames']) ? schema['enumNames'] : []
  const values: readonly unknown[] = Array.isArray(schema['enum']) ? schema['enum'] : []
  return values.map((value, index) => ({ value, name: String(names[index] ?? value) }))
}

function valueOf(typed: string, { type }: Fields, choices: readonly Choice[]): unknown {
  const chosen = (word: string) => {
    const named = choices.find(({ value, name }) => word === String(value) || word === name)
    return named ?? (/^\d+$/.test(word) ? choices[Number(word) - 1] : undefined)
  }
  if (type === 'array') return typed.split(',').map((word) => chosen(word.trim())?.value ?? word.trim())
  if (choices.length > 0) return chosen(typed.trim())?.value ?? typed
  if (type === 'boolean') return /^(?:y(?:es)?|true)$/i.test(typed) || (/^(?:no?|false)$/i.test(typed) ? false : typed)
  if (type === 'number' || type === 'integer') return typed.trim() === '' ? typed : Number(typed)
  return typed
}

function hintOf({ type, format }: Fields, isRequired: boolean): string {
  const kinds = [
    ...(type === 'boolean' ? ['yes or no'] : []),
    ...(type === 'number' || type === 'integer' ? ['a number'] : []),
    ...(type === 'array' ? ['several, with commas'] : []),
    ...(typeof format === 'string' ? [format] : []),
    ...(isRequired ? [] : ['optional']),
  ]
  return kinds.length > 0 ? ` (${kinds.join(', ')})` : ''
}

/** What a tool says, over several lines where it does, and nothing that a terminal would obey. */
function lines(text: unknown): string {
  return typeof text === 'string' ? text.split('\n').map(visible).join('\n  ') : ''
}
