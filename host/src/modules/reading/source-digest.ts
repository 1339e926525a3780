import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** The digest of what the file holds now; empty when it cannot be read. */
export function digestOf(file: string): string {
  try {
    return hash('sha256', readFileSync(file))
  } catch {
    return ''
  }
}
