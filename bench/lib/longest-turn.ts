// --import: notes how long the turns of the event loop are, by the CPU of its thread, and says the longest one on SIGUSR2; then begins again.
import { writeSync } from 'node:fs'

const STDERR = 2
let longest = 0
let before = process.threadCpuUsage()

function look(): void {
  const { user, system } = process.threadCpuUsage(before)
  longest = Math.max(longest, (user + system) / 1_000)
  before = process.threadCpuUsage()
  // After a timer comes what was ready to be read: that is a part of the same turn, and ends with the next timer.
  setTimeout(look, 1).unref()
}

look()
process.on('SIGUSR2', () => {
  writeSync(STDERR, `${JSON.stringify({ longestMs: longest })}\n`)
  longest = 0
})
