import { createHash } from 'node:crypto'
import type { Operation } from './operations.ts'

/**
 * A tool name for each operation: its operationId, or else method and path, in `snake_case`. A name that is too long is cut and ends
 * with a digest of the operation; so do the names of operations that would share one, all of them.
 */
export function toolNames(operations: readonly Operation[], maxLength: number): ReadonlyMap<Operation, string> {
  const plain = operations.map((operation): [Operation, string] => [operation, plainName(operation)])
  const count = new Map<string, number>()
  for (const [, name] of plain) count.set(name, (count.get(name) ?? 0) + 1)
  return new Map(
    plain.map(([operation, name]) => [
      operation,
      name.length <= maxLength && count.get(name) === 1 ? name : withDigest(name, operation.label, maxLength),
    ]),
  )
}

function plainName({ operationId, method, path }: Operation): string {
  const name = snakeCase(operationId ?? '') || snakeCase(`${method} ${path}`)
  return /^[a-z]/.test(name) ? name : `${method.toLowerCase()}_${name}`
}

function snakeCase(text: string): string {
  return text
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
}

function withDigest(name: string, label: string, maxLength: number): string {
  const digest = createHash('sha256').update(label).digest('hex').slice(0, 8)
  return `${name.slice(0, maxLength - digest.length - 1).replace(/_+$/, '')}_${digest}`
}
