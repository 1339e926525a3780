import type { CallIO, InputRequiredAnswer } from '../../server/call/types.ts'
import { hostError } from '../../errors.ts'
import { askQuestions, TERMINAL_CAPABILITIES } from './ask-questions.ts'
import { openTerminal } from './open-terminal.ts'
import { progressLine } from './progress-line.ts'

/**
 * Calls `name` round by round, until it asks nothing any more: progress is shown on stderr, and the person at the terminal is asked its questions.
 * `onAsked` is called before questions, and what it returns after them. Throws what `round` throws, and `CALL_QUESTION` without a terminal.
 */
export async function inRounds<Answer extends { readonly kind: 'result' }>(
  name: string,
  round: (io: Partial<CallIO>) => Promise<Answer | InputRequiredAnswer>,
  onAsked: () => () => void = () => () => {},
): Promise<Answer> {
  const progress = progressLine(process.stderr)
  using terminal = openTerminal()
  const offered: Partial<CallIO> = {
    progress: progress.show,
    ...(terminal && { clientCapabilities: TERMINAL_CAPABILITIES }),
  }
  let io = offered
  for (;;) {
    const answer = await round(io)
    progress.end()
    if (answer.kind === 'result') return answer
    if (!terminal) {
      const asked = Object.keys(answer.requests).join(', ')
      throw hostError('CALL_QUESTION', { tool: name, problem: `there is no terminal to ask on (${asked})` })
    }
    const answered = onAsked()
    const inputResponses = await askQuestions(name, answer.requests, terminal)
    answered()
    io = { ...offered, inputResponses, ...(answer.state !== undefined && { requestState: answer.state }) }
  }
}
