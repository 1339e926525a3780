import { createRequire } from 'node:module'

type Check = RegExp | ((value: never) => boolean) | boolean
type Definition = Check | { readonly type?: string; readonly validate: Check }

/** Formats of texts, as ajv-formats knows them, for everything that has a schema: arguments, results, configs, key files. */
export interface Formats {
  readonly names: ReadonlySet<string>
  /** Whether a text has that format; true for a format that is not known, which is an annotation. */
  fits(format: string, text: string): boolean
}

let loaded: Formats | undefined

/** Read when the first format is looked at. */
export function formats(): Formats {
  return (loaded ??= readFormats())
}

function readFormats(): Formats {
  const { fullFormats } = createRequire(import.meta.url)('ajv-formats/dist/formats.js') as {
    readonly fullFormats: Readonly<Record<string, Definition>>
  }
  const checks = new Map<string, (text: string) => boolean>()
  for (const [name, definition] of Object.entries(fullFormats)) {
    const { type = 'string', validate } =
      typeof definition === 'object' && !(definition instanceof RegExp) ? definition : { validate: definition }
    // Formats of numbers say what JSON Schema already can.
    if (type !== 'string') continue
    const check = checkOf(validate)
    checks.set(name, UNBOUNDED.has(name) ? check : (text) => text.length <= MOST_CHARACTERS && check(text))
  }
  // Theirs refuses local and private addresses, and takes quadratic time for a text of one kind.
  checks.set('url', (text) => text.length <= MOST_CHARACTERS && URL.canParse(text))
  return {
    names: new Set(checks.keys()),
    fits: (format, text) => checks.get(format)?.(text) ?? true,
  }
}

function checkOf(validate: Check): (text: string) => boolean {
  if (typeof validate === 'boolean') return () => validate
  if (validate instanceof RegExp) return (text) => validate.test(text)
  return (text) => validate(text as never)
}

/** Longer than any date, address or identifier: their expressions run in an engine that goes back and forth. */
const MOST_CHARACTERS = 8_192
/** These look at each character once. */
const UNBOUNDED: ReadonlySet<string> = new Set(['binary', 'byte', 'password'])
