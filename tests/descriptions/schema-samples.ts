/** Values that a JSON Schema of a tool allows, as far as a simple walk finds them. */
export interface Sampling {
  /** Optional properties too, as deep as that. */
  readonly isWhole: boolean
}

type Schema = Readonly<Record<string, unknown>>

/** One input for the schema of a tool: what is required, or everything down to some depth. */
export function sampleOf(root: Schema, { isWhole }: Sampling): unknown {
  const seen = new Map<object, number>()

  function sample(given: unknown, depth: number): unknown {
    if (given === true || given === undefined) return 'any'
    const schema = followed(given)
    if ('const' in schema) return schema['const']
    const choices = schema['enum']
    if (Array.isArray(choices)) return (choices as readonly unknown[]).find((one) => one !== null) ?? null
    const merged = withBranches(schema)
    const type = typeOf(merged)
    // A schema that holds itself ends somewhere.
    const times = seen.get(schema) ?? 0
    if (times > 2) return type === 'array' ? [] : {}
    seen.set(schema, times + 1)
    try {
      return ofType(type, merged, depth)
    } finally {
      seen.set(schema, times)
    }
  }

  function ofType(type: string, schema: Schema, depth: number): unknown {
    switch (type) {
      case 'object':
        return objectSample(schema, depth)
      case 'array': {
        const length = Math.max(numberIn(schema, 'minItems') ?? 0, isWhole && depth < DEEPEST ? 1 : 0)
        return Array.from({ length: Math.min(length, 20) }, () => sample(schema['items'] ?? true, depth + 1))
      }
      case 'integer':
      case 'number':
        return numberSample(schema, type)
      case 'boolean':
        return true
      case 'null':
        return null
      default:
        return textSample(schema)
    }
  }

  function objectSample(schema: Schema, depth: number): unknown {
    const properties = objectIn(schema, 'properties')
    const required = new Set(listIn(schema, 'required').map(String))
    const wanted = [...new Set([...required, ...(isWhole && depth < DEEPEST ? Object.keys(properties) : [])])]
    return Object.fromEntries(
      wanted.map((name) => [name, sample(properties[name] ?? schema['additionalProperties'] ?? true, depth + 1)]),
    )
  }

  function followed(given: unknown): Schema {
    let at: unknown = given
    for (let hops = 0; isSchema(at) && typeof at['$ref'] === 'string' && hops < 20; hops++) {
      const { $ref: reference, ...beside } = at
      const target = reference
        .split('/')
        .slice(1)
        .reduce<unknown>(
          (found, step) => (isSchema(found) ? found[step.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined),
          root,
        )
      at = isSchema(target) && Object.keys(beside).length > 0 ? { ...target, ...beside } : target
    }
    return isSchema(at) ? at : {}
  }

  /** With the first of several ways, and all that must hold together. */
  function withBranches(schema: Schema): Schema {
    const [way] = [...listIn(schema, 'oneOf'), ...listIn(schema, 'anyOf')]
    const parts = [...listIn(schema, 'allOf'), ...(way === undefined ? [] : [way])].map((part) => withBranches(followed(part)))
    return parts.reduce<Schema>(
      (whole, part) => ({
        ...part,
        ...whole,
        properties: { ...objectIn(part, 'properties'), ...objectIn(whole, 'properties') },
        required: [...listIn(part, 'required'), ...listIn(whole, 'required')],
      }),
      schema,
    )
  }

  return sample(root, 0)
}

const DEEPEST = 3

function typeOf({ type, properties, items }: Schema): string {
  if (typeof type === 'string') return type
  if (Array.isArray(type)) return String(type.find((one) => one !== 'null') ?? 'null')
  if (isSchema(properties) && Object.keys(properties).length > 0) return 'object'
  return items === undefined ? 'string' : 'array'
}

function numberSample(schema: Schema, type: string): number {
  const least = numberIn(schema, 'minimum') ?? (numberIn(schema, 'exclusiveMinimum') ?? 0) + 1
  const most = numberIn(schema, 'maximum') ?? Infinity
  const step = numberIn(schema, 'multipleOf')
  const value = Math.min(Math.max(least, 1), most)
  if (step !== undefined) return Math.ceil(value / step) * step
  return type === 'integer' ? Math.ceil(value) : value
}

function textSample({ format, pattern, minLength, maxLength, contentEncoding }: Schema): string {
  const known: Readonly<Record<string, string>> = {
    date: '2026-01-01',
    'date-time': '2026-01-01T00:00:00Z',
    email: 'ada@example.com',
    uri: 'https://example.com/a',
    uuid: '6f1d3c1e-6a3b-4a7e-9d8e-0c1f2a3b4c5d',
    ipv4: '192.0.2.1',
  }
  if (contentEncoding === 'base64') return 'aGVsbG8='
  const found =
    (typeof format === 'string' ? known[format] : undefined) ?? (typeof pattern === 'string' ? fitting(pattern) : 'sample')
  const long = found.padEnd(typeof minLength === 'number' ? Math.min(minLength, 10_000) : 0, 'x')
  return typeof maxLength === 'number' ? long.slice(0, maxLength) : long
}

/** One of some texts that many patterns take. */
function fitting(pattern: string): string {
  const texts = [
    'sample',
    '1',
    'A',
    'a1',
    '12345678',
    'AC0123456789abcdef0123456789abcdef',
    '2026-01-01',
    'https://example.com',
    '+15005550006',
    'a-b',
    '1.0.0',
  ]
  const sid = /\^?\(?([A-Z]{2})\)?\[0-9a-fA-F\]/.exec(pattern)
  return texts.concat(sid ? `${sid[1]}0123456789abcdef0123456789abcdef` : []).find((text) => fits(text, pattern)) ?? 'sample'
}

function fits(text: string, pattern: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(text)
  } catch {
    return true
  }
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function objectIn(schema: Schema, key: string): Schema {
  const value = schema[key]
  return isSchema(value) ? value : {}
}

function listIn(schema: Schema, key: string): readonly unknown[] {
  const value = schema[key]
  return Array.isArray(value) ? value : []
}

function numberIn(schema: Schema, key: string): number | undefined {
  const value = schema[key]
  return typeof value === 'number' ? value : undefined
}
