import { createInterface } from 'node:readline/promises'
import type { Terminal } from './ask-questions.ts'

/** The person at this process's terminal, asked on stderr so that stdout stays the answer; undefined where there is none. */
export function openTerminal(): (Terminal & Disposable) | undefined {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined
  const prompt = createInterface({ input: process.stdin, output: process.stderr })
  const ended = new AbortController()
  prompt.on('close', () => ended.abort())
  return {
    say: (line) => void process.stderr.write(`${line}\n`),
    ask: (question) => prompt.question(question, { signal: ended.signal }).catch(() => undefined),
    [Symbol.dispose]: () => prompt.close(),
  }
}
