import { hash } from 'node:crypto'
import { canonicalJson } from '../../../data/canonical-json.ts'
import { HostError } from '../../../errors.ts'

/** The same for the same arguments, whatever the order of their keys. */
export function argumentsDigest(args: unknown): string {
  return hash('sha256', args === undefined ? '' : textOf(args), 'base64url')
}

/** A text with half a character in it has no canonical form; it is told from every other one all the same. */
function textOf(args: unknown): string {
  try {
    return canonicalJson(args)
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    return JSON.stringify(args)
  }
}
