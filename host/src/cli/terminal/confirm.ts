import { createInterface } from 'node:readline/promises'
import { hostError } from '../../errors.ts'

/** Asks on the terminal, on stderr so that stdout stays the answer. Throws `INSTALL_UNCONFIRMED` where there is no terminal to ask on. */
export async function confirm(question: string, yes: boolean): Promise<boolean> {
  if (yes) return true
  if (!process.stdin.isTTY || !process.stderr.isTTY) throw hostError('INSTALL_UNCONFIRMED', {})
  using prompt = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await prompt.question(`${question} [y/N] `)
  return /^y(?:es)?$/i.test(answer.trim())
}
